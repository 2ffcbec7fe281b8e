"""What the tests say of themselves: their lists of files name files that are there."""

from pathlib import Path

from tests.scheduling import LONG
from tests.selection import SLOW

ROOT = Path(__file__).parents[2]


def test_every_file_that_is_named_as_long_or_slow_is_there() -> None:
    named = {one.partition("::")[0] for one in (*LONG, *SLOW)}
    assert {one for one in named if not list(ROOT.glob(f"{one.rstrip('/')}*"))} == set()
