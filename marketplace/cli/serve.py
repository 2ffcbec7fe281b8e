"""`flask serve`: migrate, fill an empty marketplace with the demo town, say where it is, serve."""

import os
import socket
import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from marketplace.auth.models import User
from marketplace.cli.seed import seed_town, sign_ins
from marketplace.core.db import fetch


@click.command("serve")
@click.option("--port", envvar="PORT", default=5000, show_default=True)
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@with_appcontext
def serve(port: int, host: str) -> None:
    """Run the whole marketplace in one process."""
    _require_free(host, port)
    console = Console()
    upgrade()
    if current_app.config["ENVIRONMENT"] != "production" and not fetch(select(func.count()).select_from(User))[0][0]:
        with console.status("Building the demo town ..."):
            seed_town()
    welcome(console, f"http://{'localhost' if host == '127.0.0.1' else host}:{port}")
    os.environ.setdefault("API_URL", f"http://localhost:{port}")
    threads = str(current_app.config["THREADS"] + current_app.config["SOCKET_THREADS"])  # made when they are needed
    command = ["gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", threads]
    bind = ["--bind", f"{host}:{port}", "--graceful-timeout", "5", "--log-level", "warning", "wsgi:app"]
    os.execv(sys.executable, [sys.executable, "-m", *command, *bind])


def _require_free(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port)):
            pass
    except OSError:
        raise click.ClickException(f"Port {port} is taken. Choose another: make run PORT={port + 1}") from None


def welcome(console: Console, address: str) -> None:
    """The addresses, and who can sign in."""
    console.print(f"\n  The marketplace is at [bold]{address}[/bold]")
    console.print(f"  Its documentation     {address}/docs/")
    nearby = f"{address}/api/listings?latitude=56.95&longitude=24.1&radius=10"
    console.print(f"  Try                   curl '{nearby}'\n", soft_wrap=True)
    table = Table("e-mail", "password", "who", title="Sign in as", title_justify="left")
    for who, email, password in sign_ins():
        table.add_row(email, password, who)
    console.print(table)
    console.print("  Stop with Ctrl+C.\n")
