"""One mailbox, one password, one account, however they are spelt."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import insert, select, text, update
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from marketplace.auth import service
from marketplace.auth.models import User
from marketplace.auth.sign_in_risk.models import Signal
from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.http.rate_limits import limiter
from marketplace.core.ops import audit_log
from marketplace.core.queues.work_queue import table_of
from tests.conftest import make_app
from tests.factories.databases import empty_database
from tests.factories.people import PASSWORD, Person, sign_up
from tests.servers.mail import MailServer

Work = Callable[[], None]
WRONG = "not this one 17"
SPELLINGS = [
    "ANNA@BÜCHER.example",
    "anna@xn--bcher-kva.example",
    "anna\uff20bu\u0308cher.example",
    " anna@bücher.example\u00a0",
]


@pytest.fixture
def limited(app: Flask) -> Iterator[Flask]:
    """The application, counting."""
    yield make_app(app.config["DATABASE_URL"], RATE_LIMITS="1", LIMIT_ACCOUNT="4 per 15 minutes", TRUSTED_PROXIES="1")
    limiter.enabled = False


def log_in(app: Flask, password: str = PASSWORD, *, address: str = "192.0.2.1", **name: str) -> TestResponse:
    """A try from this address."""
    there = {"REMOTE_ADDR": address}
    body = {**name, "password": password}
    return app.test_client().post("/api/auth/login", json=body, environ_overrides=there)


@pytest.fixture
def anna_of_the_books(app: Flask) -> Person:
    """Her domain has a letter beyond ASCII."""
    return sign_up(app, "anna", email="Anna@XN--BCHER-KVA.example")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_mailbox_is_one_account(app: Flask, anna_of_the_books: Person, spelling: str) -> None:
    assert anna_of_the_books.user["email"] == "anna@bücher.example"
    assert log_in(app, email=spelling).status_code == 200
    again = {"username": "other", "email": spelling, "password": PASSWORD}
    assert app.test_client().post("/api/auth/register", json=again).json["code"] == "email_taken"
    other = sign_up(app, "juris")
    taken = other.post("/api/auth/email/change", json={"email": spelling, "password": PASSWORD})
    assert taken.json["code"] == "email_taken"
    admin = sign_up(app, "admin", role="admin")
    found = admin.get("/api/admin/users", query_string={"q": spelling}).json["users"]
    assert [user["id"] for user in found] == [anna_of_the_books.id]
    shown = app.test_cli_runner().invoke(args=["users", "grant", spelling, "moderator"])
    assert shown.exit_code == 0, shown.output


def test_a_letter_leaves_through_a_server_of_plain_ascii(shop: Flask, work: Work, mail: MailServer) -> None:
    sign_up(shop, "anna", email="anna@bücher.example")
    work()
    assert [str(one["To"]) for one in mail.mailbox.received] == ["anna@xn--bcher-kva.example"]


@pytest.mark.parametrize("typed", ["Pāro\u0304le 17", "\uff30a\u0304ro\u0304le 17", "Pārōle 17"])
def test_a_password_is_one_however_the_keyboard_makes_it(app: Flask, typed: str) -> None:
    anna = sign_up(app, "anna", password="Pārōle 17")
    assert log_in(app, typed, username="anna").status_code == 200
    body = {"current_password": typed, "new_password": "Pa\u0304role 18"}
    assert anna.put("/api/auth/password", json=body).status_code == 200
    assert log_in(app, "Pārole 18", username="anna").status_code == 200


def test_a_hash_of_another_form_keeps_working_and_is_made_anew(app: Flask, anna: Person) -> None:
    typed = "Pa\u0304role 17"
    old = generate_password_hash(typed, method="pbkdf2:sha256:1")
    with app.app_context():
        in_transaction(lambda: execute(update(User).where(User.id == anna.id).values(password_hash=old)))
        db.session.remove()
    assert log_in(app, "Pārole 17", username="anna").status_code == 401
    assert log_in(app, typed, username="anna").status_code == 200
    assert log_in(app, "Pārole 17", username="anna").status_code == 200


@pytest.mark.parametrize("password", ["e\u0301" * 4, "\u200b" * 8, "\uff50assword1"])
def test_a_password_is_judged_in_its_normal_form(app: Flask, password: str) -> None:
    body = {"username": "anna", "email": "anna@example.com", "password": password}
    answer = app.test_client().post("/api/auth/register", json=body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["password"])


def test_tries_count_against_the_account_however_it_is_named(limited: Flask) -> None:
    anna = sign_up(limited, "anna", email="anna@bücher.example")
    names = [{"username": "ANNA"}, {"email": "anna"}, *({"email": spelling} for spelling in SPELLINGS)]
    guesses = [partial(log_in, limited, WRONG, address=f"192.0.2.{n}", **names[n % len(names)]) for n in range(12)]
    assert [guess().status_code for guess in guesses] == [401] * 4 + [429] * 8
    there = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.99"}}
    for method, path, body in (
        ("POST", "/api/auth/step-up", {"password": WRONG}),
        ("PUT", "/api/auth/password", {"current_password": WRONG, "new_password": "a longer one 17"}),
        ("DELETE", "/api/auth/account", {"password": WRONG}),
    ):
        assert anna.call(method, path, json=body, **there).status_code == 429, path
    assert anna.post("/api/auth/step-up", json={"password": PASSWORD}).status_code == 200  # where she has been


@pytest.mark.parametrize(
    "forwarded", ["203.0.113.78:{}", "::ffff:203.0.113.78", "[::ffff:cb00:714e]:{}", "64:ff9b::203.0.113.78"]
)
def test_a_client_is_one_address_in_limits_signals_and_the_audit_log(limited: Flask, forwarded: str) -> None:
    limited.config["LIMIT_SIGN_IN"] = "3 per minute"
    admin = sign_up(limited, "admin", role="admin")
    statuses = []
    for port in range(40000, 40005):
        header = {"X-Forwarded-For": "unknown, " + forwarded.format(port)}
        body = {"username": f"nobody{port}", "password": WRONG}
        statuses.append(limited.test_client().post("/api/auth/login", json=body, headers=header).status_code)
    assert statuses == [401, 401, 401, 429, 429]
    ban = f"/api/admin/users/{sign_up(limited, 'juris').id}/ban"
    admin.post(ban, json={"reason": "x"}, headers={"X-Forwarded-For": forwarded.format(1)})
    with limited.app_context():
        rows = fetch(select(Signal.address).where(Signal.kind == "failed_sign_in"))
        banned = fetch(select(audit_log.AuditRow.address).where(audit_log.AuditRow.action == "account.suspended"))
        db.session.remove()
    assert {row.address for row in (*rows, *banned)} == {"203.0.113.78"}
    shown = admin.get("/api/admin/audit-log", query_string={"address": forwarded.format(1)}).json["audit_log"]
    assert [row["action"] for row in shown] == ["account.suspended"]


@pytest.mark.parametrize("forwarded", ["unknown", "_hidden", "", "x" * 300, "203.0.113.78;DROP"])
def test_a_proxy_that_names_nobody_leaves_the_connection(limited: Flask, forwarded: str) -> None:
    body = {"username": "nobody", "password": WRONG}
    headers, there = {"X-Forwarded-For": forwarded}, {"REMOTE_ADDR": "::ffff:192.0.2.5"}
    limited.test_client().post("/api/auth/login", json=body, headers=headers, environ_overrides=there)
    with limited.app_context():
        found = {row.address for row in fetch(select(Signal.address))}
        db.session.remove()
    assert found == {"192.0.2.5"}


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_of_a_token_has_no_case(app: Flask, anna: Person, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {anna.token} "}
    assert app.test_client().get("/api/auth/profile", headers=headers).status_code == 200


def test_a_pasted_number_is_a_number(anna: Person) -> None:
    for pasted in (
        "\u202a+371 20000001\u202c",
        "+371\u00a020000001",
        "+371\u201120000001",
        "\u2068\uff0b٣٧١20000001\u2069",
    ):
        answer = anna.put("/api/auth/profile", json={"phone": pasted})
        assert answer.status_code == 200, pasted
        assert answer.json["user"]["phone"].isascii()
    assert anna.post("/api/auth/phone/send-code", json={"phone": "\u202a+371\u201120000001\u202c"}).status_code == 200


def test_control_without_the_account_a_spelling_has_tries_of_its_own(
    limited: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up(limited, "anna")
    monkeypatch.setattr(service, "id_of", lambda name: None)
    names = [{"username": "anna"}, {"email": "anna@example.com"}]
    statuses = [log_in(limited, WRONG, address="192.0.2.2", **names[n % 2]).status_code for n in range(8)]
    assert statuses == [401] * 8


def old_row(number: int, email: str) -> dict[str, Any]:
    """A person as an earlier version kept one."""
    name = f"person{number}"
    return {"id": number + 1, "username": name, "username_key": name, "email": email, "password_hash": "!"}


def test_the_migration_respells_what_is_there_and_names_two_of_one_mailbox(
    database: str, urls: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app(empty_database(database, urls, tmp_path, "spelling"))
    old = [
        "anna@xn--bcher-kva.example",
        "anna@bu\u0308cher.example",
        "Juris@example.com",
        "a@example.com",
        "KÖB@x.example",
    ]
    people = [old_row(number, email) for number, email in enumerate(old)]
    with app.app_context():
        flask_migrate.upgrade()
        in_transaction(lambda: execute(insert(table_of(User)), people))
        flask_migrate.downgrade(revision="0024")
        flask_migrate.downgrade()
        capsys.readouterr()
        flask_migrate.upgrade()
        told = capsys.readouterr().out
        rows = [row.email for row in fetch(text("SELECT email FROM users ORDER BY id"))]
        db.session.remove()
        db.engine.dispose()
    assert rows == ["anna@bücher.example", old[1], "juris@example.com", "a@example.com", "köb@x.example"]
    assert "User 2 has the same mailbox as user 1" in told


def test_a_log_in_says_everything_that_is_missing(app: Flask) -> None:
    for body, missing in (
        ({}, {"email", "password"}),
        ({"password": "x"}, {"email"}),
        ({"username": "a"}, {"password"}),
    ):
        answer = app.test_client().post("/api/auth/login", json=body)
        assert (answer.status_code, set(answer.json["errors"])) == (422, missing), answer.json


def test_a_title_is_one_line_and_a_description_has_lines(anna: Person) -> None:
    text = "Bike\r\nX: y\u202e..."
    body = {"title": text, "description": "One\nTwo", "price": 5, "category": "bicycles"}
    made = anna.post("/api/listings", json=body)
    assert made.status_code == 201, made.json
    shown = anna.get(f"/api/listings/{made.json['id']}").json
    shown = shown.get("listing", shown)
    assert (shown["title"], shown["description"]) == ("Bike X: y...", "One\nTwo")
