"""npm's packages for the tests, exactly as locked."""

import fcntl
import shutil
import subprocess

import pytest

import config

NODE = config.ROOT / "tests" / "node"


def install(package: str, untested: str) -> None:
    """Install all of tests/node unless this package is there; skips the test, loudly, where that cannot be."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip(f"{untested}: node and npm are not installed")
    with (NODE / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (NODE / "node_modules" / package).is_dir():
            return
        command = ["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline"]
        found = subprocess.run(command, cwd=NODE, capture_output=True, text=True, timeout=600, check=False)
        if found.returncode:
            pytest.skip(f"{untested}: npm cannot install {package}: {found.stderr[-200:]}")
