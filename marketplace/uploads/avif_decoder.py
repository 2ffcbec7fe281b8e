"""AVIF is decoded in a process of its own with little memory: its decoder allocates what the coded picture says,
up to gigabytes, however small the size is that the file's header names.

Run as a script: AVIF in, PNG out, exit code 1 for what cannot be decoded.

Apart from the rooms: a program of its own, run as a process.
"""

import resource
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from PIL import AvifImagePlugin, Image

MOST_BYTES = 512 * 1024 * 1024  # of addresses, of which Python and the libraries take a fifth
SECONDS = 20


def as_png(data: bytes) -> bytes:
    """The first picture with its profile, as PNG; raises ValueError."""
    command = [sys.executable, "-I", str(Path(__file__))]
    try:
        child = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ValueError("this AVIF takes too long") from None
    if child.returncode != 0:
        raise ValueError("this AVIF cannot be decoded")
    return child.stdout


def _decode(data: bytes) -> bytes:
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread would reserve memory of its own
    with Image.open(BytesIO(data), formats=("AVIF",)) as source:
        out = BytesIO()
        kept = {name: source.info[name] for name in ("icc_profile", "exif") if name in source.info}
        source.save(out, "PNG", compress_level=1, **kept)
    return out.getvalue()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        sys.stdout.buffer.write(_decode(sys.stdin.buffer.read()))
    except Exception:  # noqa: BLE001 whatever it is, the caller says what it means
        sys.exit(1)
