"""The log tells who did what from where, and no secret."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from marketplace.core.ops import security_log
from tests.conftest import make_app
from tests.factories.people import PASSWORD, Person, sign_up

PROXIED = {"X-Forwarded-For": "[::ffff:203.0.113.9]:40000"}
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def loud(app: Flask) -> Flask:
    """The application, telling everything as JSON."""
    return make_app(app.config["DATABASE_URL"], LOG_LEVEL="DEBUG", LOG_JSON="1", TRUSTED_PROXIES="1")


@pytest.fixture
def lines(loud: Flask, app: Flask, capsys: pytest.CaptureFixture[str]) -> Lines:
    """What was told since it was asked last."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]

    return read


@pytest.fixture(autouse=True)
def quiet_afterwards(app: Flask) -> Any:
    """The log is one for the whole process."""
    yield
    make_app(app.config["DATABASE_URL"])


def test_every_request_tells_address_path_status_and_time(loud: Flask, lines: Lines) -> None:
    loud.test_client().get("/api/listings/%0A{x}?token=secret-canary", headers=PROXIED)
    (line,) = [line for line in lines() if line["event"] == "request"]
    assert (line["address"], line["path"], line["status"]) == ("203.0.113.9", "/api/listings/%0A%7Bx%7D", 404)
    assert line["ms"] >= 0


def test_a_request_that_is_no_route_of_ours_tells_them_too(loud: Flask, lines: Lines) -> None:
    loud.test_client().get("/socket.io/?EIO=4&transport=polling&token=secret-canary", headers=PROXIED)
    (line,) = [line for line in lines() if line["event"] == "request"]
    assert (line["address"], line["path"]) == ("203.0.113.9", "/socket.io/")
    assert isinstance(line["status"], int)
    assert "secret-canary" not in json.dumps(line)


def test_security_events_are_events(loud: Flask, lines: Lines) -> None:
    admin, anna = sign_up(loud, "admin", role="admin"), sign_up(loud, "anna")
    client, wrong = loud.test_client(), "wrong-canary-17"
    lines()
    client.post("/api/auth/login", json={"email": "anna@example.com", "password": wrong}, headers=PROXIED)
    anna.post("/api/auth/step-up", json={"password": wrong})
    client.get("/api/auth/profile", headers={"X-API-Key": "mk_1_key-canary"})
    client.get("/api/auth/profile", headers={"Authorization": "Bearer forged-canary"})
    admin.put(f"/api/admin/users/{anna.id}/role", json={"role": "moderator"})
    client.post("/api/auth/2fa/verify", json={"challenge_token": "1.challenge-canary", "code": "123456"})
    told = lines()
    names = [line.get("action", line["event"]) for line in told]
    assert {"failed_sign_in", "wrong_password", "api_key_refused", "token_refused", "role.granted"} <= set(names)
    assert "canary" not in json.dumps(told)
    failed = next(line for line in told if line["event"] == "failed_sign_in")
    assert (failed["address"], failed["user_id"], failed["level"]) == ("203.0.113.9", anna.id, "warning")
    assert failed["request_id"]


def test_a_refresh_token_that_is_used_again_is_an_event(loud: Flask, lines: Lines) -> None:
    anna = sign_up(loud, "anna")
    thief = Person(loud, token=anna.refresh_token)
    generation = thief.post("/api/auth/refresh").json["refresh_token"]
    assert Person(loud, token=generation).post("/api/auth/refresh").status_code == 200
    assert thief.post("/api/auth/refresh").status_code == 401
    assert [line["user_id"] for line in lines() if line["event"] == "refresh_reused"] == [anna.id]


def test_nothing_secret_is_told(loud: Flask, lines: Lines) -> None:
    anna = sign_up(loud, "anna", email="mailbox-canary@example.com", phone="+371 20000001")
    key = anna.post("/api/auth/api-keys", json={"name": "name-canary", "scopes": ["listings:read"]}).json["key"]
    setup = anna.post("/api/auth/2fa/setup").json
    client = loud.test_client()
    for body in (
        {"email": "typed-canary-17", "password": "password-canary-17"},
        {"username": "anna", "password": PASSWORD},
    ):
        client.post("/api/auth/login?token=query-canary", json=body)
    client.get("/api/listings", headers={"X-API-Key": key})
    client.get("/api/auth/profile", headers={"Authorization": "bearer header-canary"})
    client.post("/api/auth/password/reset", json={"token": "1.link-canary", "password": "next-canary-17"})
    anna.post("/api/auth/phone/verify", json={"phone": "+371 20000001", "code": "918273"})
    told = json.dumps(lines())
    secrets = [
        anna.token,
        anna.refresh_token,
        key,
        key.rpartition("_")[2],
        setup["secret"],
        PASSWORD,
        "918273",
        "20000001",
    ]
    assert [secret for secret in [*secrets, "canary"] if secret in told] == []


def test_control_a_careless_event_is_noticed(loud: Flask, lines: Lines) -> None:
    with loud.app_context():
        security_log.record("careless", password=PASSWORD)
    assert PASSWORD in json.dumps(lines())
