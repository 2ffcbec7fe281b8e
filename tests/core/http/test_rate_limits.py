"""Limits count in Redis or in memory, believe no header, and hold when Redis is gone."""

import os
from collections.abc import Iterator
from functools import partial

import pytest
from flask import Flask
from redis import Redis

from marketplace.core.http.rate_limits import in_words, limiter
from marketplace.core.http.response_headers import LIMITERS_RETRY
from tests.conftest import make_app
from tests.core.database.test_errors import raising, replaced
from tests.factories import things
from tests.factories.people import sign_up
from tests.races.burst import burst
from tests.servers.redis import start_redis

LIMIT = 5


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    """One limiter serves every application of the process."""
    yield
    limiter.enabled = False
    limiter._storage_dead = False  # the next application's Redis is another


@pytest.fixture(params=["memory", "redis"])
def limited(request: pytest.FixtureRequest, app: Flask, worker_id: str) -> Flask:
    """An application on the same database that allows five sign-ins a minute."""
    own = (
        os.environ["TEST_REDIS_URL"].rpartition("/")[0]
        + f"/{(int(worker_id[2:]) if worker_id.startswith('gw') else 0) + 1}"
    )
    redis = own if request.param == "redis" else ""
    if redis:
        Redis.from_url(redis).flushdb()
    return _limited(app, redis)


def _limited(app: Flask, redis: str) -> Flask:
    settings = {"RATE_LIMITS": "1", "LIMIT_SIGN_IN": f"{LIMIT} per minute", "REDIS_URL": redis}
    return make_app(app.config["DATABASE_URL"], **settings)


def _sign_in(app: Flask, **headers: str) -> int:
    body = {"email": "nobody@example.com", "password": "x" * 8}
    return app.test_client().post("/api/auth/login", json=body, headers=headers).status_code


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (60, "60 seconds"), (61, "2 minutes"), (3600, "60 minutes"), (3601, "2 hours")],
)
def test_when_there_is_room_again_is_told_in_words(seconds: int, words: str) -> None:
    assert in_words(seconds) == words


def test_ten_times_the_limit_at_once_lets_the_limit_through(limited: Flask) -> None:
    statuses = _burst(limited, 10 * LIMIT)
    assert statuses.count(401) <= LIMIT + 1
    assert statuses.count(401) + statuses.count(429) == 10 * LIMIT


def _burst(app: Flask, times: int) -> list[int]:
    body = {"email": "nobody@example.com", "password": "x" * 8}
    client = app.test_client
    calls = [partial(client().post, "/api/auth/login", json=body) for _ in range(times)]
    return [answer.status_code for chunk in (calls[:25], calls[25:]) for answer in burst(chunk)]


def test_a_refusal_says_when_to_come_back(limited: Flask) -> None:
    for _ in range(LIMIT):
        _sign_in(limited)
    body = {"email": "nobody@example.com", "password": "x" * 8}
    answer = limited.test_client().post("/api/auth/login", json=body)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 61
    assert answer.headers["RateLimit-Limit"] == str(LIMIT)
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "too_many_requests"


def test_a_busy_marketplace_says_itself_when_to_come_back(app: Flask, database: str) -> None:
    """Not when the minute of the sign-ins is over."""
    trouble = "ATTACH '/nowhere/at/all.db' AS x" if database == "sqlite" else raising("25P03")
    limited = _limited(app, "")
    with replaced(limited, "FROM users", trouble):
        answer = limited.test_client().post("/api/auth/login", json={"email": "a@example.com", "password": "x" * 8})
    assert answer.status_code == 503
    assert int(answer.headers["RateLimit-Reset"]) > 30 >= int(answer.headers["Retry-After"])
    assert LIMITERS_RETRY not in answer.headers


def test_a_forged_address_changes_nothing(limited: Flask) -> None:
    statuses = [_sign_in(limited, **{"X-Forwarded-For": f"10.0.0.{n}"}) for n in range(LIMIT + 2)]
    assert statuses[-1] == 429


def test_a_lost_redis_still_limits(app: Flask) -> None:
    lost = _limited(app, "redis://127.0.0.1:1/0")
    statuses = [_sign_in(lost) for _ in range(3 * LIMIT)]
    assert statuses.count(401) <= LIMIT
    assert statuses[-1] == 429


def test_a_household_can_browse(limited: Flask) -> None:
    assert {limited.test_client().get("/api/listings").status_code for _ in range(60)} == {200}


REFUSALS = {
    "full (OOM)": ("CONFIG", "SET", "maxmemory", "1"),
    "a replica (READONLY)": ("REPLICAOF", "127.0.0.1", "1"),
    "without its replicas (NOREPLICAS)": ("CONFIG", "SET", "min-replicas-to-write", "1"),
}


@pytest.fixture(scope="module")
def own_redis() -> Iterator[str]:
    """A Redis that may be spoilt."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TEST_REDIS_URL")
        server = start_redis()
    yield server.url
    server.stop()


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_redis_that_refuses_to_write_is_as_good_as_lost(app: Flask, own_redis: str, refusal: str) -> None:
    client = Redis.from_url(own_redis)
    limited = _limited(app, own_redis)
    client.execute_command(*REFUSALS[refusal])
    try:
        anna = sign_up(limited, "anna")
        assert things.listing(anna)["title"]
        statuses = [anna.get(path).status_code for path in ("/api/listings", "/api/auth/profile", "/api/helpers")]
        tried = [_sign_in(limited) for _ in range(3 * LIMIT)]
        ready = anna.get("/readyz")
    finally:
        client.execute_command("CONFIG", "SET", "maxmemory", "0")
        client.execute_command("REPLICAOF", "NO", "ONE")
        client.execute_command("CONFIG", "SET", "min-replicas-to-write", "0")
    assert statuses == [200, 200, 200]
    assert (tried[0], tried[-1], set(tried)) == (401, 429, {401, 429})
    assert (ready.status_code, ready.json["parts"]["redis"]) == (200, "refuses to write")
