"""The demo town, written by the verbs people use and dated back over the last weeks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from flask import current_app
from sqlalchemy import select

from marketplace.auth import service as auth_service
from marketplace.auth.models import User
from marketplace.core.database.db import fetch, in_transaction
from marketplace.core.http.rate_limits import limiter
from marketplace.core.queues.outbox import relay
from marketplace.demo_data import content, queries, task_courses
from marketplace.demo_data.dataset import Dataset, dataset
from marketplace.demo_data.pictures import PictureStore
from marketplace.demo_data.records import DemoPerson
from marketplace.listings.models import Listing
from marketplace.offerings.models import Offering
from marketplace.tasks.models import Task

# The demo people worked, paid, talked and sent pictures for weeks before anybody set up this marketplace: no plan was
# asked for, no money was held, and what takes a minute now happened over many days.
SETTINGS = {
    "CHAT_NEEDS_PLAN": False,
    "TASK_PAYMENT": "outside",
    "UPLOAD_MAX_BYTES": 2**20,
    "UPLOAD_QUOTA_BYTES": 2**30,
    "UPLOAD_QUOTA_FILES": 1000,
}


@dataclass(frozen=True, slots=True)
class SeedReport:
    """Whether the data were written just now, how much there is of each kind, and whether the storage took all the
    pictures."""

    is_new: bool
    counts: dict[str, int]
    has_pictures: bool = True


def seed(data: Dataset | None = None, *, with_pictures: bool = True) -> SeedReport:
    """Write what is missing of these data, or of the files'; where all is there it is left as its people have made it.
    Outside of any transaction."""
    data = data or dataset()
    is_new = not queries.is_there(User, data.administrator.key)
    pictures = PictureStore(is_open=with_pictures)
    if is_new:
        with _seed_settings():
            _write(data, auth_service.hash_password(data.password), pictures)
            relay()
    counts = {**_counts(data), "pictures": pictures.count}
    return SeedReport(is_new, counts, has_pictures=pictures.is_open)


def sign_ins() -> list[tuple[str, str, str]]:
    """Name, e-mail and password of those to try who are there."""
    data = dataset()
    people = select(User.import_ref, User.email, User.first_name, User.last_name)
    wanted = [queries.ref(key) for key in data.sign_ins]
    there = {row.import_ref: row for row in fetch(people.where(User.import_ref.in_(wanted)))}
    rows = [(hint, there[queries.ref(key)]) for key, hint in data.sign_ins.items() if queries.ref(key) in there]
    return [(f"{row.first_name} {row.last_name}, {hint}", row.email, data.password) for hint, row in rows]


@contextmanager
def _seed_settings() -> Iterator[None]:
    settings, counting = current_app.config, limiter.enabled
    before = {name: settings[name] for name in SETTINGS}
    settings.update(SETTINGS)
    limiter.enabled = False
    try:
        yield
    finally:
        settings.update(before)
        limiter.enabled = counting


def _write(data: Dataset, password_hash: str, pictures: PictureStore) -> None:
    """In the order in which things depend on each other, one transaction each. The administrator comes last, with the
    favorites, which have no mark of their own."""
    for person in data.people:
        if not queries.is_there(User, person.key):
            in_transaction(partial(content.create_person, person, password_hash))
        if not queries.has_avatar(person.key):
            _add_avatar(person, pictures)
    _write_on_offer(data, pictures)
    for task in data.tasks:
        _once(f"task:{task.key}", partial(task_courses.create_task, task))
    for booking in data.bookings:
        _once(f"booking:{booking.key}", partial(task_courses.create_booking, booking))
    for conversation in data.conversations:
        in_transaction(partial(content.create_conversation, conversation))
    in_transaction(partial(_finish, data, password_hash))
    _add_avatar(data.administrator, pictures)


def _write_on_offer(data: Dataset, pictures: PictureStore) -> None:
    for listing in data.listings:
        if not queries.is_there(Listing, f"listing:{listing.key}"):
            in_transaction(partial(content.create_listing, listing, pictures.of_listing(listing)))
    for offering in data.offerings:
        if not queries.is_there(Offering, f"offering:{offering.key}"):
            in_transaction(partial(content.create_offering, offering, pictures.of_offering(offering)))


def _add_avatar(person: DemoPerson, pictures: PictureStore) -> None:
    picture = pictures.of_person(person)
    if picture is not None:
        in_transaction(partial(content.set_avatar, person, picture))


def _finish(data: Dataset, password_hash: str) -> None:
    for key, things in data.favorites.items():
        for thing in things:
            content.add_favorite(key, thing)
    content.create_person(data.administrator, password_hash)


def _once(key: str, create: Callable[[], None]) -> None:
    if not queries.is_there(Task, key):
        in_transaction(create)


def _counts(data: Dataset) -> dict[str, int]:
    courses = [*data.tasks, *data.bookings]
    return {
        "people": len(data.people) + 1,
        "listings": len(data.listings),
        "tasks": len(data.tasks),
        "applications": sum(len(task.applications) for task in data.tasks),
        "offerings": len(data.offerings),
        "bookings": len(data.bookings),
        "reviews": sum(bool(course.review_of_worker) + bool(course.review_of_client) for course in courses),
        "conversations": len(data.conversations),
        "messages": sum(len(conversation.messages) for conversation in data.conversations),
        "favorites": sum(map(len, data.favorites.values())),
    }
