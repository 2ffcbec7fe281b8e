"""What a letter proves: an address, the right to a new password, a change of address; each link once."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask

from marketplace.auth import service
from marketplace.auth.account_admin import service as account_admin_service
from marketplace.auth.models import MailToken
from marketplace.core.database.db import db, fetch, in_transaction
from marketplace.core.queues.outbox import OutboxRow
from marketplace.notifications.models import Delivery
from tests.factories.people import PASSWORD, Person, sign_up
from tests.races.burst import burst
from tests.servers.mail import MailServer

Work = Callable[[], None]
NEXT = "another long one 23"


@pytest.fixture
def anna(shop: Flask) -> Person:
    """Somebody new, whose first letter has not been sent."""
    return sign_up(shop, "anna")


def link_in(mail: MailServer, address: str, subject: str) -> str:
    """The token of the latest letter to an address."""
    letters = [one for one in mail.mailbox.received if one["To"] == address and subject in str(one["Subject"])]
    text = letters[-1].get_body(("plain",)).get_content()
    found = re.search(r"http://localhost:5173/[a-z-]+\?token=(\S+)", text)
    assert found, text
    return found[1]


def log_in(shop: Flask, email: str, password: str) -> int:
    """The status of a log-in."""
    body = {"email": email, "password": password}
    return shop.test_client().post("/api/auth/login", json=body).status_code


def post(shop: Flask, path: str, **body: Any) -> Any:
    """As nobody."""
    return Person(shop).post(f"/api/auth/{path}", json=body)


def test_an_address_is_confirmed_once(shop: Flask, work: Work, mail: MailServer, anna: Person) -> None:
    assert anna.get("/api/auth/profile").json["email_verified"] is False
    work()
    token = link_in(mail, "anna@example.com", "confirm")
    assert post(shop, "email/verify", token=token).status_code == 200
    assert anna.get("/api/auth/profile").json["email_verified"] is True
    again = post(shop, "email/verify", token=token)
    assert (again.status_code, "too old" in again.json["error"]) == (422, True)


@pytest.mark.parametrize("token", ["", "x", "1", "1.x", "ā.ā", "9" * 150, "1." + "A" * 27])
def test_a_link_that_is_not_ours_is_refused(shop: Flask, anna: Person, token: str) -> None:
    assert post(shop, "email/verify", token=token).status_code == 422
    assert post(shop, "password/reset", token=token, password=NEXT).status_code == 422


def test_a_link_is_for_its_purpose_and_its_time(shop: Flask, work: Work, mail: MailServer, anna: Person) -> None:
    work()
    confirm = link_in(mail, "anna@example.com", "confirm")
    assert post(shop, "password/reset", token=confirm, password=NEXT).status_code == 422
    post(shop, "password/forgot", email="anna@example.com")
    work()
    reset = link_in(mail, "anna@example.com", "new password")
    assert post(shop, "email/verify", token=reset).status_code == 422
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        assert post(shop, "password/reset", token=reset, password=NEXT).status_code == 422
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        assert post(shop, "email/verify", token=confirm).status_code == 422


@pytest.mark.parametrize(
    ("ask", "reset"), [("password/forgot", "password/reset"), ("forgot-password", "reset-password")]
)
def test_a_forgotten_password_is_replaced_and_everybody_signed_out(
    shop: Flask, work: Work, mail: MailServer, anna: Person, ask: str, reset: str
) -> None:
    assert post(shop, ask, email="Anna@Example.com").status_code == 200
    work()
    token = link_in(mail, "anna@example.com", "new password")
    assert post(shop, reset, token=token, password="12345678").status_code == 422
    assert post(shop, reset, token=token, password=NEXT).status_code == 200
    assert post(shop, reset, token=token, password=NEXT).status_code == 422
    assert anna.get("/api/auth/profile").status_code == 401
    assert [log_in(shop, "anna@example.com", one) for one in (PASSWORD, NEXT)] == [401, 200]
    work()
    assert any("password was changed" in str(one["Subject"]) for one in mail.mailbox.received)


def test_nobody_learns_who_has_an_account(shop: Flask, work: Work, mail: MailServer, anna: Person) -> None:
    work()
    mail.mailbox.received.clear()
    answers = [post(shop, "password/forgot", email=one) for one in ("anna@example.com", "nobody@example.com")]
    assert len({(one.status_code, one.text, tuple(sorted(one.headers.keys()))) for one in answers}) == 1
    work()
    assert [str(one["To"]) for one in mail.mailbox.received] == ["anna@example.com"]


def test_a_request_to_reset_does_the_same_for_everybody(shop: Flask, anna: Person) -> None:
    def facts() -> list[str]:
        with shop.app_context():
            names = [row.name for row in fetch(OutboxRow.__table__.select().order_by(OutboxRow.id))]
            db.session.remove()
        return names

    written = []
    for email in ("anna@example.com", "nobody@example.com"):
        before = len(facts())
        post(shop, "password/forgot", email=email)
        written.append(facts()[before:])
    assert written == [["PasswordResetAsked"]] * 2


def test_a_mailbox_is_not_flooded_and_every_link_in_it_counts_until_one_is_used(
    shop: Flask, work: Work, mail: MailServer, anna: Person
) -> None:
    for _ in range(5):
        post(shop, "password/forgot", email="anna@example.com")
    work()
    assert sum("new password" in str(one["Subject"]) for one in mail.mailbox.received) == 1
    first = link_in(mail, "anna@example.com", "new password")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        post(shop, "password/forgot", email="anna@example.com")
        work()
        second = link_in(mail, "anna@example.com", "new password")
        assert first != second
        assert post(shop, "password/reset", token=first, password=NEXT).status_code == 200
        assert post(shop, "password/reset", token=second, password=NEXT).status_code == 422


def test_of_many_with_the_same_link_one_has_it(shop: Flask, work: Work, mail: MailServer, anna: Person) -> None:
    post(shop, "password/forgot", email="anna@example.com")
    work()
    token = link_in(mail, "anna@example.com", "new password")
    tries = [partial(post, shop, "password/reset", token=token, password=f"{NEXT}{number}") for number in range(10)]
    assert sorted(one.status_code for one in burst(tries)) == [200] + [422] * 9


def test_an_address_changes_when_both_have_agreed(shop: Flask, work: Work, mail: MailServer, anna: Person) -> None:
    sign_up(shop, "juris")
    wish = {"email": "New@Example.com", "password": PASSWORD}
    assert anna.post("/api/auth/email/change", json={**wish, "password": "wrong"}).status_code == 403
    assert anna.post("/api/auth/email/change", json={**wish, "email": "juris@example.com"}).status_code == 409
    assert anna.post("/api/auth/email/change", json=wish).status_code == 200
    work()
    new = link_in(mail, "new@example.com", "new e-mail address")
    old = link_in(mail, "anna@example.com", "about to change")
    assert "other address" in post(shop, "email/verify", token=new).json["message"]
    assert anna.get("/api/auth/profile").json["email"] == "anna@example.com"
    assert "is changed" in post(shop, "email/verify", token=old).json["message"]
    profile = anna.get("/api/auth/profile").json
    assert (profile["email"], profile["email_verified"]) == ("new@example.com", True)
    assert [log_in(shop, one, PASSWORD) for one in ("anna@example.com", "new@example.com")] == [401, 200]


def test_an_address_taken_meanwhile_is_told(shop: Flask, work: Work, mail: MailServer, anna: Person) -> None:
    anna.post("/api/auth/email/change", json={"email": "wanted@example.com", "password": PASSWORD})
    work()
    new = link_in(mail, "wanted@example.com", "new e-mail address")
    old = link_in(mail, "anna@example.com", "about to change")
    sign_up(shop, "quicker", email="wanted@example.com")
    assert post(shop, "email/verify", token=old).status_code == 200
    assert post(shop, "email/verify", token=new).status_code == 409
    assert anna.get("/api/auth/profile").json["email"] == "anna@example.com"


def test_the_letter_is_sent_again_on_request(shop: Flask, work: Work, mail: MailServer, anna: Person) -> None:
    work()
    first = link_in(mail, "anna@example.com", "confirm")
    assert anna.post("/api/auth/email/resend").status_code == 200
    work()
    assert len(mail.mailbox.letters) == 1
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        anna.post("/api/auth/email/resend")
        work()
        assert len(mail.mailbox.letters) == 2
        assert post(shop, "email/verify", token=first).status_code == 422
        assert post(shop, "email/verify", token=link_in(mail, "anna@example.com", "confirm")).status_code == 200


def test_nothing_stored_opens_anything(shop: Flask, work: Work, mail: MailServer, anna: Person) -> None:
    post(shop, "password/forgot", email="anna@example.com")
    work()
    signature = link_in(mail, "anna@example.com", "new password").partition(".")[2]
    with shop.app_context():
        tables = [model.__table__ for model in (MailToken, OutboxRow, Delivery)]
        stored = [str(tuple(row)) for table in tables for row in fetch(table.select())]
        db.session.remove()
    assert signature
    assert not any(signature in row for row in stored)


def test_essential_letters_know_no_quiet_hours_and_no_way_out(
    shop: Flask, work: Work, mail: MailServer, anna: Person
) -> None:
    work()
    now = datetime.now(UTC)
    quiet = {"from": f"{now - timedelta(hours=1):%H:%M}", "to": f"{now + timedelta(hours=2):%H:%M}"}
    anna.put("/api/notifications/preferences", json={"quiet_hours": quiet, "digest": "daily"})
    mail.mailbox.received.clear()
    post(shop, "password/forgot", email="anna@example.com")
    work()
    assert [one["List-Unsubscribe"] for one in mail.mailbox.received] == [None]


def test_somebody_gone_gets_no_new_password(shop: Flask, work: Work, mail: MailServer, anna: Person) -> None:
    post(shop, "password/forgot", email="anna@example.com")
    work()
    token = link_in(mail, "anna@example.com", "new password")
    with shop.app_context():
        in_transaction(lambda: account_admin_service.suspend(service.active(anna.id), "Spam"))
        db.session.remove()
    assert post(shop, "password/reset", token=token, password=NEXT).status_code == 422
