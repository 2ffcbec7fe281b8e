"""The processes of a small production: nginx as in deploy/, one for requests, two with sockets, Redis."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

import config
from tests.servers import nginx
from tests.servers.redis import URL, redis_server
from tests.servers.waiting import PATIENCE, free_port, until


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
        web = [sys.executable, "-m", "gunicorn", "--log-level", "warning", "-b"]
        self.commands = {
            "redis": [str(redis_server()), *f"--port {redis} --bind 127.0.0.1".split(), "--save", ""],
            "api": [*web, f"127.0.0.1:{api}", *"-k gthread --threads 4 wsgi:app".split()],
            "nginx": nginx.command(folder, listen, api=api, sockets=(sockets[0], sockets[1])),
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
        return requests.request(method, self.address + path, headers=headers, timeout=PATIENCE, **how)
