"""nginx as configured in deploy/, on ports of the test's."""

import os
import shutil
from functools import cache
from pathlib import Path

import config
from tests.servers.sources import find

DEPLOYED = (5101, 5102)


@cache
def nginx() -> str | None:
    """Where it is, also after installing Debian's package; None where that cannot be done."""
    found = find(_from_system, "nginx-light", lambda: None)
    return str(found) if found else None


def _from_system() -> Path | None:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    return Path(found) if found else None


def command(
    folder: Path, listen: int, *, api: int, sockets: tuple[int, int] = DEPLOYED, tls: int | None = None
) -> list[str]:
    """What starts it in this folder; with `tls`, on that port too, by the certificate in fullchain.pem."""
    settings = _settings(folder, listen, api, sockets, tls)
    return [str(nginx()), "-p", str(folder), "-e", str(folder / "nginx.log"), "-c", str(settings)]


def _settings(folder: Path, listen: int, api: int, sockets: tuple[int, int], tls: int | None) -> Path:
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
        "/var/log/nginx/access.log": str(folder / "access.log"),
    }
    for before, after in places.items():
        assert before in text, before
        text = text.replace(before, after)
    if tls is not None:
        text = text.replace("#tls ", "").replace("listen 8443", f"listen 127.0.0.1:{tls}")
        text = text.replace("/etc/nginx/tls", str(folder))
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    return folder / "nginx.conf"
