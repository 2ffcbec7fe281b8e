"""Where a server's binaries come from when the system has none: Debian's packages, else a wheel."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# Packaged services stay off; a policy that is already there is left alone.
APT_INSTALL = """
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    trap 'exit 1' INT TERM HUP
    printf '#!/bin/sh\\nexit 101\\n' >$policy && chmod 755 $policy || exit 1
fi
export DEBIAN_FRONTEND=noninteractive
options="-qq -o DPkg::Lock::Timeout=60 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20"
apt-get $options update && apt-get $options install -y --no-install-recommends "$1"
"""


def find(system: Callable[[], Path | None], package: str, wheel: Callable[[], Path | None]) -> Path | None:
    """The system's own, also after installing Debian's package, else the wheel's."""
    found = system()
    if found is None and _apt_install(package):
        found = system()
    return found or wheel()


def wheel_folder(package: str) -> Path:
    """Where the package lives; it is not imported, only its binaries count."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else Path(os.devnull)


def _apt_install(package: str) -> bool:
    """Install a Debian package if that needs no password."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not Path("/etc/debian_version").exists() or not all(map(shutil.which, ["apt-get", *sudo[:1]])):
        return False
    if sudo and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode:
        return False
    print(f"Installing {package} with apt-get (first time only) ...", file=sys.stderr, flush=True)
    command = [*sudo, "/bin/sh", "-c", APT_INSTALL, "install", package]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if result.returncode:
        print(f"That failed: {' '.join(result.stderr.split())[-300:]}", file=sys.stderr, flush=True)
    return result.returncode == 0
