"""One transaction a write, repeated where another writer was in the way, whole or not at all."""

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from marketplace.auth.models import User
from marketplace.core.database import db as database_module
from marketplace.core.database.db import after_commit, db, execute, fetch, in_transaction
from marketplace.kit.errors import Busy, Conflict
from tests.conftest import make_app
from tests.factories import things
from tests.factories.people import Person

NOBODY = {"username": "nobody", "password": "not this one 17"}


class Deadlock(Exception):
    """What the driver raises, with Postgres' code for a deadlock."""

    sqlstate = "40P01"


def _deadlock() -> OperationalError:
    return OperationalError("UPDATE", {}, Deadlock("deadlock detected"))


def test_a_deadlock_runs_the_whole_again(context: Flask, anna: Person) -> None:
    attempts: list[int] = []

    def work() -> str:
        attempts.append(1)
        execute(update(User).values(bio=f"try {len(attempts)}"))
        if len(attempts) < database_module.ATTEMPTS:
            raise _deadlock()
        return "done"

    assert in_transaction(work) == "done"
    assert len(attempts) == database_module.ATTEMPTS
    assert fetch(select(User.bio))[0].bio == "try 3"


def test_after_three_deadlocks_the_answer_is_busy(context: Flask) -> None:
    def work() -> None:
        raise _deadlock()

    with pytest.raises(Busy):
        in_transaction(work)


def test_an_error_leaves_nothing_half_written(context: Flask, anna: Person) -> None:
    def work() -> None:
        execute(update(User).values(bio="half"))
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        in_transaction(work)
    assert fetch(select(User.bio))[0].bio == ""


def _own() -> tuple[str, str]:
    bio, city = fetch(select(User.bio, User.city))[0]
    return bio, city


def test_a_transaction_inside_a_transaction_raises_and_the_outer_one_stays_whole(context: Flask, anna: Person) -> None:
    def outer() -> None:
        execute(update(User).values(bio="outer"))
        with pytest.raises(RuntimeError, match="call the service function itself, the edge commits"):
            in_transaction(lambda: execute(update(User).values(city="inner")))

    in_transaction(outer)
    assert _own() == ("outer", "")


def test_an_outer_transaction_that_does_not_catch_it_is_not_made(context: Flask, anna: Person) -> None:
    def outer() -> None:
        execute(update(User).values(bio="outer"))
        in_transaction(lambda: execute(update(User).values(city="inner")))

    with pytest.raises(RuntimeError, match="a transaction inside a transaction"):
        in_transaction(outer)
    assert _own() == ("", "")
    in_transaction(lambda: execute(update(User).values(bio="the next one")))
    assert _own() == ("the next one", "")


def test_without_the_guard_the_outer_row_would_be_lost_without_a_word(context: Flask, anna: Person) -> None:
    def outer() -> None:
        execute(update(User).values(bio="outer"))
        db.session.info.pop("writing")  # what the guard goes by
        in_transaction(lambda: execute(update(User).values(city="inner")))

    in_transaction(outer)
    assert _own() == ("", "inner")


def test_a_hint_after_the_commit_may_open_a_transaction_of_its_own(context: Flask, anna: Person) -> None:
    def outer() -> None:
        execute(update(User).values(bio="outer"))
        after_commit(lambda: in_transaction(lambda: execute(update(User).values(city="afterwards"))))

    in_transaction(outer)
    assert _own() == ("outer", "afterwards")


def test_hints_wait_for_the_commit_and_die_with_a_rollback(context: Flask) -> None:
    told: list[str] = []

    def failing() -> None:
        after_commit(lambda: told.append("failed"))
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        in_transaction(failing)
    in_transaction(lambda: after_commit(lambda: told.append("committed")))
    assert told == ["committed"]


def test_of_two_writers_with_the_same_version_the_second_gets_a_conflict(context: Flask, anna: Person) -> None:
    task_id = things.task(anna)["id"]

    def work() -> None:
        task = db.session.get(database_models()["tasks"], task_id)
        execute(update(type(task)).values(version=type(task).version + 1))
        task.advance("cancel", actor={"owner"})
        db.session.flush()

    with pytest.raises(Conflict):
        in_transaction(work)


def database_models() -> dict[str, type]:
    """Mapped classes by table."""
    return {m.local_table.name: m.class_ for m in database_module.Base.registry.mappers}


def test_a_failing_dump_rolls_the_write_back(app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("while answering")

    monkeypatch.setattr("marketplace.listings.queries.detail", broken)
    answer = anna.post("/api/listings", json={"title": "x", "description": "y", "price": 1, "category": "other"})

    assert answer.status_code == 500
    assert answer.json["code"] == "internal"
    assert "while answering" not in answer.text
    with app.app_context():
        assert fetch(select(func.count()).select_from(database_models()["listings"]))[0][0] == 0


def test_a_database_that_does_not_answer_is_busy_and_no_error_of_ours() -> None:
    nowhere = make_app("postgresql://nobody@127.0.0.1:1/nowhere")
    for answer in (nowhere.test_client().get("/api/categories"), Person(nowhere).post("/api/auth/login", json=NOBODY)):
        assert (answer.status_code, answer.json["code"]) == (503, "busy")
