"""Keys for programs: readable once, open only what their scopes name, and end at once."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask
from redis import Redis
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace.auth.keys import service, usage
from marketplace.auth.keys.models import ApiKey, ApiKeyUse
from marketplace.core.database.db import db, fetch
from marketplace.core.http.rate_limits import limiter
from tests.conftest import make_app
from tests.declared import SCOPES
from tests.factories import things
from tests.factories.people import PASSWORD, Person, sign_up
from tests.races.burst import burst

PATH, LIMIT = "/api/auth/api-keys", 5
LISTING = {"title": "City bicycle", "description": "Seven gears.", "price": 120, "category": "bicycles", **things.RIGA}
Clock = time_machine.Traveller


@dataclass
class Program(Person):
    """A client with somebody's key."""

    key: str = ""
    key_id: int = 0

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """A request with the key."""
        return super().call(method, path, headers={"X-API-Key": self.key, **kwargs.pop("headers", {})}, **kwargs)


@pytest.fixture
def clock(app: Flask) -> Iterator[Clock]:
    """Time that can be moved on."""
    with time_machine.travel(datetime.now(UTC)) as traveller:
        yield traveller


def program(owner: Person, *scopes: str, **fields: Any) -> Program:
    """A program with a key of these scopes."""
    answer = owner.post(PATH, json={"name": "robot", "scopes": list(scopes), **fields})
    assert answer.status_code == 201, answer.json
    return Program(owner.app, owner.user, key=answer.json["key"], key_id=answer.json["id"])


def with_text(app: Flask, key: str) -> Program:
    """A program with this text for a key."""
    return Program(app, key=key)


def profile(caller: Person, **kwargs: Any) -> TestResponse:
    """A request that `profile:read` opens."""
    return caller.get("/api/auth/profile", **kwargs)


def outcome(answer: TestResponse) -> tuple[int, str | None]:
    """The status, and the code of a problem."""
    return answer.status_code, answer.json.get("code")


def later(**delay: float) -> str:
    """A moment to come, as a client writes it."""
    return (datetime.now(UTC) + timedelta(**delay)).isoformat()


def test_a_key_opens_what_its_scopes_name(anna: Person) -> None:
    made = anna.post(PATH, json={"name": "stock robot", "scopes": ["profile:read", "listings:write"]})
    assert made.status_code == 201
    assert made.json["api_key"]["scopes"] == ["listings:write", "profile:read"]
    robot = Program(anna.app, key=made.json["key"])
    assert profile(robot).json["username"] == "anna"
    assert robot.post("/api/listings", json=LISTING).json["listing"]["user_id"] == anna.id


def test_a_key_is_shown_once(app: Flask, anna: Person) -> None:
    answer = anna.post(PATH, json={"name": "robot", "scopes": ["profile:read"]}, headers={"Idempotency-Key": "k-1"})
    key = answer.json["key"]
    again = anna.post(PATH, json={"name": "robot", "scopes": ["profile:read"]}, headers={"Idempotency-Key": "k-1"})
    assert outcome(again) == (409, "shown_once")
    listed = anna.get(PATH).json
    assert listed["total"] == 1
    secret = key.split("_", 2)[2]
    assert key not in str(listed)
    assert profile(with_text(app, key)).status_code == 200
    with app.app_context():
        usage.flush()
        stored = str([tuple(row) for table in db.metadata.sorted_tables for row in fetch(table.select())])
        db.session.remove()
    assert key not in stored
    assert secret not in stored
    assert "robot" in stored


def test_keys_are_long_and_never_the_same(anna: Person) -> None:
    keys = [program(anna, "profile:read").key for _ in range(5)]
    secrets = {key.split("_", 2)[2] for key in keys}
    assert len(secrets) == 5
    assert min(map(len, secrets)) >= 43


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["listings"]},
        {"scopes": ["listings:*"]},
        {"scopes": "listings:read"},
        {"scopes": ["profile:read"] * 50},
        {"name": ""},
        {"name": "x" * 101},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "tomorrow"},
        {"requests_a_day": 10**9},
        {"user_id": 1},
    ],
    ids=str,
)
def test_what_no_key_can_be_is_refused_or_ignored(anna: Person, wrong: dict[str, Any]) -> None:
    answer = anna.post(PATH, json={"name": "robot", "scopes": ["profile:read"], **wrong})
    if set(wrong) & {"requests_a_day", "user_id"}:
        assert answer.status_code == 422 or answer.json["api_key"]["requests_a_day"] == 50_000
        return
    assert answer.status_code == 422
    assert anna.get(PATH).json["total"] == 0


