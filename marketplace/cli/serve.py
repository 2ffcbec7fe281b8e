"""`flask serve`: migrate, fill an empty marketplace with the demo town, say where it is, serve."""

import errno
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

from config import ROOT
from marketplace.auth.models import User
from marketplace.cli.seed import seed_town, sign_ins
from marketplace.core.db import fetch

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # where one looks for what listens on every address


@click.command("serve")
@click.option("--port", envvar="PORT", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@with_appcontext
def serve(port: int, host: str) -> None:
    """Run the whole marketplace in one process."""
    host = host.strip("[]")  # as an address with a port would have it
    _require_free(host, port)
    console = Console()
    upgrade()
    if current_app.config["ENVIRONMENT"] != "production" and not fetch(select(func.count()).select_from(User))[0][0]:
        with console.status("Building the demo town ..."):
            seed_town()
    welcome(console, _address(host, port))
    os.environ.setdefault("API_URL", f"http://localhost:{port}")
    threads = str(current_app.config["THREADS"] + current_app.config["SOCKET_THREADS"])  # made when they are needed
    command = ["gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), "--worker-class", "gthread", "--workers", "1"]
    bind = ["--bind", _bind(host, port), "--graceful-timeout", "5", "--log-level", "warning", "wsgi:app"]
    os.execv(sys.executable, [sys.executable, "-m", *command, "--threads", threads, *bind])


def _require_free(host: str, port: int) -> None:
    """Raises ClickException, which says what is wrong with the address or the port."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        raise click.ClickException(f"HOST={host} is no address of this machine, and no name of one.") from None
    except OSError as error:
        raise click.ClickException(_why_not(error, host, port)) from None


def _why_not(error: OSError, host: str, port: int) -> str:
    other = port + 1 if port < 65535 else port - 1
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken. Choose another: make run PORT={other}"
    if error.errno == errno.EACCES:
        return f"Port {port} needs rights that you do not have. Choose one above 1023: make run PORT=5000"
    if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
        return f"HOST={host} is no address of this machine" + (" (it has no IPv6)." if ":" in host else ".")
    return f"{_address(host, port)} cannot be listened on: {error.strerror}."


def _bind(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _address(host: str, port: int) -> str:
    where = EVERYWHERE.get(host, host)
    return f"http://{'localhost' if where in {'127.0.0.1', '::1'} else _bind(where, port).rpartition(':')[0]}:{port}"


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
