"""Things people post, valid with no arguments."""

from io import BytesIO
from typing import Any

from werkzeug.test import TestResponse

from marketplace.announcements.models import Announcement
from marketplace.core.database.db import db, in_transaction, save
from tests.factories.people import Person
from tests.factories.pictures import picture

RIGA = {"latitude": 56.9496, "longitude": 24.1052}


def listing(owner: Person, **fields: Any) -> dict[str, Any]:
    """A classified, as the API answers it."""
    body = {"title": "City bicycle", "description": "Seven gears, new tyres.", "price": 120, "category": "bicycles"}
    return _made(owner, "/api/listings", "listing", {**body, **RIGA, **fields})


def task(owner: Person, **fields: Any) -> dict[str, Any]:
    """An open task."""
    body = {"title": "Carry a sofa", "description": "Third floor, no lift.", "category": "moving", "budget": 40}
    return _made(owner, "/api/tasks", "task", {**body, "location": "Rīga", **RIGA, **fields})


def offering(owner: Person, **fields: Any) -> dict[str, Any]:
    """An active offering."""
    body = {"title": "Bicycle repair", "description": "At your door.", "category": "repair", "price": 25}
    return _made(owner, "/api/offerings", "offering", {**body, "location": "Rīga", **RIGA, **fields})


def application(applicant: Person, task_id: int, **fields: Any) -> dict[str, Any]:
    """An offer to do a task."""
    return _made(applicant, f"/api/tasks/{task_id}/apply", "application", {"message": "I can.", **fields})


def assigned_task(owner: Person, worker: Person, **fields: Any) -> dict[str, Any]:
    """A task the worker applied for and was given."""
    posted = task(owner, **fields)
    offered = application(worker, posted["id"])
    price = {"price": posted["budget"], "currency": posted["currency"]} if posted["budget"] else {}
    accepted = owner.post(f"/api/tasks/{posted['id']}/applications/{offered['id']}/accept", price)
    assert accepted.status_code == 200, accepted.json
    return dict(accepted.json["task"])


def completed_task(owner: Person, worker: Person, **fields: Any) -> dict[str, Any]:
    """A task lived to its end."""
    task_id = assigned_task(owner, worker, **fields)["id"]
    for person, verb in ((worker, "start"), (worker, "done"), (owner, "confirm")):
        answer = person.post(f"/api/tasks/{task_id}/{verb}")
        assert answer.status_code == 200, answer.json
    return dict(answer.json["task"])


def review(reviewer: Person, task_id: int, **fields: Any) -> dict[str, Any]:
    """A review of the other side."""
    return _made(reviewer, f"/api/reviews/task/{task_id}", "review", {"rating": 5, "content": "Good.", **fields})


def upload(person: Person, way: str = "", data: bytes | None = None, name: str = "photo.png") -> dict[str, Any]:
    """A stored file: a picture, or with way "document" a paper."""
    content = data if data is not None else picture()
    answer = send_file(person, f"/api/uploads/{way}".rstrip("/"), content, name)
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def send_file(person: Person, path: str, data: bytes, name: str = "photo.png", part: str = "file") -> TestResponse:
    """A multipart body with one file."""
    return person.call("POST", path, data={part: (BytesIO(data), name)}, content_type="multipart/form-data")


def _made(person: Person, path: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = person.post(path, json=body)
    assert answer.status_code == 201, answer.json
    return dict(answer.json[name])


def announcement(person: Person) -> int:
    """Something that is told to everybody; its id."""

    def made() -> int:
        return save(Announcement(title="A quiet Sunday", message="The marketplace rests.", by_id=person.id)).id

    with person.app.app_context():
        found = in_transaction(made)
        db.session.remove()
    return found
