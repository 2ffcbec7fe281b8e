"""`flask users`: who may do what."""

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table
from sqlalchemy import or_, select

from marketplace.auth.account_admin import service as account_admin_service
from marketplace.auth.models import ROLES, User
from marketplace.cli.errors import on_database
from marketplace.core.database.db import db, in_transaction
from marketplace.kit.normalization import email_address
from marketplace.privacy import service as privacy_service

users = AppGroup("users", help="Accounts: roles, suspension.")


@users.command("grant")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@on_database
def grant(name: str, role: str) -> None:
    """Give NAME (a username or e-mail) a ROLE; `user` takes roles away."""
    _do(name, lambda user: account_admin_service.grant(user, role))
    click.echo(f"{name} is {role} now.")


@users.command("suspend")
@click.argument("name")
@click.argument("reason")
@on_database
def suspend(name: str, reason: str) -> None:
    """Close the account of NAME; the REASON is told."""
    _do(name, lambda user: account_admin_service.suspend(user, reason))
    click.echo(f"{name} is suspended.")


@users.command("reinstate")
@click.argument("name")
@on_database
def reinstate(name: str) -> None:
    """Open the account of NAME again."""
    _do(name, account_admin_service.reinstate)
    click.echo(f"{name} is open again.")


@users.command("erase")
@click.argument("name")
@click.option("--even-if-needed", is_flag=True, help="Also where a deal of theirs is not over.")
@click.confirmation_option(prompt="This cannot be undone. Go on?")
@on_database
def erase(name: str, even_if_needed: bool) -> None:
    """Erase the account of NAME, as its owner could."""
    _do(name, lambda user: privacy_service.close(user, even_if_needed=even_if_needed))
    click.echo(f"{name} is erased; what was left behind goes with the next jobs.")


@users.command("staff")
@on_database
def staff() -> None:
    """Show who has a role."""
    table = Table("id", "username", "e-mail", "role")
    for user in db.session.scalars(select(User).where(User.role != "user").order_by(User.id)):
        table.add_row(str(user.id), user.username, user.email, user.role)
    Console().print(table)


def _do(name: str, change: object) -> None:
    assert callable(change)
    in_transaction(lambda: change(_find(name)))


def _find(name: str) -> User:
    key = email_address(name)
    user = db.session.scalar(select(User).where(or_(User.username_key == key, User.email == key)))
    if user is None:
        raise click.ClickException(f"There is no account called {name}.")
    return user
