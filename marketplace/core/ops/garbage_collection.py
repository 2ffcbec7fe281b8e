"""Importing this lets Python look for garbage rarely until the application stands; import it first.

Loading makes many objects that stay for ever. Python would walk through all of them several times on the way, and
once more when the process ends: half of the time that a command of a second takes.
"""

import atexit
import gc

WHILE_LOADING = 1_000_000  # new objects between two looks; Python's own figure is 700
USUAL = gc.get_threshold()


def resume() -> None:
    """As Python does it by itself, from now on; what was loaded is left out of it, the first time."""
    if gc.get_threshold() != USUAL:
        gc.freeze()
        gc.set_threshold(*USUAL)


gc.set_threshold(WHILE_LOADING, *USUAL[1:])
atexit.register(gc.freeze)  # no last look: the system takes the memory back faster
