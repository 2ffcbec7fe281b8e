"""Fill an application with a set, ask it every query of the set over HTTP, and score the answers."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from marketplace.auth.models import User
from marketplace.catalog.models import Category
from marketplace.catalog.queries import tree
from marketplace.core.database.db import db, fetch
from marketplace.demo_data.service import seed
from marketplace.listings.models import Listing
from marketplace.offerings.models import Offering
from marketplace.tasks.models import Task
from tests.database_reset import empty
from tests.factories.people import sign_up
from tests.search.judged.judging import DEPTH, Query, Thing, ndcg, queries

# What is imported of set A: kind, file, how many rows of it, and how its columns are ours.
FILES = (
    ("listings", "listings.csv", 7000, ()),
    ("listings", "flats_riga.csv", 5000, ("location=district",)),
    ("listings", "places.csv", 5000, ("description=title",)),
    ("listings", "stays.csv", 5000, ("category=@stays",)),
    ("tasks", "jobs.csv", 5000, ("difficulty=level", "category=@tech")),
    ("tasks", "tasks_freelance.csv", 5000, ("budget=budget_min",)),
    ("tasks", "tasks_local.csv", 1500, ("location=address",)),
    ("offerings", "profiles.csv", 3000, ("category=@business", "price_type=@hourly")),
    ("users", "profiles.csv", 3000, ()),
)
LISTINGS, TASKS, OFFERINGS, USERS = (model.__table__ for model in (Listing, Task, Offering, User))
# What is shown to everybody, and what is searched besides title and description.
ON_OFFER: dict[str, tuple[Any, Any, str]] = {
    "listing": (LISTINGS, LISTINGS.c.status == "active", "tags"),
    "task": (TASKS, (TASKS.c.status == "open") & ~TASKS.c.booked, "required_skills"),
    "offering": (OFFERINGS, OFFERINGS.c.status == "active", "experience"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One query, its nDCG, and the titles (with their grades) that came and that should have come first."""

    query: Query
    score: float
    came: list[tuple[int, str]]
    wanted: list[tuple[int, str]]


def measure_town(app: Flask) -> list[Answer]:
    """How well the demo town is searched."""
    return _measured(app, "town", lambda: seed(with_pictures=False))


def measure_set_a(app: Flask, folder: Path) -> list[Answer]:
    """How well the real data are searched."""
    return _measured(app, "set_a", lambda: _import(app, folder))


def mean(answers: list[Answer]) -> float:
    """Of all queries alike."""
    return sum(answer.score for answer in answers) / len(answers)


def _measured(app: Flask, name: str, fill: Callable[[], Any]) -> list[Answer]:
    """Fill, ask, and leave the database as it was."""
    with app.app_context():
        shipped = fetch(select(Category.__table__))
        try:
            fill()
            things = list(_things())
            return [_answer(app, query, things) for query in queries(name)]
        finally:
            db.session.rollback()
            empty(shipped)
            db.session.remove()


def _import(app: Flask, folder: Path) -> None:
    sign_up(app, "anna")
    for kind, file, most, maps in FILES:
        mapped = [part for pair in maps for part in ("--map", pair)]
        options = ["--owner", "anna", "--rejects", os.devnull, "--limit", str(most), *mapped]
        result = app.test_cli_runner().invoke(args=["import", kind, str(folder / file), *options])
        assert result.exit_code == 0, result.output


def _answer(app: Flask, query: Query, things: list[Thing]) -> Answer:
    response = app.test_client().get("/api/search", query_string={**query.asked, "per_page": DEPTH})
    found: Any = response.json
    assert response.status_code == 200, found
    grades = query.grades(things)
    finds = found["results"] if grades or found["matched"] == "all" else []  # what has some words claims no more
    came = [(grades.get((one["type"], one["id"]), 0), one["title"]) for one in finds]
    titles = {(thing.type, thing.id): thing.title for thing in things}
    wanted = sorted(((grade, titles[key]) for key, grade in grades.items()), key=lambda pair: -pair[0])
    return Answer(query, ndcg([grade for grade, _ in came], grades.values()), came, wanted[:DEPTH])


def _things() -> Iterator[Thing]:
    """Everything a search could find."""
    for kind, (table, on_offer, beside) in ON_OFFER.items():
        for row in fetch(select(table).where(on_offer)):
            place = None if row.latitude is None else (row.latitude, row.longitude)
            said = (row.title, row.description, getattr(row, beside), row.location)
            text = "\n".join(str(part) for part in said if part)
            yield Thing(kind, row.id, row.title, text, tuple(tree().path(row.category)), place)
    for user in fetch(select(USERS).where(USERS.c.is_helper, USERS.c.is_active)):
        place = None if user.area_latitude is None else (user.area_latitude, user.area_longitude)
        name = f"{user.first_name} {user.last_name}"
        yield Thing("person", user.id, name, f"{name}\n{user.bio}\n{user.skills}", (), place)
