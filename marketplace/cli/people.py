"""`flask users`: who may do what; `flask encryption`: the keys that keep secrets."""

import click
from cryptography.fernet import Fernet
from flask import current_app
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table
from sqlalchemy import or_, select

from marketplace.auth import standing
from marketplace.auth.models import ROLES, User
from marketplace.core import encryption
from marketplace.core.db import db, in_transaction
from marketplace.kit.errors import Problem
from marketplace.privacy import service as privacy

KEY_MISSING = (
    "Put the key they were written with at the end of ENCRYPTION_KEYS and run this again. What was written while"
    " ENCRYPTION_KEYS was empty is under the key that `flask encryption derived-key` shows with the SECRET_KEY of then."
)

users = AppGroup("users", help="Accounts: roles, suspension.")
encryption_keys = AppGroup("encryption", help="The keys of what is encrypted in the database.")


@users.command("grant")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
def grant(name: str, role: str) -> None:
    """Give NAME (a username or e-mail) a ROLE; `user` takes roles away."""
    _do(name, lambda user: standing.grant(user, role))
    click.echo(f"{name} is {role} now.")


@users.command("suspend")
@click.argument("name")
@click.argument("reason")
def suspend(name: str, reason: str) -> None:
    """Close the account of NAME; the REASON is told."""
    _do(name, lambda user: standing.suspend(user, reason))
    click.echo(f"{name} is suspended.")


@users.command("reinstate")
@click.argument("name")
def reinstate(name: str) -> None:
    """Open the account of NAME again."""
    _do(name, standing.reinstate)
    click.echo(f"{name} is open again.")


@users.command("erase")
@click.argument("name")
@click.option("--even-if-needed", is_flag=True, help="Also where a deal of theirs is not over.")
@click.confirmation_option(prompt="This cannot be undone. Go on?")
def erase(name: str, even_if_needed: bool) -> None:
    """Erase the account of NAME, as its owner could."""
    _do(name, lambda user: privacy.close(user, even_if_needed=even_if_needed))
    click.echo(f"{name} is erased; what was left behind goes with the next jobs.")


@users.command("staff")
def staff() -> None:
    """Show who has a role."""
    table = Table("id", "username", "e-mail", "role")
    for user in db.session.scalars(select(User).where(User.role != "user").order_by(User.id)):
        table.add_row(str(user.id), user.username, user.email, user.role)
    Console().print(table)


@encryption_keys.command("new-key")
def new_key() -> None:
    """Make a key for ENCRYPTION_KEYS."""
    click.echo(Fernet.generate_key().decode())


@encryption_keys.command("rotate")
def rotate() -> None:
    """Encrypt everything by the first of ENCRYPTION_KEYS; the others can go afterwards."""
    count, lost = encryption.rotate()
    click.echo(f"{count} values are under the first key.")
    if lost:
        raise click.ClickException(f"{'; '.join(encryption.told(lost))}. {KEY_MISSING}")


@encryption_keys.command("derived-key")
def derived_key() -> None:
    """Show the key that is used where ENCRYPTION_KEYS is empty: it is made of SECRET_KEY."""
    click.echo(encryption.derived_key(current_app.config["SECRET_KEY"]))


def _do(name: str, change: object) -> None:
    assert callable(change)
    try:
        in_transaction(lambda: change(_find(name)))
    except Problem as problem:
        raise click.ClickException(problem.sentence) from None


def _find(name: str) -> User:
    user = db.session.scalar(select(User).where(or_(User.username_key == name.lower(), User.email == name.lower())))
    if user is None:
        raise click.ClickException(f"There is no account called {name}.")
    return user
