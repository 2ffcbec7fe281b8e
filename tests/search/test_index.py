"""The index follows every write, hide, ban and delete in the transaction that makes it: it equals a rebuild."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text, update

from marketplace.core import search
from marketplace.core.db import db, execute, fetch, in_transaction
from marketplace.core.search import INDEXED
from marketplace.listings.models import Listing
from tests.factories import things
from tests.factories.people import Person

WORDS = ("sofa", "Rīga", "ёлка", "van", "drill", "bicycle", "velosipēds", "NATO-strap", "C++", "50%", "a_b", "“quoted”")
MAKE: dict[str, Callable[..., dict[str, Any]]] = {
    "listings": things.listing,
    "tasks": things.task,
    "offerings": things.offering,
}


def wrong_rows() -> int:
    """Rows whose texts are not what their fields say, or that the engine's own index does not have as they stand."""
    wrong = search.rebuild()
    for name in INDEXED:
        if db.engine.dialect.name == "sqlite":
            # 1: compare with the table too; raises DatabaseError where they differ (sqlite.org/fts5.html, 6.4)
            check = text(f"INSERT INTO {name}_search({name}_search, rank) VALUES ('integrity-check', 1)")
            in_transaction(lambda check=check: execute(check))
        else:
            differs = "search_vector IS DISTINCT FROM words_as_they_are(search_text)"
            wrong += int(fetch(text(f"SELECT count(*) FROM {name} WHERE {differs}"))[0][0])
    return wrong


def say(chance: random.Random) -> str:
    """Some words."""
    return " ".join(chance.choices(WORDS, k=chance.randint(1, 5)))


@pytest.mark.parametrize("seed", range(5))
def test_after_any_history_the_index_is_what_a_rebuild_would_make(
    app: Flask, anna: Person, juris: Person, anybody: Person, seed: int
) -> None:
    chance = random.Random(seed)
    living: dict[str, list[int]] = {name: [] for name in MAKE}
    for _ in range(40):
        name = chance.choice(list(MAKE))
        known = living[name]
        step = chance.choice(["make", "edit", "hide", "delete", "profile"]) if known else "make"
        if step == "make":
            known.append(MAKE[name](anna, title=say(chance), description=say(chance))["id"])
        elif step == "edit":
            change = {chance.choice(["title", "description", "location"]): say(chance)}
            anna.put(f"/api/{name}/{chance.choice(known)}", json=change)
        elif step == "hide":
            hidden = {"listings": "archived", "offerings": "paused"}.get(name)
            anna.put(f"/api/{name}/{chance.choice(known)}", json={"status": hidden} if hidden else {"title": "Hidden"})
        elif step == "delete":
            anna.delete(f"/api/{name}/{known.pop(chance.randrange(len(known)))}")
        else:
            profile = {"is_helper": chance.random() < 0.7, "skills": say(chance), "bio": say(chance)}
            anna.put("/api/auth/profile", json=profile)
    with app.app_context():
        assert wrong_rows() == 0
        db.session.remove()


def test_what_is_hidden_banned_or_deleted_is_found_no_more(
    app: Flask, anna: Person, admin: Person, anybody: Person
) -> None:
    anna.put("/api/auth/profile", json={"is_helper": True, "skills": "quokka"})
    made = {name: make(anna, title=f"Quokka {name}")["id"] for name, make in MAKE.items()}

    def found() -> set[str]:
        return {one["type"] for one in anybody.get("/api/search?q=quokka").json["results"]}

    assert found() == {"listing", "task", "offering", "person"}
    anna.put(f"/api/listings/{made['listings']}", json={"status": "sold"})
    anna.post(f"/api/offerings/{made['offerings']}/pause")
    anna.delete(f"/api/tasks/{made['tasks']}")
    assert found() == {"person"}
    things.listing(anna, title="Quokka again")
    assert found() == {"person", "listing"}
    assert admin.post(f"/api/admin/users/{anna.id}/ban", json={"reason": "Spam."}).status_code == 200
    assert found() == set()


def test_what_differs_is_found_and_mended(app: Flask, anna: Person, anybody: Person) -> None:
    listing = things.listing(anna, title="Quokka")["id"]
    with app.app_context():
        in_transaction(lambda: execute(update(Listing).where(Listing.id == listing).values(search_text="other")))
        assert anybody.get("/api/search?q=quokka").json["results"] == []
        assert search.rebuild() == 1
        assert search.rebuild() == 0
        db.session.remove()
    assert [one["id"] for one in anybody.get("/api/search?q=quokka").json["results"]] == [listing]


@pytest.mark.parametrize("by_rebuild", [False, True])
def test_deleted_words_leave_the_file_of_sqlite(app: Flask, by_rebuild: bool) -> None:
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            return  # a row that is gone is gone with its vector (VACUUM)
        if by_rebuild:
            _delete_at_once(0)  # as on a SQLite without the option
        chance = random.Random(23)
        for _ in range(20 if by_rebuild else 1):  # a merge may have taken them out by chance
            in_transaction(lambda: _fill_and_empty(chance))
            if _blocks_with(b"zvirbulis"):
                break
        kept = _blocks_with(b"zvirbulis")
        search.forget_deleted()
        assert (bool(kept), _blocks_with(b"zvirbulis")) == (by_rebuild, [])
        _delete_at_once(1)
        db.session.remove()


def _delete_at_once(wanted: int) -> None:
    order = text(f"INSERT INTO listings_search(listings_search, rank) VALUES ('secure-delete', {wanted})")
    in_transaction(lambda: execute(order))


def _fill_and_empty(chance: random.Random) -> None:
    add = text("INSERT INTO listings_search(rowid, search_text) VALUES (:id, :words)")
    take = text("INSERT INTO listings_search(listings_search, rowid, search_text) VALUES ('delete', :id, :words)")
    rows = [{"id": 1_000_000 + place, "words": f"w{chance.randint(0, 999)}"} for place in range(60)]
    rows[30]["words"] = "zvirbulis"
    for row in rows:
        execute(add, row)
    for row in rows:
        execute(take, row)


def _blocks_with(word: bytes) -> list[int]:
    return [row.id for row in fetch(text("SELECT id, block FROM listings_search_data")) if word in (row.block or b"")]
