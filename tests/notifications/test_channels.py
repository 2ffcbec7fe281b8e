"""Mail, push and SMS by real protocols; servers that refuse, hang or die in the middle."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from marketplace.auth.models import User
from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.queues.outbox import relay
from marketplace.notifications.deliveries.service import DELIVERY_QUEUE, deliver_due
from marketplace.notifications.gateways import smtp
from marketplace.notifications.gateways.channel import OutboundMessage, Refused
from tests.factories import things
from tests.factories.people import Person, sign_up
from tests.servers.mail import MailServer
from tests.servers.push import Browser
from tests.servers.twilio import Twilio

Work = Callable[[], None]


@pytest.fixture
def liga(shop: Flask, work: Work, mail: MailServer) -> Person:
    """Somebody who was welcomed already."""
    person = sign_up(shop, "liga", first_name="Līga")
    work()
    mail.mailbox.received.clear()
    return person


def an_application(shop: Flask, owner: Person) -> None:
    """Something to tell the owner."""
    count = len(owner.get("/api/tasks/created").json["tasks"])
    things.application(sign_up(shop, f"helper{count}", first_name="Jānis"), things.task(owner, title="Fix a <b>")["id"])


def later(work: Work, **delay: float) -> None:
    """Work, so much later."""
    with time_machine.travel(datetime.now(UTC) + timedelta(**delay)):
        work()


def states(shop: Flask) -> dict[str, int]:
    """How many deliveries are in each state."""
    with shop.app_context():
        found = {state: DELIVERY_QUEUE.count(state) for state in ("waiting", "failed", "dead")}
        db.session.remove()
    return found


def to(mail: MailServer, address: str = "liga@example.com") -> list[str]:
    """The subjects in one mailbox, a letter once."""
    return [str(one["Subject"]) for one in mail.mailbox.letters.values() if one["To"] == address]


def test_a_mail_is_whole(shop: Flask, work: Work, mail: MailServer, liga: Person) -> None:
    an_application(shop, liga)
    work()
    letter = next(one for one in mail.mailbox.received if one["To"] == "liga@example.com")
    assert letter["From"] == "Market <market@example.com>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["Auto-Submitted"] == "auto-generated"
    text = letter.get_body(("plain",)).get_content()
    html = letter.get_body(("html",)).get_content()
    assert "Jānis" in text
    assert "Fix a <b>" in str(letter["Subject"]) + text
    assert "<b>" not in html.partition("<body")[2].replace("<body", "")
    assert "http://localhost:5173/tasks/" in text
    assert "Your team at Marketplace" in text
    assert "Your team at Marketplace" in html


def test_the_way_out_of_a_mail_is_one_click(shop: Flask, work: Work, mail: MailServer, liga: Person) -> None:
    an_application(shop, liga)
    work()
    letter = next(one for one in mail.mailbox.received if one["To"] == "liga@example.com")
    way = str(letter["List-Unsubscribe"]).strip("<>").removeprefix("http://localhost:5000")
    nobody = Person(shop)

    page = nobody.get(way)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "script" not in page.headers["Content-Security-Policy"]
    assert liga.get("/api/notifications/preferences").json["kinds"]["new_application"]["email"] is True
    body = {"List-Unsubscribe": "One-Click"}
    assert nobody.call("POST", way, data=body).status_code == 200
    assert liga.get("/api/notifications/preferences").json["kinds"]["new_application"]["email"] is False
    assert nobody.call("POST", way + "x").status_code == 404
    assert nobody.get("/api/notifications/unsubscribe").status_code == 422

    an_application(shop, liga)
    work()
    assert len(to(mail)) == 1


@pytest.mark.parametrize("mood", ["try later", "die before", "die after", "hang"])
def test_a_mail_server_that_fails_is_tried_again(
    shop: Flask, work: Work, mail: MailServer, liga: Person, mood: str
) -> None:
    an_application(shop, liga)
    mail.mailbox.mood = mood
    with pytest.MonkeyPatch.context() as patch:
        if mood == "hang":
            patch.setitem(shop.config, "SMTP_TIMEOUT", 0.2)
            patch.setitem(shop.extensions, "channels", None)  # they are made once
        work()
    assert states(shop)["failed"] == 2  # the owner's and the newcomer's welcome
    mail.mailbox.mood = "well"
    work()
    assert states(shop)["failed"] == 2  # not at once
    later(work, minutes=5)
    assert states(shop) == {"waiting": 0, "failed": 0, "dead": 0}
    assert len(to(mail)) == 1


def test_an_address_that_is_refused_is_dead_until_an_operator_sends_it_again(
    shop: Flask, work: Work, mail: MailServer, liga: Person
) -> None:
    admin = sign_up(shop, "admin", role="admin")
    work()
    mail.mailbox.mood = "no such user"
    an_application(shop, liga)
    work()
    dead = admin.get("/api/admin/queues/deliveries?state=dead").json
    assert dead["counts"]["dead"] == len(dead["deliveries"]) == 2
    row = next(one for one in dead["deliveries"] if one["user_id"] == liga.id)
    assert (row["state"], row["channel"], "550" in row["error"]) == ("dead", "email", True)
    assert liga.get("/api/admin/queues/deliveries").status_code == 403

    mail.mailbox.mood = "well"
    again = f"/api/admin/queues/deliveries/{row['id']}/again"
    assert admin.post(again).json["row"]["state"] == "waiting"
    assert admin.post(again).status_code == 409
    work()
    assert len(to(mail)) == 1
    answer = shop.test_cli_runner().invoke(args=["notifications", "--again", "all"])
    assert "1 will be tried again" in answer.output
    work()
    assert states(shop)["dead"] == 0


def test_a_server_that_never_answers_leaves_a_dead_letter(
    shop: Flask, work: Work, mail: MailServer, liga: Person
) -> None:
    mail.mailbox.mood = "try later"
    an_application(shop, liga)
    work()
    with shop.app_context():
        in_transaction(lambda: execute(update(DELIVERY_QUEUE.table).values(attempts=9)))
        db.session.remove()
    later(work, hours=2)
    assert states(shop)["dead"] == 2
    shown = shop.test_cli_runner().invoke(args=["notifications", "--state", "dead"]).output
    assert "dead" in shown


def test_a_worker_that_dies_with_a_mail_in_hand_sends_it_once(
    shop: Flask, work: Work, mail: MailServer, liga: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_application(shop, liga)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with shop.app_context():
        relay()
        with monkeypatch.context() as patched:
            patched.setattr(DELIVERY_QUEUE.__class__, "done", die)
            with pytest.raises(KeyboardInterrupt):
                deliver_due()
        db.session.remove()
    work()
    assert states(shop)["waiting"] == 1
    later(work, minutes=5)
    assert len(to(mail)) == 1
    assert states(shop) == {"waiting": 0, "failed": 0, "dead": 0}


def test_a_push_reaches_the_browser_encrypted_and_signed(
    shop: Flask, work: Work, browser: Browser, liga: Person
) -> None:
    assert liga.get("/api/push/vapid-public-key").json["public_key"]
    assert liga.post("/api/push/subscribe", json=browser.subscription).status_code == 201
    assert liga.post("/api/push/subscribe", json={"subscription": browser.subscription}).status_code == 201
    assert liga.get("/api/push/subscriptions").json["total"] == 1
    an_application(shop, liga)
    work()
    shown = list(browser.shown.values())
    assert [one["title"] for one in shown] == ["New application: “Fix a <b>”"]
    assert shown[0]["url"].startswith("http://localhost:5173/tasks/")

    liga.post("/api/push/test")
    work()
    assert len(browser.shown) == 2
    liga.post("/api/push/unsubscribe", json={"endpoint": browser.endpoint})
    an_application(shop, liga)
    work()
    assert len(browser.shown) == 2


def test_a_push_whose_answer_was_lost_is_shown_once(shop: Flask, work: Work, browser: Browser, liga: Person) -> None:
    liga.post("/api/push/subscribe", json=browser.subscription)
    browser.cut_after = True
    an_application(shop, liga)
    work()
    browser.cut_after = False
    later(work, minutes=5)
    assert (browser.count, len(browser.shown)) == (2, 1)


def test_a_browser_that_is_gone_is_forgotten(shop: Flask, work: Work, browser: Browser, liga: Person) -> None:
    liga.post("/api/push/subscribe", json=browser.subscription)
    browser.status = 410
    an_application(shop, liga)
    work()
    assert liga.get("/api/push/subscriptions").json["total"] == 0
    assert states(shop) == {"waiting": 0, "failed": 0, "dead": 0}


@pytest.mark.parametrize("status", [500, 429])
def test_a_push_service_that_is_busy_is_asked_again(
    shop: Flask, work: Work, browser: Browser, liga: Person, status: int
) -> None:
    liga.post("/api/push/subscribe", json=browser.subscription)
    browser.status = status
    an_application(shop, liga)
    work()
    browser.status = 201
    later(work, minutes=5)
    assert len(browser.shown) == 1


@pytest.mark.one_database
@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/x",
        "http://example.com/x",
        "ftp://example.com/x",
        "https://no-such-name.invalid/x",
        "javascript:alert(1)",
        "not an address",
        "",
    ],
)
def test_a_push_address_in_our_own_network_is_refused(liga: Person, browser: Browser, endpoint: str) -> None:
    answer = liga.post("/api/push/subscribe", json={**browser.subscription, "endpoint": endpoint})
    assert answer.status_code == 422, answer.json
    assert "endpoint" in answer.json["errors"]
    assert browser.count == 0


@pytest.mark.parametrize("keys", [{}, {"p256dh": "x", "auth": "y"}, {"p256dh": "!", "auth": "!"}, None])
def test_keys_no_browser_has_are_refused(liga: Person, browser: Browser, keys: object) -> None:
    answer = liga.post("/api/push/subscribe", json={**browser.subscription, "keys": keys})
    assert answer.status_code == 422, answer.json


def test_an_endpoint_belongs_to_whoever_has_the_browser_now(shop: Flask, browser: Browser, liga: Person) -> None:
    other = sign_up(shop, "other")
    for person in (liga, other):
        assert person.post("/api/push/subscribe", json=browser.subscription).status_code == 201
    assert [one.get("/api/push/subscriptions").json["total"] for one in (liga, other)] == [0, 1]


@pytest.fixture
def phoned(shop: Flask, liga: Person) -> Person:
    """Somebody who wants to be told by SMS."""
    number = {"phone": "+37126000001", "phone_verified": True}
    with shop.app_context():
        in_transaction(lambda: execute(update(User).where(User.id == liga.id).values(**number)))
        db.session.remove()
    liga.put("/api/notifications/preferences", json={"kinds": {"new_application": {"sms": True}}})
    return liga


def test_an_sms_says_what_it_is_about(shop: Flask, work: Work, twilio: Twilio, phoned: Person) -> None:
    an_application(shop, phoned)
    work()
    assert [(one["to"], "Fix a <b>" in one["body"], "Jānis" in one["body"]) for one in twilio.sent] == [
        ("+37126000001", True, True)
    ]


def test_an_sms_whose_answer_was_lost_is_not_sent_twice(
    shop: Flask, work: Work, twilio: Twilio, phoned: Person
) -> None:
    twilio.mood = "answer lost"
    an_application(shop, phoned)
    work()
    assert states(shop)["failed"] == 1
    twilio.mood = "well"
    later(work, minutes=5)
    assert len(twilio.sent) == 1
    assert states(shop) == {"waiting": 0, "failed": 0, "dead": 0}


@pytest.mark.parametrize(("mood", "state"), [("wrong number", "dead"), ("down", "failed")])
def test_what_the_provider_says_decides(
    shop: Flask, work: Work, twilio: Twilio, phoned: Person, mood: str, state: str
) -> None:
    twilio.mood = mood
    an_application(shop, phoned)
    work()
    assert states(shop)[state] == 1


def test_a_number_nobody_confirmed_gets_nothing(shop: Flask, work: Work, twilio: Twilio, liga: Person) -> None:
    liga.put("/api/auth/profile", json={"phone": "+371 26000001"})
    liga.put("/api/notifications/preferences", json={"kinds": {"new_application": {"sms": True}}})
    an_application(shop, liga)
    work()
    assert twilio.sent == []


def test_without_servers_letters_are_shown(app: Flask, anna: Person) -> None:
    with app.app_context():
        while sum((deliver_due(), relay())):
            pass
        db.session.remove()
    shown = app.test_cli_runner().invoke(args=["messages"]).output
    assert "Welcome! Please confirm" in shown
    assert anna.get("/api/push/vapid-public-key").json["public_key"]


def test_a_letter_has_one_name_for_ever(shop: Flask, work: Work, mail: MailServer, liga: Person) -> None:
    an_application(shop, liga)
    work()
    with shop.app_context():
        names = {row.reference for row in fetch(DELIVERY_QUEUE.table.select())}
        db.session.remove()
    assert {str(one["Message-ID"]) for one in mail.mailbox.received} <= names
    assert len(names) == len(names | {str(one["Message-ID"]) for one in mail.mailbox.received})


@pytest.mark.parametrize("name", ["Anna\r\nBcc: all@example.com", "Anna\nSubject: x", "\x00", "Ānna <a@b.c>"])
def test_a_name_cannot_add_a_header(shop: Flask, work: Work, mail: MailServer, liga: Person, name: str) -> None:
    liga.put("/api/auth/profile", json={"first_name": name})
    an_application(shop, liga)
    work()
    letter = next(one for one in mail.mailbox.received if one["To"] == "liga@example.com")
    assert letter["Bcc"] is None
    assert len(letter.get_all("Subject")) == 1


def test_a_wrong_password_of_ours_is_not_the_readers_fault() -> None:
    assert isinstance(smtp._failure(535, b"5.7.8 bad credentials"), smtp.TryLater)
    assert isinstance(smtp._failure(550, b"no such user"), smtp.Refused)
    assert isinstance(smtp._failure(421, b"closing"), smtp.TryLater)


@pytest.mark.parametrize(("to", "is_taken"), [("anna@bücher.example", True), ("änna@bücher.example", False)])
def test_a_server_without_smtputf8_gets_what_it_can_take_and_the_rest_is_refused_for_good(
    to: str, is_taken: bool
) -> None:
    plain = MailServer(utf8=False)
    try:
        channel = smtp.SmtpChannel(
            "127.0.0.1", plain.port, "", "", "none", "Market <market@münchen.example>", "Market", 3
        )
        letter = OutboundMessage(
            id="1", to=to, title="Sveiki, Änna", text="Labdien", unsubscribe="https://example.com/x"
        )
        if is_taken:
            channel.send(letter)
            (received,) = plain.mailbox.received
            assert received["To"] == "anna@xn--bcher-kva.example"
            assert received["From"] == "Market <market@xn--mnchen-3ya.example>"
        else:
            with pytest.raises(Refused, match="SMTPUTF8"):
                channel.send(letter)
    finally:
        plain.stop()


def test_a_server_with_smtputf8_gets_every_mailbox(mail: MailServer) -> None:
    channel = smtp.SmtpChannel("127.0.0.1", mail.port, "", "", "none", "Market <market@example.com>", "Market", 3)
    channel.send(OutboundMessage(id="1", to="änna@bücher.example", title="Sveiki", text="Labdien"))
    assert [str(one["To"]) for one in mail.mailbox.received] == ["änna@xn--bcher-kva.example"]
