"""What a table of moves says where it refuses."""

import subprocess
import sys

import pytest

import config
from marketplace.kit.errors import NotAllowed
from marketplace.kit.lifecycle import Lifecycle, WrongState, guard, move

GATE = Lifecycle.table(
    "gate",
    "closed",
    requests={"open": "POST /open", "paint": "POST /paint"},
    open=move("closed", to="open", by={"owner", "moderator", "tenant", "guest"}),
    close=move("open", to="closed", by={"system"}),
    paint=guard("closed", "open", by={"owner"}),
)
REFUSED = "Only the guest, the owner, the tenant or our staff can open this gate."
ASK = """
from tests.kit.test_lifecycle import GATE
try:
    GATE.pick("open", "closed", {"stranger"})
except Exception as error:
    print(error)
"""


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_who_may_is_said_in_the_same_order_by_every_process(seed: str) -> None:
    command = [sys.executable, "-c", ASK]
    env = {"PYTHONHASHSEED": seed}
    said = subprocess.run(command, cwd=config.ROOT, env=env, capture_output=True, text=True, check=True).stdout
    assert said.strip() == REFUSED


def test_what_the_clock_alone_does_is_said() -> None:
    with pytest.raises(NotAllowed, match="Only the marketplace itself can close this gate"):
        GATE.pick("close", "open", {"owner"})


def test_a_refusal_promises_nothing_that_depends_on_more_than_the_table() -> None:
    with pytest.raises(WrongState) as refused:
        GATE.pick("open", "open", {"owner"})
    assert str(refused.value) == "This gate is open already."
