"""Which tests run in one worker: what they share is started or filled once, and what they time has no rival. Long ones
begin first, so that no worker is left alone with one at the end."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "large database": ("tests/core/lists/test_plans.py",),
    "processes": (
        "tests/messaging/test_sockets.py",
        "tests/messaging/test_events_hostile.py",
        "tests/messaging/test_two_processes.py",
        "tests/messaging/test_javascript_client.py",
        "tests/messaging/test_websocket_patch.py",
        "tests/crash/test_chat_history.py",
        "tests/journeys/test_killed_processes.py",
    ),
    "town": ("tests/cli/test_seed.py",),
    "errands": ("tests/deals/test_third_kind.py",),
}
GROUPS = {file: name for name, files in TOGETHER.items() for file in files}
ALONE = ("tests/fuzz/", "tests/crash/")
LONG = (
    *GROUPS,
    *ALONE,
    "tests/search/test_judged",
    "tests/core/http/test_odd_requests",
    "tests/auth/sign_in/test_who_exists",
)


class Sharing(LoadScopeScheduling):
    """Of what is in no group a test goes with its parameters, wherever there is room."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return GROUPS.get(file) or (nodeid if nodeid.startswith(ALONE) else nodeid.partition("[")[0])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first, the others as they stand."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """Instead of pytest-xdist's own, whose marks for groups pytest 9.2 does not understand."""
    config.option.loadscopereorder = False  # it would begin with what has most parameters
    return Sharing(config, log)
