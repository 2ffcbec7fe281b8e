"""Where accounts are hidden, registering says the same of every address; a letter says the rest."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from marketplace.auth.registrations import service as registrations_service
from tests.auth.sign_in.test_who_exists import shape
from tests.conftest import make_app
from tests.factories.people import PASSWORD, Person, sign_up
from tests.servers.mail import MailServer

Work = Callable[[], None]


@pytest.fixture
def anna_is_known(shop: Flask, work: Work, mail: MailServer) -> Person:
    """Somebody with an account."""
    person = sign_up(shop, "anna")
    work()
    mail.mailbox.received.clear()
    return person


@pytest.fixture
def hidden(shop: Flask, anna_is_known: Person) -> Flask:
    """The shop, where accounts are hidden."""
    shop.config["REGISTRATION_HIDES_ACCOUNTS"] = True
    return shop


def register(app: Flask, username: str, email: str, **more: Any) -> TestResponse:
    """Ask for an account."""
    body = {"username": username, "email": email, "password": PASSWORD, **more}
    return app.test_client().post("/api/auth/register", json=body)


def log_in(app: Flask, name: str) -> int:
    """The status of a log-in with the right password."""
    return app.test_client().post("/api/auth/login", json={"username": name, "password": PASSWORD}).status_code


def letters(mail: MailServer, address: str) -> list[str]:
    """The texts of the letters to an address."""
    return [
        str(one.get_body(("plain",)).get_content()) for one in mail.mailbox.letters.values() if one["To"] == address
    ]


def open_link(app: Flask, text: str) -> int:
    """Open the link of a letter."""
    found = re.search(r"token=([\w.\-]+)", text)
    assert found, text
    return app.test_client().post("/api/auth/email/verify", json={"token": found[1]}).status_code


def everything_a_stranger_sees(app: Flask, name: str) -> list[Any]:
    """Of a name that was just asked for, and of the accounts there are."""
    client = app.test_client()
    people = [client.get(f"/api/auth/users/{number}").status_code for number in range(1, 60)]
    taken = client.get(f"/api/auth/check-username/{name}").json
    again = register(app, name, f"{name}@elsewhere.example").json["code"]
    return [people, taken, again, log_in(app, name), client.get("/api/helpers").json["total"]]


def test_registering_answers_the_same_for_a_known_address(hidden: Flask, work: Work, mail: MailServer) -> None:
    new, known = register(hidden, "bertha", "bertha@example.com"), register(hidden, "hannah", "ANNA@example.com")
    assert new.status_code == 202
    assert new.json["verification_required"] is True
    assert "token" not in new.json
    assert shape(new) == shape(known)
    work()
    assert everything_a_stranger_sees(hidden, "bertha") == everything_a_stranger_sees(hidden, "hannah")
    (told,) = letters(mail, "anna@example.com")
    assert "token=" not in told
    assert "You have one" in told


def test_a_new_account_opens_by_its_letter(hidden: Flask, work: Work, mail: MailServer) -> None:
    register(hidden, "bertha", "bertha@example.com", first_name="Bertha", phone="+371 20000001")
    work()
    assert log_in(hidden, "bertha") == 401
    (text,) = letters(mail, "bertha@example.com")
    assert open_link(hidden, text) == 200
    assert log_in(hidden, "bertha") == 200
    assert log_in(hidden, "anna") == 200


def test_a_letter_that_was_lost_is_sent_again(hidden: Flask, work: Work, mail: MailServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(registrations_service.email_tokens, "may_send", lambda *_: True)
    register(hidden, "bertha", "bertha@example.com")
    work()
    hidden.test_client().post("/api/auth/password/forgot", json={"email": "bertha@example.com"})
    work()
    first, second = letters(mail, "bertha@example.com")
    assert open_link(hidden, second) == 200
    assert open_link(hidden, first) == 200
    assert log_in(hidden, "bertha") == 200


def test_who_names_an_address_first_does_not_get_it(hidden: Flask, work: Work, mail: MailServer) -> None:
    register(hidden, "mallory", "bertha@example.com", first_name="Your bank", password="the stranger knows 17")
    register(hidden, "bertha", "Bertha@example.com", first_name="Bertha")
    work()
    first, second = letters(mail, "bertha@example.com")
    assert "mallory" in first
    assert "bertha" in second.partition("token=")[0].replace("bertha@", "")
    assert "Your bank" not in first
    assert open_link(hidden, second) == 200
    assert (log_in(hidden, "bertha"), log_in(hidden, "bertha@example.com")) == (200, 200)
    assert open_link(hidden, first) == 409
    for name in ("mallory", "bertha@example.com"):
        body = {"username": name, "password": "the stranger knows 17"}
        assert hidden.test_client().post("/api/auth/login", json=body).status_code == 401


def test_many_requests_do_not_flood_a_mailbox(hidden: Flask, work: Work, mail: MailServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(registrations_service.email_tokens, "LETTERS_A_DAY", 2)
    for number in range(3):
        register(hidden, f"bertha_{number}", "bertha@example.com")
    work()
    assert len(letters(mail, "bertha@example.com")) == 2


def test_a_taken_name_is_said_as_names_are_public(hidden: Flask) -> None:
    for email in ("anna@example.com", "bertha@example.com"):
        assert register(hidden, "anna", email).json["code"] == "username_taken"


def test_the_next_address_is_answered_alike(hidden: Flask) -> None:
    juris = Person(hidden, token=sign_up(make_app(hidden.config["DATABASE_URL"]), "juris").token)
    answers = [
        shape(juris.post("/api/auth/email/change", json={"email": email, "password": PASSWORD}))
        for email in ("anna@example.com", "nobody@example.com")
    ]
    assert answers[0][0] == 200
    assert answers[0] == answers[1]


def test_control_without_the_setting_a_known_address_is_told(shop: Flask, anna_is_known: Person) -> None:
    assert register(shop, "hannah", "anna@example.com").json["code"] == "email_taken"
    assert register(shop, "bertha", "bertha@example.com").status_code == 201
