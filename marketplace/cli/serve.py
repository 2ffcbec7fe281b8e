"""`flask serve`: migrate, fill an empty marketplace with the demo town, say where it is, serve."""

import errno
import os
import socket
import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from config import ROOT
from marketplace.auth.models import User
from marketplace.cli.errors import in_sentences, require_not_newer
from marketplace.core.database import migrations
from marketplace.core.database.db import db, fetch
from marketplace.demo_data import service as demo_data_service

EVERYWHERE = ("127.0.0.1", "0.0.0.0", "::")
NOT_HERE = "HOST is {}: this machine has no such address."


@click.command("serve")
@click.option("--port", type=click.IntRange(1, 65_535), help="Instead of the setting PORT.")
@click.option("--host", help="Instead of the setting HOST.")
@with_appcontext
@in_sentences
def serve(port: int | None, host: str | None) -> None:
    """Run the whole marketplace in one process."""
    port = port or current_app.config["PORT"]
    host = (host or current_app.config["HOST"]).strip("[]")
    _require_free(host, port)
    require_not_newer(db.engine)
    console = Console()
    migrations.upgrade()
    if current_app.config["ENVIRONMENT"] != "production" and not fetch(select(func.count()).select_from(User))[0][0]:
        with console.status("Building the demo town ..."):
            demo_data_service.seed()
    address = f"[{host}]" if ":" in host else host
    welcome(console, f"http://{'localhost' if host in EVERYWHERE else address}:{port}")
    os.environ.setdefault("API_URL", f"http://localhost:{port}")
    threads = str(current_app.config["THREADS"] + current_app.config["SOCKET_THREADS"])  # made when they are needed
    command = ["gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), "--worker-class", "gthread", "--workers", "1"]
    bind = ["--bind", f"{address}:{port}", "--graceful-timeout", "5", "--log-level", "warning", "wsgi:app"]
    os.execv(sys.executable, [sys.executable, "-m", *command, "--threads", threads, *bind])


def _require_free(host: str, port: int) -> None:
    """Raises ClickException: there is no such address here, the port is taken, or may not be used."""
    try:
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.create_server(place[:2], family=family):
            pass
    except (socket.gaierror, UnicodeError):
        raise click.ClickException(NOT_HERE.format(host)) from None
    except OSError as error:
        raise click.ClickException(_why_not(host, port, error)) from None


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken. Choose another: make run PORT={port % 65_535 + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights. Choose one from 1024 up: make run PORT=5000"
    if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
        return NOT_HERE.format(host)
    return f"HOST is {host}: {os.strerror(error.errno) if error.errno else error}."


def welcome(console: Console, address: str) -> None:
    """The addresses, and who can sign in."""
    console.print(f"\n  The marketplace is at [bold]{address}[/bold]")
    console.print(f"  Its documentation     {address}/docs/")
    nearby = f"{address}/api/listings?latitude=56.95&longitude=24.1&radius=10"
    console.print(f"  Try                   curl '{nearby}'\n", soft_wrap=True)
    table = Table("e-mail", "password", "who", title="Sign in as", title_justify="left")
    for who, email, password in demo_data_service.sign_ins():
        table.add_row(email, password, who)
    console.print(table)
    console.print("  Stop with Ctrl+C.\n")
