"""How much more memory a piece of work takes at its peak, in MB."""

import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from marketplace.kit.errors import Problem

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def growth_of(work: Callable[[], object]) -> int:
    """A child begins with its parent's peak, so on Linux the peak is forgotten first."""
    before = _peak(forget=True)
    with suppress(Problem):
        work()
    return _peak() - before


def _peak(*, forget: bool = False) -> int:
    if not STATUS.exists():
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used // 1024**2 if sys.platform == "darwin" else used // 1024
    if forget:
        FORGET.write_text("5")
    line = next(one for one in STATUS.read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
