"""Which fact is told to whom: once, in their language, and nobody else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from marketplace.core.database.db import db, execute, in_transaction
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import OUTBOX, OutboxRow, publish, relay
from marketplace.events.tasks import TaskDone
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.renderer import kinds
from marketplace.notifications.subscribers import general
from marketplace.tasks.models import Task
from tests.factories import things
from tests.factories.people import Person, sign_up


def tell(app: Flask, *, again: bool = True) -> None:
    """Relay, and then once more as if nobody had been told: at least once, for real."""
    with app.app_context():
        relay()
        jobs.run_due()
        if again:
            in_transaction(lambda: execute(update(OutboxRow).values(done_at=None, due_at=OutboxRow.created_at)))
            relay()
            jobs.run_due()
        db.session.remove()


def types(person: Person) -> list[str]:
    """What a person has been told, oldest first, the welcome left out."""
    told = [one["type"] for one in reversed(person.get("/api/notifications").json["notifications"])]
    return [one for one in told if one != "welcome"]


def clock(app: Flask, **delay: float) -> None:
    """Everything the clock does, so much later."""
    with time_machine.travel(datetime.now(UTC) + timedelta(**delay)), app.app_context():
        for name in ("expire_tasks", "confirm_deals", "expire_listings", "remind_sellers", "remind_of_reviews"):
            in_transaction(lambda name=name: jobs.enqueue(name))
        jobs.run_due()
        jobs.run_due()
        relay()
        db.session.remove()


def test_every_kind_has_its_words_and_every_word_its_kind() -> None:
    assert set(KINDS) == kinds()


def test_quick_help_is_told_to_both_sides_once(app: Flask, anna: Person, juris: Person, stranger: Person) -> None:
    task_id = things.task(anna)["id"]
    things.application(stranger, task_id)
    application = things.application(juris, task_id)["id"]
    anna.post(f"/api/tasks/{task_id}/applications/{application}/accept")
    for person, verb in ((juris, "start"), (juris, "done"), (anna, "confirm")):
        person.post(f"/api/tasks/{task_id}/{verb}")
    things.review(anna, task_id, rating=4)
    tell(app)

    assert types(anna) == ["new_application", "new_application", "task_started", "task_marked_done"]
    assert types(juris) == ["application_accepted", "task_completed", "new_review"]
    assert types(stranger) == ["application_rejected"]
    told = juris.get("/api/notifications").json["notifications"][-2]
    assert (told["related_type"], told["related_id"], told["is_read"]) == ("task", task_id, False)
    assert told["data"] == {"task_title": "Carry a sofa", "owner_name": "anna"}
    assert "Carry a sofa" in told["title"]


def test_the_same_step_taken_again_is_told_again(app: Flask, anna: Person, juris: Person) -> None:
    task_id = things.task(anna)["id"]
    first = things.application(juris, task_id)["id"]
    juris.delete(f"/api/tasks/{task_id}/applications/{first}")
    second = things.application(juris, task_id)["id"]
    anna.post(f"/api/tasks/{task_id}/applications/{second}/accept")
    juris.post(f"/api/tasks/{task_id}/decline")
    tell(app)
    assert types(anna) == ["new_application", "application_withdrawn", "new_application", "task_declined"]


def test_a_booking_a_dispute_and_a_cancellation(app: Flask, anna: Person, juris: Person) -> None:
    offering = things.offering(juris)["id"]
    booked = anna.post(f"/api/offerings/{offering}/book", json={"message": "Tomorrow?"}).json["task"]["id"]
    juris.post(f"/api/tasks/{booked}/start")
    juris.post(f"/api/tasks/{booked}/dispute", json={"reason": "No key"})
    cancelled = things.assigned_task(anna, juris)["id"]
    anna.post(f"/api/tasks/{cancelled}/cancel")
    tell(app)
    assert types(juris) == ["task_assigned", "application_accepted", "task_cancelled", "dispute_opened"]
    assert types(anna) == ["task_started", "task_disputed", "new_application"]


def test_messages_are_one_piece_of_news_until_it_is_read(app: Flask, anna: Person, juris: Person) -> None:
    talk = anna.post("/api/messages/conversations", json={"user_id": juris.id, "message": "1"}).json["id"]
    for text in ("2", "3"):
        anna.post(f"/api/messages/conversations/{talk}/messages", json={"content": text})
    tell(app)
    news = juris.get("/api/notifications").json["notifications"][0]
    assert (types(juris), news["data"]["count"], news["title"]) == (["new_message"], 3, "3 new messages from anna")

    juris.post(f"/api/notifications/{news['id']}/read")
    anna.post(f"/api/messages/conversations/{talk}/messages", json={"content": "4"})
    tell(app)
    assert types(juris) == ["new_message", "new_message"]
    assert types(anna) == []


def test_a_message_that_was_read_meanwhile_is_no_news(app: Flask, anna: Person, juris: Person) -> None:
    talk = anna.post("/api/messages/conversations", json={"user_id": juris.id, "message": "1"}).json["id"]
    juris.put(f"/api/messages/conversations/{talk}/read-all")
    tell(app)
    assert types(juris) == []


def test_people_are_told_in_their_language(app: Flask, anna: Person, juris: Person) -> None:
    anna.put("/api/auth/profile", json={"language": "lv"})
    juris.put("/api/auth/profile", json={"language": "ru"})
    things.review(anna, things.completed_task(anna, juris)["id"])
    tell(app)
    titles = [person.get("/api/notifications").json["notifications"][0]["title"] for person in (anna, juris)]
    assert any(letter in titles[0] for letter in "āčēģīķļņšūž")
    assert any("а" <= letter <= "я" for letter in titles[1])


def test_tasks_end_by_themselves(app: Flask, anna: Person, juris: Person) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    late = things.task(anna, deadline=soon)["id"]
    application = things.application(juris, late)["id"]
    unanswered = things.assigned_task(anna, juris)["id"]
    juris.post(f"/api/tasks/{unanswered}/done")
    clock(app, hours=71)
    assert [anna.get(f"/api/tasks/{one}").json["status"] for one in (late, unanswered)] == [
        *("expired", "pending_confirmation")
    ]
    clock(app, hours=73)
    assert anna.get(f"/api/tasks/{unanswered}").json["status"] == "completed"
    assert juris.get("/api/auth/profile").json["completed_tasks"] == 1
    sent = {one["id"]: one["status"] for one in juris.get("/api/tasks/my-applications").json["applications"]}
    assert sent[application] == "rejected"
    tell(app)
    assert {"task_expired"} <= set(types(anna))
    assert {"application_rejected", "task_completed"} <= set(types(juris))


def test_listings_end_by_themselves_and_are_renewed(app: Flask, anna: Person, anybody: Person) -> None:
    ends = (datetime.now(UTC) + timedelta(days=5)).isoformat()
    listing = things.listing(anna, expires_at=ends)["id"]
    clock(app, days=1)
    assert types(anna) == []
    clock(app, days=3)
    clock(app, days=4)
    assert types(anna) == ["listing_expiring"]
    clock(app, days=6)
    assert types(anna) == ["listing_expiring", "listing_expired"]
    assert anna.get(f"/api/listings/{listing}").json["status"] == "archived"
    assert anybody.get(f"/api/listings/{listing}").status_code == 404

    renewed = anna.post(f"/api/listings/{listing}/renew", json={"days": 20})
    assert (renewed.status_code, renewed.json["listing"]["status"]) == (200, "active")
    clock(app, days=18)
    clock(app, days=21)
    assert types(anna) == ["listing_expiring", "listing_expired"] * 2


def test_what_is_put_back_on_the_list_stays_there(app: Flask, anna: Person) -> None:
    ends = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    listing = things.listing(anna, expires_at=ends)["id"]
    known = anna.get(f"/api/listings/{listing}").json["expires_at"]
    clock(app, days=2)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        token = sign_in_again(app, "anna")
        answer = Person(app, token=token).put(
            f"/api/listings/{listing}", json={"status": "active", "expires_at": known}
        )
        again = datetime.fromisoformat(answer.json["listing"]["expires_at"]) - datetime.now(UTC)
        assert timedelta(days=59) < again <= timedelta(days=60)
    clock(app, days=3)
    assert anna.get(f"/api/listings/{listing}").json["status"] == "active"


def test_a_listing_that_names_no_end_has_one_and_a_renewal_lasts_as_long(app: Flask, anna: Person) -> None:
    def days_left(listing: dict[str, Any]) -> float:
        return (datetime.fromisoformat(listing["expires_at"]) - datetime.now(UTC)) / timedelta(days=1)

    listing = things.listing(anna)
    assert 59.9 < days_left(listing) <= 60
    assert 19.9 < days_left(anna.post(f"/api/listings/{listing['id']}/renew", json={"days": 20}).json["listing"]) <= 20
    assert 59.9 < days_left(anna.post(f"/api/listings/{listing['id']}/renew").json["listing"]) <= 60
    clock(app, days=58)
    clock(app, days=61)
    assert types(anna) == ["listing_expiring", "listing_expired"]
    assert anna.get(f"/api/listings/{listing['id']}").json["status"] == "archived"


def test_a_setting_lets_listings_stay_for_ever(app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "LISTING_DAYS", 0)
    listing = things.listing(anna)
    assert listing["expires_at"] is None
    clock(app, days=500)
    assert anna.get(f"/api/listings/{listing['id']}").json["status"] == "active"
    assert anna.post(f"/api/listings/{listing['id']}/renew").json["listing"]["expires_at"] is None


def sign_in_again(app: Flask, name: str) -> str:
    """A token of the moment."""
    body = {"username": name, "password": "correct horse battery"}
    return str(app.test_client().post("/api/auth/login", json=body).json["token"])


def test_a_deal_that_was_not_rated_is_called_to_mind_once(app: Flask, anna: Person, juris: Person) -> None:
    things.review(anna, things.completed_task(anna, juris)["id"])
    clock(app, days=1)
    clock(app, days=4)
    clock(app, days=5)
    assert (types(juris).count("review_reminder"), types(anna).count("review_reminder")) == (1, 0)


def test_new_tasks_nearby_are_told_to_those_who_asked(
    app: Flask, anna: Person, juris: Person, stranger: Person
) -> None:
    place = {"latitude": 56.95, "longitude": 24.1}
    assert juris.put("/api/notifications/job-alerts", json={"enabled": True}).status_code == 422
    for person, wish in ((juris, {"radius_km": 5}), (stranger, {"radius_km": 5, "categories": ["cleaning"]})):
        person.put("/api/auth/profile", json=place)
        assert person.put("/api/notifications/job-alerts", json={"enabled": True, **wish}).status_code == 200
    anna.put("/api/auth/profile", json=place)
    anna.put("/api/notifications/job-alerts", json={"enabled": True})
    things.task(anna, latitude=56.96, longitude=24.11)
    things.task(anna, latitude=57.2, longitude=24.11)
    tell(app)
    assert types(juris) == ["new_task_nearby"]
    assert juris.get("/api/notifications").json["notifications"][0]["data"]["distance_km"] == pytest.approx(
        1.3, abs=0.3
    )
    assert types(stranger) == types(anna) == []
    shown = {"enabled": True, "radius_km": 5.0, "categories": []}
    preferences = {**shown, "has_location": True}
    assert juris.get("/api/notifications/job-alerts").json == {**shown, "preferences": preferences}


def test_a_missing_word_is_seen_by_an_operator_and_not_by_people(
    app: Flask, anna: Person, juris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(app)
    fact = TaskDone(task_id=things.task(anna)["id"], owner_id=anna.id, worker_id=juris.id, version=1)
    monkeypatch.setattr(general.auth_queries, "name_of", lambda user_id: None)
    with app.app_context():
        in_transaction(lambda: publish(fact))
        relay()
        assert OUTBOX.count("failed") == 1
        db.session.remove()
    assert types(anna) == []


def test_nobody_tells_those_who_are_gone(app: Flask, anna: Person, juris: Person) -> None:
    task_id = things.task(anna)["id"]
    things.application(juris, task_id)
    with app.app_context():
        in_transaction(lambda: execute(update(Task.metadata.tables["users"]).values(is_active=False)))
    tell(app)
    with app.app_context():
        in_transaction(lambda: execute(update(Task.metadata.tables["users"]).values(is_active=True)))
        db.session.remove()
    assert types(anna) == []


def test_ones_own_news_are_read_counted_and_deleted(app: Flask, anna: Person, juris: Person) -> None:
    for _ in range(3):
        things.application(juris, things.task(anna)["id"])
    tell(app, again=False)
    listed = anna.get("/api/notifications?unread=true&type=new_application").json
    assert (listed["total"], listed["unread_count"]) == (3, 4)
    first, second, third = (one["id"] for one in listed["notifications"])

    assert anna.post(f"/api/notifications/{first}/read").json["notification"]["is_read"] is True
    assert anna.post("/api/notifications/mark-read", json={"notification_ids": [second]}).json["success"] is True
    assert anna.get("/api/notifications/unread-count").json["unread_count"] == 2
    assert anna.delete(f"/api/notifications/{third}").status_code == 200
    assert anna.delete(f"/api/notifications/{third}").status_code == 404
    assert anna.post("/api/notifications/read-all").json["notifications_marked_read"] == 1
    assert anna.get("/api/notifications/unread-count").json["unread_count"] == 0
    tell(app)
    assert third not in [one["id"] for one in anna.get("/api/notifications").json["notifications"]]


@pytest.mark.parametrize(("method", "tail"), [("POST", "/read"), ("DELETE", "")])
def test_others_and_unknown_news_are_not_there(app: Flask, anna: Person, juris: Person, method: str, tail: str) -> None:
    things.application(juris, things.task(anna)["id"])
    tell(app, again=False)
    mine = anna.get("/api/notifications").json["notifications"][0]["id"]
    assert juris.call(method, f"/api/notifications/{mine}{tail}").status_code == 404
    assert juris.call(method, f"/api/notifications/{2**62}{tail}").status_code == 404
    assert juris.post("/api/notifications/mark-read", json={"ids": [mine]}).json["notifications_marked_read"] == 0
    assert anna.get("/api/notifications/unread-count").json["count"] == 2


def test_a_list_of_news_costs_the_same_however_long(app: Flask, anna: Person, statements: list[str]) -> None:
    def cost() -> int:
        statements.clear()
        anna.get("/api/notifications")
        return len(statements)

    before = cost()
    juris = sign_up(app, "juris")
    for _ in range(5):
        things.application(juris, things.task(anna)["id"])
    tell(app, again=False)
    assert cost() == before


def test_a_local_time_is_meant_where_its_sender_lives(anna: Person) -> None:
    anna.put("/api/auth/profile", json={"time_zone": "Europe/Riga"})
    task = things.task(anna, deadline="2031-01-31T23:59")
    assert task["deadline"] == "2031-01-31T21:59:00Z"
    assert anna.put("/api/auth/profile", json={"time_zone": "Mars/Base"}).status_code == 422