def test_twenty_keys_are_enough(anna: Person) -> None:
    keys = [program(anna, "profile:read") for _ in range(20)]
    refused = anna.post(PATH, json={"name": "robot", "scopes": ["profile:read"]})
    assert outcome(refused) == (409, "too_many_keys")
    anna.delete(f"{PATH}/{keys[0].key_id}")
    assert profile(program(anna, "profile:read")).status_code == 200


def test_a_list_says_what_keys_were_used_for(app: Flask, clock: Clock, anna: Person) -> None:
    idle, busy = program(anna, "profile:read"), program(anna, "profile:read")
    for _ in range(3):
        profile(busy)
    write_down(app)
    clock.shift(timedelta(days=1))
    profile(busy)
    write_down(app)
    anna.token = sign_in(app)
    shown = {key["id"]: key for key in anna.get(PATH).json["api_keys"]}
    assert (shown[idle.key_id]["usage"], shown[idle.key_id]["last_used_at"]) == ([], None)
    assert [day["requests"] for day in shown[busy.key_id]["usage"]] == [1, 3]
    assert [day["refused"] for day in shown[busy.key_id]["usage"]] == [0, 0]
    assert shown[busy.key_id]["usage"][0]["day"] == datetime.now(UTC).date().isoformat()
    assert shown[busy.key_id]["last_used_at"].startswith(datetime.now(UTC).date().isoformat())


def test_figures_are_shown_at_once(anna: Person) -> None:
    robot = program(anna, "profile:read")
    before = anna.get(PATH).json["api_keys"][0]
    assert (before["requests_today"], before["usage"], before["last_used_at"]) == (0, [], None)
    for _ in range(3):
        profile(robot)
    after = anna.get(PATH).json["api_keys"][0]
    assert (after["requests_today"], after["usage"][0]["requests"]) == (3, 3)
    assert after["last_used_at"].startswith(datetime.now(UTC).date().isoformat())


def test_figures_of_another_process_are_shown_at_once(
    app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "REDIS_URL", os.environ["TEST_REDIS_URL"])
    robot = program(anna, "profile:read")
    profile(robot)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(usage, "_uses", Counter())  # those of another process are not in our memory
        elsewhere.setattr(usage, "_last", {})
        profile(robot)
        assert anna.get(PATH).json["api_keys"][0]["requests_today"] == 2
    write_down(app)
    profile(robot)
    assert anna.get(PATH).json["api_keys"][0]["requests_today"] == 3


def test_figures_do_not_need_a_redis_that_is_lost(app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "REDIS_URL", "redis://127.0.0.1:9/0")
    profile(program(anna, "profile:read"))
    assert anna.get(PATH).json["api_keys"][0]["requests_today"] == 1


@pytest.mark.parametrize("quota", [1, 7, 50_000])
def test_a_key_has_the_quota_it_is_made_with(anna: Person, quota: int) -> None:
    body = {"name": "robot", "scopes": ["profile:read"], "requests_a_day": quota}
    assert anna.post(PATH, json=body).json["api_key"]["requests_a_day"] == quota
    assert anna.get(PATH).json["api_keys"][0]["requests_a_day"] == quota


@pytest.mark.parametrize("quota", [0, -1, 50_001, 10**12, 1.5, "many", True])
def test_no_key_has_more_than_the_setting_allows(anna: Person, quota: object) -> None:
    refused = anna.post(PATH, json={"name": "robot", "scopes": ["profile:read"], "requests_a_day": quota})
    assert outcome(refused) == (422, "invalid")
    assert "requests_a_day" in refused.json["errors"]
    if quota == 50_001:
        assert refused.json["errors"]["requests_a_day"] == ["A key has at most 50,000 requests a day."]


def write_down(app: Flask) -> None:
    """What was added up in memory."""
    with app.app_context():
        usage.flush()
        db.session.remove()


def sign_in(app: Flask, name: str = "anna") -> str:
    """A token that counts now."""
    answer = app.test_client().post("/api/auth/login", json={"username": name, "password": PASSWORD})
    return str(answer.json["token"])


def test_use_is_added_up_exactly_by_many_at_once(app: Flask, anna: Person) -> None:
    robot = program(anna, "profile:read")

    def used_and_written() -> TestResponse:
        answer = profile(robot)
        write_down(app)
        return answer

    assert {answer.status_code for answer in burst([used_and_written] * 20)} == {200}
    write_down(app)
    with app.app_context():
        rows = fetch(select(ApiKeyUse.requests).where(ApiKeyUse.key_id == robot.key_id))
        db.session.remove()
    assert [row.requests for row in rows] == [20]


