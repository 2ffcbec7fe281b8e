"""Which tests are run: all of them, or with --fast those that need nothing but SQLite."""

import subprocess
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import pytest

SLOW = (
    *(
        "tests/crash/",
        "tests/fuzz/",
        "tests/journeys/",
        "tests/races/",
        "tests/core/lists/test_plans",
        "tests/search/test_judged",
    ),
    *("tests/auth/sign_in/test_who_exists", "tests/cli/test_seed", "tests/cli/test_imports.py::test_real_data"),
    *(
        "tests/core/http/test_odd_requests",
        "tests/architecture/test_mass_assignment",
        "tests/content_filter/test_measured",
    ),
    "tests/payments/test_properties",
)
SERVERS = frozenset(("addresses", "browser", "chat", "fresh_url", "mail", "paypal", "served", "stripe", "twilio"))
STARTING = ("tests.servers.", "tests.crash.")
ADDRESSES = frozenset(("postgres", "TEST_DATABASE_URL", "TEST_REDIS_URL"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make test-fast`."""
    parser.addoption("--fast", action="store_true", help="SQLite only, and nothing that needs a server or a process")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One database where one is enough; without servers if asked."""
    dropped = {item for item in items if _is_repeated(item) or (config.option.fast and _needs_more(item))}
    if dropped:
        config.hook.pytest_deselected(items=list(dropped))
        items[:] = [item for item in items if item not in dropped]


def _is_repeated(item: pytest.Item) -> bool:
    """On a second database the same again: what is marked so asks no database that could answer otherwise."""
    return _database(item) == "postgres" and item.get_closest_marker("one_database") is not None


def _database(item: Any) -> str:
    return str(item.callspec.params.get("database", "")) if hasattr(item, "callspec") else ""


def _needs_more(item: Any) -> bool:
    """By its fixtures, and by what it and they name, also through functions of their modules; tests.conftest knows."""
    fixtures = getattr(item, "fixturenames", ())
    known = item._fixtureinfo.name2fixturedefs if fixtures else {}
    made_by = [known[name][-1].func for name in fixtures if known.get(name)]
    of_ours = {name for name in fixtures if known.get(name) and known[name][-1].func.__module__ != item.module.__name__}
    return (
        _database(item) == "postgres"
        or item.nodeid.startswith(SLOW)
        or not SERVERS.isdisjoint(of_ours)  # a module may call one of its own so
        or any(_starts_something(maker) for maker in (item.function, *made_by) if maker.__module__ != "tests.conftest")
    )


@cache
def _starts_something(function: FunctionType) -> bool:
    found, waiting = {function}, [function]
    while waiting:
        for value in _named_by(waiting.pop()):
            if value is subprocess or _is_elsewhere(value):
                return True
            if isinstance(value, FunctionType) and value.__module__ == function.__module__ and value not in found:
                found.add(value)
                waiting.append(value)
    return False


def _is_elsewhere(value: Any) -> bool:
    if isinstance(value, str):
        return value in ADDRESSES
    return str(getattr(value, "__module__", "")).startswith(STARTING)


def _named_by(function: FunctionType) -> Iterator[Any]:
    """Texts and globals it uses."""
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        yield from (constant for constant in code.co_consts if isinstance(constant, str))
        yield from (function.__globals__[name] for name in code.co_names if name in function.__globals__)
