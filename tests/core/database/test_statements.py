"""No list asks once a row: the number of statements does not grow with the page."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.factories import money, things
from tests.factories.people import Person, sign_up

LISTS = (
    "/api/listings",
    "/api/listings?latitude=56.95&longitude=24.1&radius=10",
    "/api/listings?q=city",
    "/api/listings/my",
    "/api/tasks",
    "/api/tasks/created",
    "/api/tasks/my",
    "/api/tasks/my-applications",
    "/api/offerings",
    "/api/offerings/my",
    "/api/helpers",
    "/api/reviews",
    "/api/favorites",
    "/api/messages/conversations",
    "/api/auth/profile/full",
    "/api/payments",
    "/api/payouts",
    "/api/wallet",
    "/api/wallet/transactions",
)


def _world(app: Flask, person: Person, size: int) -> None:
    for number in range(size):
        other = sign_up(app, f"other{person.id}_{size}_{number}", is_helper=True)
        other.put("/api/auth/profile", json={"is_helper": True})
        things.listing(person)
        things.offering(person)
        things.task(person)
        things.application(person, things.task(other)["id"])
        done = things.completed_task(other, person)["id"]
        things.review(other, done)
        money.finished_task(other, person)
        money.onboard(person)
        money.payout(person, 10)
        person.post("/api/favorites", json={"item_type": "task", "item_id": done})
        person.post("/api/messages/conversations", json={"user_id": other.id, "message": "Hello"})


def _counted(statements: list[str], ask: Callable[[], object]) -> int:
    statements.clear()
    ask()
    return len([s for s in statements if not s.startswith(("BEGIN", "PRAGMA"))])


def test_lists_run_the_same_statements_for_one_row_and_for_many(
    app: Flask, anna: Person, juris: Person, statements: list[str]
) -> None:
    _world(app, anna, 1)
    _world(app, juris, 6)
    for path in LISTS:
        few = _counted(statements, lambda path=path: anna.get(path))
        many = _counted(statements, lambda path=path: juris.get(path))
        assert many <= few, path


@pytest.mark.parametrize(("path", "most"), [("/api/listings?category=bicycles&latitude=56.95&longitude=24.1", 1)])
def test_an_anonymous_browse_is_one_statement(
    app: Flask, anna: Person, anybody: Person, statements: list[str], path: str, most: int
) -> None:
    things.listing(anna)
    anybody.get(path)  # the category tree is read once
    assert _counted(statements, lambda: anybody.get(path)) == most