def test_what_could_not_be_written_is_written_next_time(
    app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = program(anna, "profile:read")
    profile(robot)
    with monkeypatch.context() as broken:
        broken.setattr(usage, "_write_all", lambda _taken: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write_down(app)
    profile(robot)
    write_down(app)
    assert anna.get(PATH).json["api_keys"][0]["usage"][0]["requests"] == 2


def test_a_key_that_was_ended_opens_nothing_at_once(app: Flask, anna: Person, juris: Person) -> None:
    robot, kept = program(anna, "profile:read"), program(anna, "profile:read")
    assert profile(robot).status_code == 200
    assert juris.delete(f"{PATH}/{robot.key_id}").status_code == 404
    assert profile(robot).status_code == 200
    assert anna.delete(f"{PATH}/{robot.key_id}").status_code == 200
    assert profile(robot).status_code == 401
    assert profile(kept).status_code == 200
    assert anna.delete(f"{PATH}/{robot.key_id}").status_code == 404
    assert [key["id"] for key in anna.get(PATH).json["api_keys"]] == [kept.key_id]


def test_a_key_ends_when_it_was_said_to(clock: Clock, anna: Person) -> None:
    robot, forever = program(anna, "profile:read", expires_at=later(hours=1)), program(anna, "profile:read")
    clock.shift(timedelta(minutes=59))
    assert profile(robot).status_code == 200
    clock.shift(timedelta(minutes=2))
    assert profile(robot).status_code == 401
    clock.shift(timedelta(days=400))
    assert profile(forever).status_code == 200


def test_a_scope_that_was_not_given_is_missed(anna: Person) -> None:
    robot = program(anna, *(scope for scope in SCOPES if scope != "profile:read"))
    assert outcome(profile(robot)) == (403, "scope")
    assert robot.get("/api/listings").status_code == 200


def test_a_key_that_reads_does_not_write(anna: Person) -> None:
    item = things.listing(anna)
    robot = program(anna, *(scope for scope in SCOPES if scope.endswith(":read")))
    assert robot.get(f"/api/listings/{item['id']}").status_code == 200
    for answer in (
        robot.post("/api/listings", json=LISTING),
        robot.put(f"/api/listings/{item['id']}", json=LISTING),
        robot.delete(f"/api/listings/{item['id']}"),
        robot.put("/api/auth/profile", json={"city": "Rīga"}),
    ):
        assert outcome(answer) == (403, "scope")
    assert anna.get("/api/listings/my").json["listings"][0]["id"] == item["id"]


def test_a_key_that_writes_does_not_read(anna: Person) -> None:
    robot = program(anna, "profile:write")
    assert outcome(profile(robot)) == (403, "scope")
    assert robot.put("/api/auth/profile", json={"city": "Rīga"}).status_code == 200


ACCOUNT = [
    ("PUT", "/api/auth/password", {"current_password": PASSWORD, "new_password": "a longer one 17"}),
    ("POST", "/api/auth/email/change", {"email": "other@example.com", "password": PASSWORD}),
    ("POST", "/api/auth/email/resend", {}),
    ("GET", "/api/auth/sessions", None),
    ("DELETE", "/api/auth/sessions", None),
    ("DELETE", "/api/auth/sessions/{session}", None),
    ("POST", "/api/auth/logout", {}),
    ("POST", "/api/auth/refresh", {}),
    ("POST", "/api/auth/step-up", {"password": PASSWORD}),
    ("GET", PATH, None),
    ("POST", PATH, {"name": "another", "scopes": ["profile:read"]}),
    ("DELETE", PATH + "/{key}", None),
    ("GET", "/api/auth/2fa", None),
    ("POST", "/api/auth/2fa/setup", {}),
    ("POST", "/api/auth/2fa/enable", {"code": "123456"}),
    ("POST", "/api/auth/2fa/disable", {"code": "123456", "password": PASSWORD}),
    ("POST", "/api/auth/2fa/recovery-codes", {"code": "123456"}),
    ("POST", "/api/auth/phone/send-code", {"phone": "+37126000001"}),
    ("POST", "/api/auth/phone/verify", {"phone": "+37126000001", "code": "123456"}),
    ("POST", "/api/auth/export", {}),
    ("DELETE", "/api/auth/account", {"password": PASSWORD}),
]


@pytest.mark.parametrize(("method", "path", "body"), ACCOUNT, ids=lambda part: part if isinstance(part, str) else "")
def test_no_key_touches_the_account_itself(anna: Person, method: str, path: str, body: dict[str, Any] | None) -> None:
    robot = program(anna, *SCOPES)
    session = anna.get("/api/auth/sessions").json["sessions"][0]["id"]
    answer = robot.call(method, path.format(session=session, key=robot.key_id), json=body)
    assert outcome(answer) == (403, "scope")
    assert profile(anna).status_code == 200
    assert profile(robot).status_code == 200


def test_no_key_opens_what_needs_a_role_even_an_administrators(app: Flask, admin: Person) -> None:
    robot, asked = program(admin, *SCOPES), 0
    for rule in app.url_map.iter_rules():
        guard = getattr(app.view_functions[rule.endpoint], "guard", None)
        if guard is None or guard.access.permission is None:
            continue
        path = app.url_map.bind("").build(rule.endpoint, {**dict.fromkeys(rule.arguments, 1), "queue": "jobs"})
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert outcome(robot.call(method, path, json={})) == (403, "scope"), (method, path)
            asked += 1
    assert asked >= 15
    assert admin.get("/api/admin/signals").status_code == 200


def test_every_area_of_the_routes_has_its_scopes(app: Flask) -> None:
    guards = (getattr(view, "guard", None) for view in app.view_functions.values())
    assert {guard.scope for guard in guards if guard is not None and guard.scope} <= set(SCOPES)


def test_a_suspended_owners_key_opens_nothing(anna: Person, admin: Person) -> None:
    robot = program(anna, *SCOPES)
    assert admin.post(f"/api/admin/users/{anna.id}/ban", json={"reason": "Spam"}).status_code == 200
    assert profile(robot).status_code == 401
    assert robot.post("/api/listings", json=LISTING).status_code == 401
    assert admin.post(f"/api/admin/users/{anna.id}/unban").status_code == 200
    assert profile(robot).status_code == 200


def garbled(key: str) -> dict[str, str]:
    """Texts that are no key, or not quite."""
    number, secret = key.split("_", 2)[1:]
    return {
        "nothing": "",
        "a word": "key",
        "the prefix": "mk",
        "no secret": f"mk_{number}_",
        "no number": f"mk__{secret}",
        "another number": f"mk_{int(number) + 1}_{secret}",
        "a negative number": f"mk_-{number}_{secret}",
        "a number with a zero in front": f"mk_0{number}_{secret}",
        "a number in another script": f"mk_²_{secret}",
        "a number too great": f"mk_{10**18 - 1}_{secret}",
        "a number far too great": f"mk_{'9' * 5000}_{secret}",
        "the last letter missing": key[:-1],
        "a letter more": key + "x",
        "capitals": key.swapcase(),
        "spaces": f"mk_{number} _{secret}",
        "another prefix": f"sk_{number}_{secret}",
        "accents": key + "é",
        "long": key + "x" * 30_000,
        "brackets": "mk_{}[]'\"--;",
    }


def test_what_is_no_key_opens_nothing_not_even_public_pages(app: Flask, anna: Person) -> None:
    key = program(anna, *SCOPES).key
    for name, text in garbled(key).items():
        for path in ("/api/auth/profile", "/api/listings"):
            answer = with_text(app, text).get(path)
            assert outcome(answer) == (401, "not_signed_in"), (name, path)
        assert with_text(app, text).post("/api/listings", json=LISTING).status_code == 401, name
    assert profile(with_text(app, key)).status_code == 200


def test_another_keys_secret_opens_nothing(app: Flask, anna: Person, juris: Person) -> None:
    mine, others = program(anna, "profile:read"), program(juris, "profile:read")
    swapped = f"mk_{others.key_id}_{mine.key.split('_', 2)[2]}"
    assert profile(with_text(app, swapped)).status_code == 401


def test_a_key_is_no_token(app: Flask, anna: Person) -> None:
    robot = program(anna, *SCOPES)
    assert profile(Person(app, token=robot.key)).status_code == 401
    assert profile(with_text(app, anna.token)).status_code == 401
    assert app.test_client().get(f"/api/auth/profile?api_key={robot.key}").status_code == 401


def test_beside_a_token_the_token_counts(app: Flask, anna: Person, juris: Person) -> None:
    key = program(juris, *SCOPES).key
    both = Person(app, token=anna.token)
    assert profile(both, headers={"X-API-Key": key}).json["username"] == "anna"
    assert both.get("/api/auth/sessions", headers={"X-API-Key": key}).status_code == 200
    stale = Person(app, token=anna.token + "x")
    assert profile(stale, headers={"X-API-Key": key}).status_code == 401


def test_keys_are_made_by_people_only_and_after_a_fresh_proof(app: Flask, clock: Clock, anna: Person) -> None:
    assert Person(app).post(PATH, json={"name": "robot", "scopes": ["profile:read"]}).status_code == 401
    clock.shift(timedelta(minutes=16))
    late = anna.post(PATH, json={"name": "robot", "scopes": ["profile:read"]})
    assert outcome(late) == (403, "step_up_required")


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, worker_id: str) -> Iterator[str]:
    """Where limits are counted; one limiter serves every application of the process."""
    number = (int(worker_id[2:]) if worker_id.startswith("gw") else 0) + 1
    redis = os.environ["TEST_REDIS_URL"].rpartition("/")[0] + f"/{number}" if request.param == "redis" else ""
    if redis:
        Redis.from_url(redis).flushdb()
    yield redis
    limiter.enabled = False


def limited(app: Flask, store: str, **settings: str) -> Person:
    """Somebody at an application that counts what keys do."""
    url = app.config["DATABASE_URL"]
    return sign_up(make_app(url, RATE_LIMITS="1", REDIS_URL=store, **settings), "liga")


def test_a_key_has_so_many_requests_a_minute(app: Flask, store: str, clock: Clock) -> None:
    liga = limited(app, store, LIMIT_API_KEY=f"{LIMIT} per minute")
    robot, other = program(liga, "profile:read"), program(liga, "profile:read")
    assert [profile(robot).status_code for _ in range(LIMIT)] == [200] * LIMIT
    refused = profile(robot)
    assert outcome(refused) == (429, "too_many_requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert profile(other).status_code == 200
    write_down(liga.app)
    shown = {key["id"]: key["usage"][0] for key in liga.get(PATH).json["api_keys"]}
    assert (shown[robot.key_id]["requests"], shown[robot.key_id]["refused"]) == (LIMIT, 1)


def test_a_key_has_so_many_requests_a_day(app: Flask, store: str, clock: Clock) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    clock.move_to(tomorrow.replace(hour=20, minute=30, second=0))
    liga = limited(app, store, API_KEY_REQUESTS_A_DAY=str(LIMIT))
    robot = program(liga, "profile:read")
    assert liga.get(PATH).json["api_keys"][0]["requests_a_day"] == LIMIT
    assert [profile(robot).status_code for _ in range(LIMIT)] == [200] * LIMIT
    refused = profile(robot)
    assert outcome(refused) == (429, "too_many_requests")
    assert 3 * 3600 < int(refused.headers["Retry-After"]) <= 3.5 * 3600 + 1
    assert refused.json["detail"] == f"Too many requests: at most {LIMIT} per day. Try again in 4 hours."
    clock.shift(timedelta(hours=3))
    assert profile(robot).status_code == 429
    clock.shift(timedelta(minutes=31))
    assert [profile(robot).status_code for _ in range(LIMIT + 1)] == [200] * LIMIT + [429]


@pytest.mark.parametrize("figure", [{"LIMIT_API_KEY": "5 per minute"}, {"API_KEY_REQUESTS_A_DAY": "5"}], ids=str)
def test_a_burst_gets_the_limit_and_no_more(app: Flask, store: str, figure: dict[str, str]) -> None:
    robot = program(limited(app, store, **figure), "profile:read")
    calls = [partial(profile, robot)] * 25
    statuses = [answer.status_code for _ in range(2) for answer in burst(calls)]
    assert LIMIT <= statuses.count(200) <= LIMIT + 1
    assert statuses.count(200) + statuses.count(429) == 10 * LIMIT


def test_control_without_counting_a_burst_gets_more(app: Flask, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "spend", lambda *_: None)
    robot = program(limited(app, store, LIMIT_API_KEY=f"{LIMIT} per minute"), "profile:read")
    assert [answer.status_code for answer in burst([partial(profile, robot)] * 25)].count(200) > LIMIT + 1


def test_a_wrong_key_uses_up_nothing_of_the_right_one(app: Flask, store: str) -> None:
    liga = limited(app, store, LIMIT_API_KEY=f"{LIMIT} per minute")
    robot = program(liga, "profile:read")
    wrong = with_text(liga.app, robot.key[:-1] + ("x" if robot.key[-1] != "x" else "y"))
    assert {profile(wrong).status_code for _ in range(2 * LIMIT)} == {401}
    assert profile(robot).status_code == 200


def test_two_keys_of_a_person_are_ended_at_once_without_harm(app: Flask, anna: Person) -> None:
    robot = program(anna, "profile:read")
    statuses = [one.status_code for one in burst([partial(anna.delete, f"{PATH}/{robot.key_id}")] * 8)]
    assert set(statuses) <= {200, 404}
    assert 200 in statuses
    with app.app_context():
        ended = fetch(select(ApiKey.ended_at).where(ApiKey.id == robot.key_id))[0].ended_at
        db.session.remove()
    assert ended is not None
