"""A port that is free, and waiting for what comes true.

The patience is no promise of ours: it only ends a test that waits in vain, on the slowest machine there is.
"""

import socket
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 120.0  # seconds


def until(what: str, true: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for a condition, not for a time; a server that does not answer yet is none. What was found."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = true()
        except OSError:  # those of requests are some, too
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
