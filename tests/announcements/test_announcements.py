"""What the marketplace tells everybody, or some: on a page of its own, and to each once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from marketplace.announcements import jobs
from marketplace.core.database.db import db
from marketplace.notifications import service as notifications_service
from tests.factories.money import clockwork
from tests.factories.people import Person, sign_up

ALL, MINE = "/api/admin/announcements", "/api/announcements"
SAID = {"title": "A quiet Sunday", "message": "On Sunday the marketplace rests.", "type": "maintenance"}


@pytest.fixture
def today() -> Iterator[time_machine.Traveller]:
    """A clock that stands until it is moved."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


def announced(admin: Person, **more: Any) -> dict[str, Any]:
    """An announcement as staff see it."""
    answer = admin.post(ALL, {**SAID, **more})
    assert answer.status_code == 201, answer.json
    return dict(answer.json["announcement"])


def titles(person: Person) -> list[str]:
    """What they find announced."""
    return [one["title"] for one in person.get(MINE).json["announcements"]]


def told(app: Flask, person: Person) -> list[tuple[str, str]]:
    """What they were notified of, once the clock's job has run."""
    clockwork(app, jobs.tell_of_announcements)
    news = person.get("/api/notifications").json["notifications"]
    return [(one["title"], one["message"]) for one in news if one["type"] == "announcement"]


def test_everybody_reads_it_and_each_is_notified_once(app: Flask, admin: Person, anna: Person, anybody: Person) -> None:
    made = announced(admin)

    assert titles(anybody) == titles(anna) == ["A quiet Sunday"]
    for _ in range(2):
        assert told(app, anna) == [("A quiet Sunday", "On Sunday the marketplace rests.")]
    found = admin.get(ALL).json["announcements"][0]
    assert (found["id"], found["by_id"], found["told_at"] is not None) == (made["id"], admin.id, True)
    shown = anybody.get(MINE).json["announcements"][0]
    assert "by_id" not in shown


def test_it_is_in_force_between_its_times(
    app: Flask, admin: Person, anna: Person, anybody: Person, today: time_machine.Traveller
) -> None:
    begins, ends = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (10, 20))
    announced(admin, starts_at=begins.isoformat(), ends_at=ends.isoformat())
    assert (titles(anybody), told(app, anna)) == ([], [])
    today.shift(timedelta(minutes=11))
    assert (titles(anybody), len(told(app, anna))) == (["A quiet Sunday"], 1)
    today.shift(timedelta(minutes=10))
    assert titles(anybody) == []
    assert len(admin.get(ALL).json["announcements"]) == 1


@pytest.mark.parametrize(("target", "reached"), [("all", "wbc"), ("workers", "wb"), ("clients", "bc"), ("staff", "")])
def test_it_reaches_whom_it_is_for(app: Flask, admin: Person, target: str, reached: str) -> None:
    types = {"w": "freelancer", "b": "both", "c": "client"}
    people = {name: sign_up(app, f"person_{name}", user_type=kind) for name, kind in types.items()}
    people["w"].put("/api/auth/profile", {"is_helper": True})
    announced(admin, target=target)

    assert {name for name, person in people.items() if titles(person)} == set(reached)
    assert {name for name, person in people.items() if told(app, person)} == set(reached)
    assert bool(titles(admin)) == (target in {"all", "clients", "staff"})


def test_a_job_that_dies_goes_on_where_it_was(
    app: Flask, admin: Person, anna: Person, juris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced(admin)
    monkeypatch.setattr(jobs, "AT_ONCE", 1)
    real, calls = notifications_service.notify_once, list[int]()

    def dies(user_id: int, *given: Any, **named: Any) -> int | None:
        calls.append(user_id)
        if len(calls) == 2:
            raise MemoryError
        return real(user_id, *given, **named)

    monkeypatch.setattr(notifications_service, "notify_once", dies)
    with app.app_context():
        with pytest.raises(MemoryError):
            jobs.tell_of_announcements(None)  # type: ignore[arg-type]
        db.session.remove()
    assert len(told(app, juris)) == len(told(app, anna)) == 1
    assert sorted(calls) == sorted([admin.id, anna.id, juris.id, calls[1]])  # the one it died with once more


def test_staff_change_it_and_take_it_back(app: Flask, admin: Person, anna: Person, anybody: Person) -> None:
    made = announced(admin)
    path = f"{ALL}/{made['id']}"
    assert len(told(app, anna)) == 1
    changed = admin.put(path, {"title": "A quiet Monday"}).json["announcement"]
    assert (changed["title"], changed["message"], titles(anybody)) == (
        "A quiet Monday",
        SAID["message"],
        ["A quiet Monday"],
    )
    assert len(told(app, anna)) == 1
    assert admin.delete(path).status_code == 200
    assert (titles(anybody), admin.delete(path).status_code, admin.put(path, {}).status_code) == ([], 404, 404)


def test_only_administrators_announce(app: Flask, admin: Person, anna: Person) -> None:
    made = announced(admin)
    moderator = sign_up(app, "moderator", role="moderator")
    for person in (anna, moderator):
        assert person.post(ALL, SAID).status_code == 403
        assert person.get(ALL).status_code == 403
        assert person.delete(f"{ALL}/{made['id']}").status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"message": None},
        {"type": "loud"},
        {"target": "nobody"},
        {"starts_at": "soon"},
        {"starts_at": "2031-01-02T10:00:00Z", "ends_at": "2031-01-01T10:00:00Z"},
    ],
)
def test_what_makes_no_sense_is_refused(admin: Person, anybody: Person, wrong: dict[str, Any]) -> None:
    answer = admin.post(ALL, {**SAID, **wrong})
    assert (answer.status_code, set(answer.json["errors"]) <= set(wrong)) == (422, True)
    assert titles(anybody) == []
