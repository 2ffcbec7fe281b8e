"""What people choose: by which way, when, and how much at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask

from marketplace.core.database.db import db, fetch, in_transaction
from marketplace.core.queues import jobs
from marketplace.notifications.deliveries.service import DELIVERY_QUEUE
from marketplace.notifications.quiet_hours import digest_period, end_of_quiet
from tests.factories import things
from tests.factories.people import Person, sign_up
from tests.servers.mail import MailServer

RIGA = ZoneInfo("Europe/Riga")
Work = Callable[[], None]


@pytest.mark.parametrize(
    ("now", "quiet", "end"),
    [
        ("2026-06-01T12:00Z", ("22:00", "07:00"), "2026-06-01T12:00Z"),
        ("2026-06-01T20:00Z", ("22:00", "07:00"), "2026-06-02T04:00Z"),
        ("2026-06-02T03:59Z", ("22:00", "07:00"), "2026-06-02T04:00Z"),
        ("2026-06-02T04:00Z", ("22:00", "07:00"), "2026-06-02T04:00Z"),
        ("2026-06-01T10:30Z", ("13:00", "14:30"), "2026-06-01T11:30Z"),
        ("2026-06-01T10:30Z", ("13:00", "13:00"), "2026-06-01T10:30Z"),
        ("2026-06-01T10:30Z", (None, None), "2026-06-01T10:30Z"),
        # the night the clocks go forward is an hour shorter, the one they go back an hour longer
        ("2026-03-28T21:00Z", ("22:00", "07:00"), "2026-03-29T04:00Z"),
        ("2026-10-24T20:00Z", ("22:00", "07:00"), "2026-10-25T05:00Z"),
    ],
)
def test_quiet_hours_are_local(now: str, quiet: tuple[str | None, str | None], end: str) -> None:
    moment = datetime.fromisoformat(now)
    assert end_of_quiet(moment, RIGA, *quiet) == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    ("now", "digest", "period"),
    [
        ("2026-06-01T04:59Z", "daily", None),
        ("2026-06-01T05:00Z", "daily", "2026-06-01"),
        ("2026-06-01T20:59Z", "daily", "2026-06-01"),
        ("2026-06-01T21:00Z", "daily", None),
        ("2026-06-01T10:30Z", "hourly", "2026-06-01T10"),
        ("2026-06-01T10:30Z", "off", None),
    ],
)
def test_a_period_has_one_digest(now: str, digest: str, period: str | None) -> None:
    assert digest_period(datetime.fromisoformat(now), RIGA, digest) == period


def test_everything_one_can_choose_is_shown_and_changed(anna: Person) -> None:
    shown = anna.get("/api/notifications/preferences").json
    assert shown["kinds"]["new_message"] == {"in_app": True, "email": True, "push": True, "sms": False}
    assert (shown["quiet_hours"], shown["digest"]) == (None, "off")

    wish = {"kinds": {"new_message": {"email": False, "sms": True}}, "digest": "daily"}
    quiet = {"from": "22:00", "to": "07:00"}
    saved = anna.put("/api/notifications/preferences", json={**wish, "quiet_hours": quiet}).json["preferences"]
    assert saved == anna.get("/api/notifications/preferences").json
    assert saved["kinds"]["new_message"] == {"in_app": True, "email": False, "push": True, "sms": True}
    assert (saved["quiet_hours"], saved["digest"]) == (quiet, "daily")
    anna.put("/api/notifications/preferences", json={"quiet_hours": None})
    assert anna.get("/api/notifications/preferences").json["quiet_hours"] is None
    assert anna.get("/api/notifications/preferences").json["digest"] == "daily"


@pytest.mark.one_database
@pytest.mark.parametrize(
    "wish",
    [
        {"digest": "weekly"},
        {"quiet_hours": {"from": "25:00", "to": "07:00"}},
        {"quiet_hours": {"from": "22:00"}},
        {"quiet_hours": "22-07"},
        {"kinds": {"no_such_kind": {"email": True}}},
        {"kinds": {"new_message": {"email": "perhaps"}}},
        {"kinds": {"new_message": True}},
        {"kinds": []},
    ],
)
def test_a_wish_nobody_can_fulfil_is_refused(anna: Person, wish: object) -> None:
    assert anna.put("/api/notifications/preferences", json=wish).status_code == 422


def test_a_channel_that_is_off_stays_silent(shop: Flask, work: Work, mail: MailServer) -> None:
    anna = sign_up(shop, "anna")
    off = {"new_application": {"in_app": False, "email": False}}
    anna.put("/api/notifications/preferences", json={"kinds": off})
    things.application(sign_up(shop, "juris"), things.task(anna)["id"])
    work()
    assert [one["type"] for one in anna.get("/api/notifications").json["notifications"]] == ["welcome"]
    assert [str(one["Subject"]) for one in mail.mailbox.received if one["To"] == "anna@example.com"] == [
        "Welcome! Please confirm your e-mail address"
    ]


def test_letters_wait_for_the_end_of_quiet_hours(shop: Flask, work: Work, mail: MailServer) -> None:
    anna = sign_up(shop, "anna")
    juris = sign_up(shop, "juris")
    work()
    mail.mailbox.received.clear()
    now = datetime.now(UTC)
    quiet = {"from": f"{now - timedelta(hours=1):%H:%M}", "to": f"{now + timedelta(hours=2):%H:%M}"}
    anna.put("/api/notifications/preferences", json={"quiet_hours": quiet})
    things.application(juris, things.task(anna)["id"])
    work()
    assert mail.mailbox.received == []
    assert anna.get("/api/notifications/unread-count").json["unread_count"] == 2
    with time_machine.travel(now + timedelta(hours=2, minutes=1)):
        work()
    assert len(mail.mailbox.received) == 1


def _digests(shop: Flask, work: Work) -> None:
    with shop.app_context():
        in_transaction(lambda: jobs.enqueue("send_digests"))
        db.session.remove()
    work()


def test_a_digest_gathers_what_can_wait_once(shop: Flask, work: Work, mail: MailServer) -> None:
    anna = sign_up(shop, "anna")
    helpers = [sign_up(shop, f"helper{number}") for number in range(3)]
    work()
    mail.mailbox.received.clear()
    anna.put("/api/notifications/preferences", json={"digest": "hourly"})
    task = things.task(anna)["id"]
    offers = [things.application(helper, task)["id"] for helper in helpers]
    work()
    assert mail.mailbox.received == []

    _digests(shop, work)
    _digests(shop, work)
    assert [str(one["Subject"]) for one in mail.mailbox.received] == ["3 updates for you"]
    text = mail.mailbox.received[0].get_body(("plain",)).get_content()
    assert [f"helper{number}" in text for number in range(3)] == [True] * 3

    anna.post(f"/api/tasks/{task}/applications/{offers[0]}/accept")
    helpers[0].post(f"/api/tasks/{task}/done")
    work()
    subjects = [str(one["Subject"]) for one in mail.mailbox.received if one["To"] == "anna@example.com"]
    assert len(subjects) == 2  # what cannot wait does not
    with shop.app_context():
        assert len(fetch(DELIVERY_QUEUE.table.select().where(DELIVERY_QUEUE.table.c.kind == "digest"))) == 1
        db.session.remove()


def test_leaving_a_digest_leaves_all_of_it(shop: Flask, work: Work, mail: MailServer) -> None:
    anna = sign_up(shop, "anna")
    work()
    anna.put("/api/notifications/preferences", json={"digest": "hourly"})
    things.application(sign_up(shop, "juris"), things.task(anna)["id"])
    work()
    _digests(shop, work)
    letter = mail.mailbox.received[-1]
    way = str(letter["List-Unsubscribe"]).strip("<>").removeprefix("http://localhost:5000")
    assert Person(shop).call("POST", way).status_code == 200
    chosen = anna.get("/api/notifications/preferences").json["kinds"]
    assert not any(channels["email"] for channels in chosen.values())
