"""Limits in a burst: of an account from many addresses, behind a proxy, and while Redis is gone."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from flask import Flask

from marketplace.core.http.rate_limits import limiter
from tests.conftest import make_app
from tests.factories.people import PASSWORD, sign_up
from tests.races.burst import burst
from tests.servers.redis import own_database

LIMIT = 5
SIGN_IN, ACCOUNT = {"LIMIT_SIGN_IN": "5 per minute"}, {"LIMIT_ACCOUNT": "5 per 15 minutes"}
MANY = {"LIMIT_SIGN_IN": "1000 per minute"}
NO_REDIS = "redis://127.0.0.1:1/0"
Make = Callable[..., Flask]


@pytest.fixture(params=["memory", "redis", "redis lost"])
def make(request: pytest.FixtureRequest, app: Flask, worker_id: str) -> Iterator[Make]:
    """Applications that limit, counting here; one limiter serves every application of the process."""
    redis = {"memory": "", "redis": own_database(worker_id), "redis lost": NO_REDIS}[request.param]

    def make_limited(**settings: str) -> Flask:
        made = make_app(app.config["DATABASE_URL"], **{"RATE_LIMITS": "1", "REDIS_URL": redis, **settings})
        made.test_client().get("/api/categories")  # a lost Redis is noticed
        return made

    yield make_limited
    limiter.enabled = False
    limiter._storage_dead = False  # the next application's Redis is another


def sign_in(app: Flask, name: str = "nobody", password: str = "x" * 8, address: str = "", header: str = "") -> int:
    """The status of a try."""
    body = {"username": name, "password": password}
    there = {"REMOTE_ADDR": address} if address else {}
    headers = {"X-Forwarded-For": header} if header else {}
    client = app.test_client()
    return client.post("/api/auth/login", json=body, headers=headers, environ_overrides=there).status_code


def looked_at(calls: list[Callable[[], int]]) -> int:
    """How many of the passwords were looked at, the others being refused by a limit."""
    assert len(calls) == 10 * LIMIT
    statuses = [status for chunk in (calls[:25], calls[25:]) for status in burst(chunk)]  # type: ignore[arg-type]
    assert set(statuses) <= {401, 429}
    return statuses.count(401)


def test_one_address_gets_the_limit(make: Make) -> None:
    app = make(**SIGN_IN)
    assert LIMIT <= looked_at([partial(sign_in, app, f"nobody{number}") for number in range(50)]) <= LIMIT + 1


def test_one_account_gets_the_limit_from_all_addresses_together(make: Make) -> None:
    app = make(**MANY, **ACCOUNT)
    calls = [partial(sign_in, app, address=f"198.51.100.{number}") for number in range(50)]
    assert LIMIT <= looked_at(calls) <= LIMIT + 1
    assert sign_in(app, "somebody", address="198.51.100.1") == 401


def test_capitals_make_no_other_account(make: Make) -> None:
    app = make(**MANY, **ACCOUNT)
    names = ("nobody", "Nobody", "NOBODY", "nObOdY", "noboDY")
    calls = [partial(sign_in, app, names[number % 5], address=f"198.51.100.{number}") for number in range(50)]
    assert looked_at(calls) <= LIMIT + 1


def test_the_owner_of_a_besieged_account_gets_in_from_home(make: Make) -> None:
    app = make(**MANY, **ACCOUNT)
    sign_up(app, "liga")
    looked_at([partial(sign_in, app, "liga", address=f"198.51.100.{number}") for number in range(50)])
    assert sign_in(app, "liga", PASSWORD) == 200
    assert sign_in(app, "liga", PASSWORD, address="198.51.100.77") == 429


@pytest.mark.parametrize("make", ["memory"], indirect=True)
def test_nobody_meets_an_error_in_the_moment_redis_is_lost(make: Make, app: Flask) -> None:
    make()  # puts everything back afterwards
    lost = make_app(app.config["DATABASE_URL"], RATE_LIMITS="1", REDIS_URL=NO_REDIS)
    statuses = [answer.status_code for answer in burst([lambda: lost.test_client().get("/api/categories")] * 25)]
    assert statuses == [200] * 25


@pytest.mark.parametrize("make", ["memory"], indirect=True)
def test_all_addresses_of_a_household_are_one(make: Make) -> None:
    app = make(**SIGN_IN)
    calls = [partial(sign_in, app, f"nobody{number}", address=f"2001:db8::{number:x}") for number in range(1, 51)]
    assert looked_at(calls) <= LIMIT + 1


def test_a_forged_header_brings_no_further_try(make: Make) -> None:
    app = make(**SIGN_IN)
    calls = [partial(sign_in, app, f"nobody{number}", header=f"192.0.2.{number}") for number in range(50)]
    assert looked_at(calls) <= LIMIT + 1


def test_behind_a_proxy_the_address_it_names_counts(make: Make) -> None:
    app = make(**SIGN_IN, TRUSTED_PROXIES="1")
    forged = [partial(sign_in, app, f"nobody{n}", header=f"192.0.2.{n}, 198.51.100.1") for n in range(50)]
    assert looked_at(forged) <= LIMIT + 1
    assert sign_in(app, header="198.51.100.1, 198.51.100.2") == 401
    honest = [partial(sign_in, app, f"nobody{n}", header=f"192.0.2.1, 203.0.113.{n}") for n in range(50)]
    assert looked_at(honest) == 50


def test_control_without_limits_all_are_looked_at(make: Make) -> None:
    app = make(RATE_LIMITS="0")
    assert looked_at([partial(sign_in, app)] * 50) == 50
