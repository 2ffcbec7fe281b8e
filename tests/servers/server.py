"""What the tests' own Postgres and Redis share: a temporary directory, one process, and a sure end."""

import atexit
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from tests.servers.waiting import free_port

START_SECONDS = 60
START_ATTEMPTS = 3
STOP_SECONDS = 10
POLL_SECONDS = 0.02
LONGEST_TEMP_DIR = 60  # a socket's path may have 103 bytes on macOS

# Its input ends with the test run, even by SIGKILL; then it stops the process it was told of last.
GUARD = """
pid=none
while read -r line; do pid=$line; done
kill "-$2" "$pid"
tries=0
while [ $tries -lt 120 ] && kill -0 "$pid"; do
    tries=$((tries + 1))
    [ $tries -eq 100 ] && kill -KILL "$pid"
    sleep 0.05
done
rm -rf "$1"
"""


class ServerUnavailable(RuntimeError):
    """No server can be had here; the message says what to install."""


class Server(Protocol):
    """A server the tests may fill and empty as they like."""

    url: str

    def stop(self) -> None: ...


@dataclass
class GivenServer:
    """Somebody else's server, named in the environment."""

    url: str

    def stop(self) -> None:
        """Leave it running."""


@dataclass(frozen=True)
class Account:
    """Who runs a server; without a user it is whoever runs the tests."""

    user: int | None = None
    group: int | None = None


class OwnServer:
    """A server in a temporary directory; a small shell ends both if the test run cannot."""

    def __init__(self, name: str, *, stop_signal: signal.Signals, account: Account) -> None:
        self.url = ""
        self.name = name
        self.account = account
        self.home = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=_temp_dir()))
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None
        guard = ["/bin/sh", "-c", GUARD, "guard", str(self.home), str(int(stop_signal))]
        self._guard = subprocess.Popen(
            guard,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        atexit.register(self.stop)
        if account.user is not None and account.group is not None:
            os.chown(self.home, account.user, account.group)

    def stop(self) -> None:
        """End the server and remove its directory; safe to repeat, and without effect in a forked child."""
        atexit.unregister(self.stop)
        if self._process and self._process.poll() is None:
            self._process.send_signal(self._stop_signal)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._guard.poll() is None:
            self._guard.communicate(b"none\n")

    def readable(self, folder: Path) -> Path:
        """The binaries where the server's account can read them, which is not below /root."""
        if self.account.user is None or self.account.group is None or _open_to_all(folder):
            return folder
        package = folder.parents[1]
        copy = self.home / "copy"
        for part in package.parent.glob(f"{package.name}*/"):  # a wheel keeps its libraries next to the package
            shutil.copytree(part, copy / part.name, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            os.chown(path, self.account.user, self.account.group, follow_symlinks=False)
        return copy / folder.relative_to(package.parent)

    def run_first(self, commands: list[list[str]]) -> None:
        """Run these commands until one succeeds."""
        if not any(self._launch(command).wait() == 0 for command in commands):
            self._give_up()

    def serve(self, command: list[str], url: str, answers: Callable[[int], bool]) -> None:
        """Start the command, which ends in a port, and wait until it answers there."""
        deadline = time.monotonic() + START_SECONDS
        for _ in range(START_ATTEMPTS):  # somebody may take the port between its choice and its use
            port = free_port()
            process = self._launch([*command, str(port)])
            while process.poll() is None:
                if answers(port):
                    self.url = url.format(port=port)
                    return
                if time.monotonic() > deadline:
                    self._give_up()
                time.sleep(POLL_SECONDS)
        self._give_up()

    def _launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start in a session of its own: Ctrl-C must not reach the server before the tests are done with it."""
        with (self.home / "log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                env=_server_environment(),
                user=self.account.user,
                group=self.account.group,
                extra_groups=None if self.account.user is None else [],
                start_new_session=True,
            )
        self._process = process
        if self._guard.stdin:
            self._guard.stdin.write(b"%d\n" % process.pid)
            self._guard.stdin.flush()
        return process

    def _give_up(self) -> NoReturn:
        log = (self.home / "log").read_text(errors="replace").strip().splitlines()
        self.stop()
        raise ServerUnavailable(f"{self.name} is installed but does not start: {' '.join(log[-3:])}")


def _temp_dir() -> str:
    usual = tempfile.gettempdir()
    closed = os.geteuid() == 0 and not _open_to_all(Path(usual))
    return "/tmp" if closed or len(usual) > LONGEST_TEMP_DIR else usual


def _open_to_all(folder: Path) -> bool:
    real = folder.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (real, *real.parents))


def _server_environment() -> dict[str, str]:
    """Without the caller's PG* settings, and with a locale that exists everywhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
