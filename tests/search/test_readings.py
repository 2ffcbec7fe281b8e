"""How a query is understood stays so from page to page, whatever people write meanwhile."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from marketplace.auth.models import User
from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.lists import full_text
from marketplace.core.lists.full_text import MOST_CANDIDATES
from marketplace.core.lists.vocabulary import KnownWord, vocabulary
from marketplace.listings.models import Listing
from marketplace.search.models import SavedSearch
from marketplace.search.policy import searchable
from marketplace.search.saved_searches import service as saved_searches_service
from tests.factories import things
from tests.factories.people import Person


def found(person: Person, path: str, **asked: Any) -> dict[str, Any]:
    """What is answered."""
    answer = person.get(path, query_string=asked)
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def is_known(app: Flask, word: str) -> bool:
    """Whether it is suggested, by this process too."""
    with app.app_context():
        vocabulary().forget()
        known = bool(fetch(select(KnownWord.id).where(KnownWord.word == word)))
        db.session.remove()
    return known


def test_a_slip_somebody_made_before_hides_nothing(app: Flask, anna: Person, juris: Person) -> None:
    for number in range(8):
        things.listing(anna, title=f"Bicycle {number}", description="-", category="other")
    slip = things.listing(juris, title="Bycicle", description="-", category="other")["id"]
    for path, name in (("/api/search", "results"), ("/api/listings", "listings")):
        assert len(found(anna, path, q="bycicle")[name]) == 9
        assert found(anna, path, q="bycicle")[name][0]["title"] == "Bycicle"
    assert len(found(anna, "/api/listings", q="bycicle", sort="price")["listings"]) == 9
    second = found(anna, "/api/listings", q="bycicle", sort="price", page=2, per_page=5)
    assert (len(second["listings"]), second["total"]) == (4, 9)
    juris.delete(f"/api/listings/{slip}")
    assert len(found(anna, "/api/search", q="bycicle")["results"]) == 8


@pytest.mark.parametrize(
    ("path", "name", "asked"),
    [
        ("/api/search", "results", {}),
        ("/api/listings", "listings", {}),
        ("/api/listings", "listings", {"sort": "price"}),
    ],
)
def test_a_page_goes_on_as_it_began(
    app: Flask, anna: Person, juris: Person, path: str, name: str, asked: dict[str, Any]
) -> None:
    for number in range(12):
        things.listing(anna, title=f"Bicycle {number}", description="-", category="other")
    first = found(anna, path, q="bycicle", per_page=7, cursor="start", **asked)
    things.listing(juris, title="Bycicle", description="-", category="other", price=1)
    rest = found(anna, path, q="bycicle", per_page=7, cursor=first["next_cursor"], **asked)
    ids = [one["id"] for one in first[name] + rest[name]]
    assert (len(ids), len(set(ids)), rest["has_more"]) == (12, 12, False)


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("value", [True, None, "x", [], "=;;;", "=a'b;", '="*', 1.5])
def test_a_cursor_that_was_changed_is_refused(app: Flask, anna: Person, place: int, value: Any) -> None:
    for number in range(3):
        things.listing(anna, title=f"Sofa {number}", description="-")
    for path, asked in (
        ("/api/search", {"q": "sofa"}),
        ("/api/listings", {"q": "sofa"}),
        ("/api/listings", {"q": "sofa", "sort": "price"}),
        ("/api/listings", {"sort": "rating"}),
    ):
        cursor = found(anna, path, cursor="start", per_page=1, **asked)["next_cursor"]
        keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if place >= len(keys) or keys[place] == value:
            continue
        keys[place] = value
        forged = base64.urlsafe_b64encode(orjson.dumps(keys)).decode().rstrip("=")
        answer = anna.get(path, query_string={**asked, "cursor": forged})
        assert answer.status_code in {200, 422}, (path, keys, answer.json)


def test_a_score_is_of_the_moment_of_the_first_page(app: Flask, anna: Person) -> None:
    for number in range(6):
        made = things.listing(anna, title=f"Sofa {number}", description="-")["id"]
        old = datetime.now(UTC) - timedelta(days=10 * number)
        with app.app_context():
            in_transaction(
                lambda made=made, old=old: execute(update(Listing).where(Listing.id == made).values(created_at=old))
            )
            db.session.remove()
    first = found(anna, "/api/search", q="sofa", per_page=3, cursor="start")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=50)):
        rest = found(anna, "/api/search", q="sofa", per_page=3, cursor=first["next_cursor"])
    titles = [one["title"] for one in first["results"] + rest["results"]]
    assert titles == [f"Sofa {number}" for number in range(6)]


def test_one_vote_does_not_rule(app: Flask, anna: Person, juris: Person) -> None:
    things.listing(anna, title="Sofa of one vote", description="-")
    things.listing(juris, title="Sofa of many votes", description="-")
    votes = {anna.id: (5, 1, 5.0), juris.id: (94, 20, 4.7)}
    for user_id, (total, count, mean) in votes.items():
        values = {"rating_sum": total, "reviews_count": count, "average_rating": mean}
        with app.app_context():
            in_transaction(lambda i=user_id, v=values: execute(update(User).where(User.id == i).values(v)))
            db.session.remove()
    try:
        assert found(anna, "/api/search", q="sofa")["results"][0]["title"] == "Sofa of many votes"
    finally:
        with app.app_context():
            in_transaction(lambda: execute(update(User).values(rating_sum=0, reviews_count=0, average_rating=0.0)))
            db.session.remove()


def test_what_has_expired_is_found_no_more(app: Flask, anna: Person) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    things.listing(anna, title="Sofa", expires_at=soon)
    assert found(anna, "/api/search", q="sofa")["total"] == 1
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=59)):
        assert found(anna, "/api/search", q="sofa")["total"] == 1
    with app.app_context():
        past = datetime.now(UTC) - timedelta(minutes=1)
        in_transaction(lambda: execute(update(Listing).values(expires_at=past)))
        db.session.remove()
    assert found(anna, "/api/search", q="sofa")["total"] == 0
    assert found(anna, "/api/search/filters", q="sofa")["total"] == 0


def test_many_newer_beginnings_hide_no_whole_word(app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.core.lists.list_query.MOST_CANDIDATES", 10)
    assert MOST_CANDIDATES == 500
    things.listing(anna, title="Cat", description="-")
    for number in range(15):
        things.listing(anna, title=f"Category {number}", description="-")
    page = found(anna, "/api/listings", q="cat")
    assert page["listings"][0]["title"] == "Cat"
    assert page["total_is_exact"] is False


def test_words_of_changed_texts_are_swept(app: Flask, anna: Person) -> None:
    listing = things.listing(anna, title="Quokka and Kangaroo")["id"]
    anna.put(f"/api/listings/{listing}", json={"title": "Kangaroo"})
    assert is_known(app, "quokka")
    with app.app_context():
        assert in_transaction(full_text.sweep_words) >= 1
        db.session.remove()
    assert (is_known(app, "quokka"), is_known(app, "kangaroo")) == (False, True)


@pytest.mark.parametrize(
    ("typed", "posted"), [("lamps", "Lamp"), ("lampas", "Lampa"), ("лампы", "Лампа"), ("couch", "Sofa")]
)
def test_what_nobody_has_written_yet_is_awaited_in_every_form(
    app: Flask, anna: Person, juris: Person, typed: str, posted: str
) -> None:
    anna.post("/api/saved-searches", json={"name": "Mine", "q": typed})
    listing = things.listing(juris, title=posted, description="-", category="other")["id"]
    with app.app_context():
        thing = searchable()["listing"].new(listing)
        _, fitting = saved_searches_service.waiting_for("listing", thing, 0, 100)
        db.session.remove()
    assert len(fitting) == 1


def test_saving_the_same_again_forgets_nothing_that_waits(app: Flask, anna: Person) -> None:
    body = {"name": "Mine", "q": "sofa", "category": "furniture"}
    kept = anna.post("/api/saved-searches", json=body).json["id"]

    def since() -> Any:
        with app.app_context():
            moment = fetch(select(SavedSearch.alerts_since).where(SavedSearch.id == kept))[0].alerts_since
            db.session.remove()
        return moment

    before = since()
    anna.put(f"/api/saved-searches/{kept}", json={**body, "name": "Renamed"})
    assert since() == before
    anna.put(f"/api/saved-searches/{kept}", json={"q": "armchair"})
    assert since() > before
    assert anna.put(f"/api/saved-searches/{kept}", json={"category": "nope"}).status_code == 422
