"""Which tests run in one worker: what they share is started or filled once, and what they time has no rival."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "processes": (
        "tests/messaging/test_sockets.py",
        "tests/messaging/test_events_hostile.py",
        "tests/messaging/test_two_processes.py",
        "tests/messaging/test_javascript_client.py",
        "tests/messaging/test_wire.py",
        "tests/crash/test_chat_history.py",
        "tests/journeys/test_killed_processes.py",
    ),
    "large database": ("tests/speed/test_plans.py",),
    "town": ("tests/cli/test_seed.py",),
}
GROUPS = {file: name for name, files in TOGETHER.items() for file in files}


class Sharing(LoadScopeScheduling):
    """Groups first; of the rest a test goes with its parameters, wherever there is room."""

    def _split_scope(self, nodeid: str) -> str:
        test = nodeid.partition("[")[0]
        return GROUPS.get(test.partition("::")[0], test)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """Instead of pytest-xdist's own, whose marks for groups pytest 9.2 does not understand."""
    return Sharing(config, log)
