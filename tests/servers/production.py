"""The processes of a small production: nginx as in deploy/, one for requests, two with sockets, Redis."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

import config
from tests.servers.redis import URL, _from_system, _from_wheel
from tests.servers.sources import find

PATIENCE = 20.0


def until(what: str, true: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for a condition, not for a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = true()
        except requests.RequestException:
            found = None
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"waited in vain for: {what}")


def free_port() -> int:
    """Nobody listens there now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nginx() -> str | None:
    """Where it is, if it is."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def nginx_settings(folder: Path, listen: int, *, api: int, sockets: tuple[int, int]) -> Path:
    """deploy/nginx.conf with these ports."""
    text = (config.ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    places = {
        "127.0.0.1:5000": f"127.0.0.1:{api}",
        "127.0.0.1:5101": f"127.0.0.1:{sockets[0]}",
        "127.0.0.1:5102": f"127.0.0.1:{sockets[1]}",
        "listen 8080": f"listen 127.0.0.1:{listen}",
        "include mime.types;": f"client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;",
        "worker_processes auto;": f"pid {folder}/pid; daemon off;" + (" user root;" if os.geteuid() == 0 else ""),
        "path cache ": f"path {folder}/cache ",
    }
    for before, after in places.items():
        assert before in text, before
        text = text.replace(before, after)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    return folder / "nginx.conf"


class Processes:
    """Named commands, each in a session of its own, that can be killed and started again."""

    def __init__(self, settings: dict[str, str], folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.log = (folder / "log").open("ab")
        self.commands: dict[str, list[str]] = {}
        self.own: dict[str, dict[str, str]] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """One of them."""
        environment = {**os.environ, **self.settings, **self.own.get(name, {})}
        how = {"cwd": config.ROOT, "stdout": self.log, "stderr": self.log, "start_new_session": True}
        self.running[name] = subprocess.Popen(self.commands[name], env=environment, **how)  # type: ignore[call-overload]

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """As a power cut would, its children too."""
        process = self.running.pop(name)
        os.killpg(process.pid, how)
        process.wait()

    def stop(self) -> None:
        """All of them."""
        for name in list(self.running):
            self.kill(name)
        self.log.close()


class Production(Processes):
    """`address` is nginx; the processes with sockets are `sockets_1` and `sockets_2`."""

    def __init__(self, settings: dict[str, str], folder: Path) -> None:
        redis, listen, api, *sockets = (free_port() for _ in range(5))
        given = {"REDIS_URL": URL.format(port=redis), "SOCKETS": "elsewhere", "TRUSTED_PROXIES": "1"}
        super().__init__({**settings, **given, "JOBS": "celery"}, folder)
        self.address = f"http://127.0.0.1:{listen}"
        self.ports = dict(zip(("api", "sockets_1", "sockets_2"), (api, *sockets), strict=True))
        found = find(_from_system, "redis-server", _from_wheel)
        proxy = nginx_settings(folder, listen, api=api, sockets=(sockets[0], sockets[1]))
        web = [sys.executable, "-m", "gunicorn", "--log-level", "warning", "-b"]
        self.commands = {
            "redis": [str(found), *f"--port {redis} --bind 127.0.0.1".split(), "--save", ""],
            "api": [*web, f"127.0.0.1:{api}", *"-k gthread --threads 4 wsgi:app".split()],
            "nginx": [str(nginx()), "-p", str(folder), "-e", str(folder / "nginx.log"), "-c", str(proxy)],
        }
        for name, port in zip(("1", "2"), sockets, strict=True):
            command = [*web, f"127.0.0.1:{port}", *"-c deploy/sockets.gunicorn.py wsgi:app".split()]
            self.commands[f"sockets_{name}"] = command
            self.own[f"sockets_{name}"] = {"SOCKET_INSTANCE": name}

    def begin(self) -> None:
        """All of them, and wait until they answer."""
        for name in self.commands:
            self.start(name)
        for name in self.ports:
            self.await_(name)
        until("nginx", lambda: self.ask("GET", "/health").status_code == 200)

    def await_(self, name: str) -> None:
        """Until this one answers."""
        until(name, lambda: requests.get(f"http://127.0.0.1:{self.ports[name]}/health", timeout=5).ok)

    def ask(self, method: str, path: str, token: str = "", **how: Any) -> Any:
        """Over real HTTP, through nginx."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, self.address + path, headers=headers, timeout=10, **how)
