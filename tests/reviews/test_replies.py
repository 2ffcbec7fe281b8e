"""Whom a review is about says something to it, once."""

from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask

from tests.factories import things
from tests.factories.money import work
from tests.factories.people import Person


def reviewed(writer: Person, other: Person) -> int:
    """A review of a task that the writer gave; its id."""
    return int(things.review(writer, things.completed_task(writer, other)["id"])["id"])


def test_whom_it_is_about_replies_and_its_writer_hears_of_it(
    app: Flask, anna: Person, juris: Person, stranger: Person, anybody: Person
) -> None:
    path = f"/api/reviews/{reviewed(anna, juris)}"
    before = anybody.get(path).json
    assert (before["reply"], before["replied_at"]) == (None, None)
    for person in (anna, stranger):
        assert person.put(f"{path}/reply", {"content": "Mine."}).status_code == 403
    assert anybody.put(f"{path}/reply", {"content": "Mine."}).status_code == 401
    assert juris.put(f"{path}/reply", {"content": " "}).status_code == 422
    assert juris.put("/api/reviews/999999/reply", {"content": "Thanks."}).status_code == 404

    shown = juris.put(f"{path}/reply", {"content": "Thank you."}).json["review"]
    assert (shown["reply"], shown["content"], shown["replied_at"] is not None) == (
        "Thank you.",
        before["content"],
        True,
    )
    work(app)
    news = anna.get("/api/notifications").json["notifications"]
    assert [one["type"] for one in news].count("review_replied") == 1
    assert anybody.get(f"/api/auth/users/{juris.id}/reviews?has_reply=true").json["total"] == 1
    assert anybody.get(f"/api/auth/users/{juris.id}/reviews?has_reply=false").json["total"] == 0


def test_a_reply_can_be_changed_for_fourteen_days(app: Flask, anna: Person, juris: Person) -> None:
    path = f"/api/reviews/{reviewed(anna, juris)}/reply"
    said = juris.put(path, {"content": "Thank you."}).json["review"]
    for days, status in ((13, 200), (15, 403)):
        with time_machine.travel(datetime.now(UTC) + timedelta(days=days)):
            again = Person(app, juris.user)
            body = {"email": "juris@example.com", "password": "correct horse battery"}
            again.token = app.test_client().post("/api/auth/login", json=body).json["token"]
            assert again.put(path, {"content": f"After {days} days."}).status_code == status
    shown = anna.get(path.removesuffix("/reply")).json
    assert (shown["reply"], shown["replied_at"]) == ("After 13 days.", said["replied_at"])
    work(app)
    news = [one["type"] for one in anna.get("/api/notifications").json["notifications"]]
    assert news.count("review_replied") == 1


def test_reviews_are_narrowed_by_stars_and_by_who_rated_whom(anna: Person, juris: Person, anybody: Person) -> None:
    task = things.completed_task(anna, juris)["id"]
    for person, rating in ((anna, 5), (juris, 2)):
        assert person.post(f"/api/reviews/task/{task}", {"rating": rating}).status_code == 201

    def ratings(query: str) -> list[int]:
        return sorted(one["rating"] for one in anybody.get(f"/api/reviews?{query}").json["reviews"])

    assert (ratings("rating=2"), ratings("rating_max=4"), ratings("rating_min=3")) == ([2], [2], [5])
    assert ratings("review_type=client_to_worker") == [5]
    assert ratings("review_type=worker_to_client") == [2]
    assert anybody.get("/api/reviews?rating_min=4&rating_max=2").status_code == 422
    assert anybody.get("/api/reviews?review_type=up").status_code == 422
