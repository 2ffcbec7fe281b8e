"""Sums kept by the database stay exact when many write at once; kept in Python they do not."""

from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.auth.models import User
from marketplace.core.database.db import db, fetch
from marketplace.reviews import service
from tests.factories import things
from tests.factories.people import Person, sign_up
from tests.races.burst import burst

WRITERS = 12


def _reviews_to_write(app: Flask, worker: Person) -> list[partial[object]]:
    owners = [sign_up(app, f"owner_{n}") for n in range(WRITERS)]
    deals = [(owner, things.completed_task(owner, worker)["id"]) for owner in owners]
    return [
        partial(owner.post, f"/api/reviews/task/{task_id}", json={"rating": 1 + number % 5})
        for number, (owner, task_id) in enumerate(deals)
    ]


def test_many_reviews_at_once_all_count(app: Flask, juris: Person) -> None:
    answers = burst(_reviews_to_write(app, juris))

    assert {answer.status_code for answer in answers} == {201}
    with app.app_context():
        row = fetch(select(User.rating_sum, User.reviews_count).where(User.id == juris.id))[0]
    assert tuple(row) == (sum(1 + n % 5 for n in range(WRITERS)), WRITERS)


def test_the_same_review_twice_at_once_is_written_once(app: Flask, anna: Person, juris: Person) -> None:
    task_id = things.completed_task(anna, juris)["id"]
    answers = burst([partial(anna.post, f"/api/reviews/task/{task_id}", json={"rating": 5})] * 8)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


@pytest.mark.control
def test_control_read_then_write_loses_reviews(
    app: Flask, juris: Person, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(user_id: int, *, rating: int, reviews: int) -> None:
        user = db.session.get(User, user_id)
        assert user is not None
        user.rating_sum += rating
        user.reviews_count += reviews
        user.average_rating = user.rating_sum / user.reviews_count

    monkeypatch.setattr(service, "count_rating", careless)
    if database == "sqlite":
        monkeypatch.setattr("marketplace.core.database.db.writing_options", lambda engine: {})
    burst(_reviews_to_write(app, juris))
