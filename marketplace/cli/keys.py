"""`flask encryption`, `flask vapid-key`: the keys an operator makes, before anything else is set."""

import base64

import click
from cryptography.fernet import Fernet
from flask.cli import AppGroup
from py_vapid import Vapid

from marketplace.cli.errors import on_database
from marketplace.core import encryption
from marketplace.notifications.gateways.push import public_key

encryption_keys = AppGroup("encryption", help="The keys of what is encrypted in the database.")


@encryption_keys.command("new-key", with_appcontext=False)
def new_key() -> None:
    """Make a key for ENCRYPTION_KEYS."""
    click.echo(Fernet.generate_key().decode())


@encryption_keys.command("rotate")
@on_database
def rotate() -> None:
    """Encrypt everything by the first of ENCRYPTION_KEYS; the others can go afterwards."""
    click.echo(f"{encryption.rotate()} values are under the first key.")


@click.command("vapid-key")
def vapid_key_command() -> None:
    """Make a key for web push: what to set, and what the browsers get."""
    key = Vapid()
    key.generate_keys()
    number = key.private_key.private_numbers().private_value.to_bytes(32, "big")
    click.echo(f"VAPID_PRIVATE_KEY={base64.urlsafe_b64encode(number).decode().rstrip('=')}")
    click.echo(f"# public: {public_key(key)}")
