"""`flask encryption`, `flask vapid-key`: the keys an operator makes, before anything else is set."""

import base64

import click
from cryptography.fernet import Fernet
from flask import current_app
from flask.cli import AppGroup
from py_vapid import Vapid

from marketplace.cli.errors import in_sentences, on_database
from marketplace.core.database import encryption
from marketplace.notifications.gateways.push import public_key

KEY_MISSING = (
    "Put the key they were written with at the end of ENCRYPTION_KEYS and run this again. What was written while"
    " ENCRYPTION_KEYS was empty is under the key that `flask encryption derived-key` shows with the SECRET_KEY of then."
)

encryption_keys = AppGroup("encryption", help="The keys of what is encrypted in the database.")


@encryption_keys.command("new-key", with_appcontext=False)
def new_key() -> None:
    """Make a key for ENCRYPTION_KEYS."""
    click.echo(Fernet.generate_key().decode())


@encryption_keys.command("rotate")
@on_database
def rotate() -> None:
    """Encrypt everything by the first of ENCRYPTION_KEYS; the others can go afterwards."""
    count, lost = encryption.rotate()
    click.echo(f"{count} values are under the first key.")
    if lost:
        raise click.ClickException(f"{'; '.join(encryption.told(lost))}. {KEY_MISSING}")


@encryption_keys.command("derived-key")
@in_sentences
def derived_key() -> None:
    """Show the key that is used where ENCRYPTION_KEYS is empty: it is made of SECRET_KEY."""
    click.echo(encryption.derived_key(current_app.config["SECRET_KEY"]))


@click.command("vapid-key")
def vapid_key_command() -> None:
    """Make a key for web push: what to set, and what the browsers get."""
    key = Vapid()
    key.generate_keys()
    number = key.private_key.private_numbers().private_value.to_bytes(32, "big")
    click.echo(f"VAPID_PRIVATE_KEY={base64.urlsafe_b64encode(number).decode().rstrip('=')}")
    click.echo(f"# public: {public_key(key)}")
