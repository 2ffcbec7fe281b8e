"""One search over everything: what it finds, in which order, and how it shows it."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from marketplace.auth.models import User
from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.lists.vocabulary import KnownWord
from marketplace.listings.models import Listing
from marketplace.search.service import snippet
from tests.factories import things
from tests.factories.people import Person

FAR = {"latitude": 57.0, "longitude": 24.4}


def search(person: Person, q: str, **how: Any) -> dict[str, Any]:
    """What is answered."""
    answer = person.get("/api/search", query_string={"q": q, **how})
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def titles(person: Person, q: str, **how: Any) -> list[str]:
    """The titles, the best first."""
    return [result["title"] for result in search(person, q, **how)["results"]]


def test_everything_on_offer_is_found_and_nothing_else(app: Flask, anna: Person, juris: Person) -> None:
    things.listing(anna, title="Sofa, grey")
    things.task(anna, title="Carry a sofa")
    things.offering(anna, title="Sofa repair")
    hidden = things.listing(anna, title="Sofa, sold")["id"]
    anna.put(f"/api/listings/{hidden}", json={"status": "sold"})
    things.assigned_task(anna, juris, title="Sofa, given away")
    paused = things.offering(anna, title="Sofa, paused")["id"]
    anna.post(f"/api/offerings/{paused}/pause")

    found = search(juris, "sofa")
    assert {(one["type"], one["title"]) for one in found["results"]} == {
        ("listing", "Sofa, grey"),
        ("task", "Carry a sofa"),
        ("offering", "Sofa repair"),
    }
    assert (found["total"], found["has_more"], found["corrected"]) == (3, False, None)
    assert {one["item"]["id"] for one in found["results"]} == {one["id"] for one in found["results"]}
    assert set(titles(juris, "sofa", type="task,offering")) == {"Sofa repair", "Carry a sofa"}


def test_a_title_is_better_than_a_text_and_a_whole_word_better_than_a_beginning(app: Flask, anna: Person) -> None:
    things.listing(anna, title="Armchair", description="Goes with a sofa")
    things.listing(anna, title="Sofabed", description="-")
    things.listing(anna, title="Sofa", description="-")
    assert titles(anna, "sofa") == ["Sofa", "Sofabed", "Armchair"]


def test_of_equal_texts_the_nearer_comes_first_and_then_the_newer(app: Flask, anna: Person) -> None:
    old = things.listing(anna, title="Sofa, old")["id"]
    with app.app_context():
        before = datetime.now(UTC) - timedelta(days=60)
        in_transaction(lambda: execute(update(Listing).where(Listing.id == old).values(created_at=before)))
        db.session.remove()
    things.listing(anna, title="Sofa, new")
    things.listing(anna, title="Sofa, far", **FAR)
    assert titles(anna, "sofa") == ["Sofa, far", "Sofa, new", "Sofa, old"]
    here = {"latitude": 56.95, "longitude": 24.1, "radius": 100}
    found = search(anna, "sofa", **here)["results"]
    assert [one["title"] for one in found] == ["Sofa, new", "Sofa, old", "Sofa, far"]
    assert found[0]["distance"] < 1 < found[2]["distance"]


def test_a_slip_is_forgiven_and_said(app: Flask, anna: Person) -> None:
    things.listing(anna, title="Velosipēds")
    found = search(anna, "velosipdes")
    assert (found["corrected"], [one["title"] for one in found["results"]]) == ("velosipeds", ["Velosipēds"])


def test_a_score_explains_itself(app: Flask, anna: Person) -> None:
    things.listing(anna, title="Grey sofa", description="-")
    (one,) = search(anna, "grey sofa", explain=True)["results"]
    assert one["why"] == {"text": 1.0, "near": 0.0, "rated": 0.7, "fresh": 1.0}
    assert one["score"] == pytest.approx(0.785, abs=0.001)
    assert "why" not in search(anna, "grey sofa")["results"][0]


def test_pages_do_not_overlap_and_end(app: Flask, anna: Person) -> None:
    for number in range(7):
        things.listing(anna, title=f"Sofa {number}")
    pages = [search(anna, "sofa", page=page, per_page=3) for page in (1, 2, 3, 4)]
    seen = [one["id"] for page in pages for one in page["results"]]
    assert (len(seen), len(set(seen))) == (7, 7)
    assert [page["has_more"] for page in pages] == [True, True, False, False]


def test_a_cursor_goes_on_where_the_page_ended_whatever_is_put_up_meanwhile(app: Flask, anna: Person) -> None:
    things.task(anna, title="Carry a sofa")
    for number in range(5):
        things.listing(anna, title=f"Sofa {number}", description="-")
    first = search(anna, "sofa", per_page=2, cursor="start")
    things.listing(anna, title="Sofa, newer", description="-")
    rest = search(anna, "sofa", per_page=100, cursor=first["next_cursor"])
    assert "total" not in first
    assert len({(one["type"], one["id"]) for one in first["results"] + rest["results"]}) == 6
    assert "Sofa, newer" not in [one["title"] for one in rest["results"]]
    assert (rest["has_more"], rest["next_cursor"]) == (False, None)
    other = anna.get("/api/search", query_string={"q": "chair", "cursor": first["next_cursor"]})
    assert (other.status_code, list(other.json["errors"])) == (422, ["cursor"])


def test_those_who_offer_to_help_are_found_by_name_and_skill(app: Flask, anna: Person, juris: Person) -> None:
    juris.put("/api/auth/profile", json={"first_name": "Juris", "skills": "plumbing", "bio": "Pipes and taps."})
    assert titles(anna, "plumbing") == []
    juris.put("/api/auth/profile", json={"is_helper": True})
    assert titles(anna, "plumbing") == titles(anna, "plubming") == ["Juris"]
    assert search(anna, "taps", type="person")["results"][0]["item"]["id"] == juris.id
    assert [one["id"] for one in anna.get("/api/helpers?q=juris").json["helpers"]] == [juris.id]
    juris.put("/api/auth/profile", json={"is_helper": False})
    assert titles(anna, "plumbing") == []
    with app.app_context():
        assert not fetch(select(KnownWord.id).where(KnownWord.word == "plumbing"))
        db.session.remove()


def test_of_equal_finds_the_better_rated_owner_comes_first(app: Flask, anna: Person, juris: Person) -> None:
    things.listing(anna, title="Sofa, hers", description="-")
    things.listing(juris, title="Sofa, his", description="-")
    for rated, best in ((anna, "Sofa, hers"), (juris, "Sofa, his")):
        with app.app_context():
            in_transaction(lambda: execute(update(User).values(rating_sum=0, reviews_count=0, average_rating=0.0)))
            good = {"rating_sum": 50, "reviews_count": 10, "average_rating": 5.0}
            in_transaction(partial(execute, update(User).where(User.id == rated.id).values(good)))
            db.session.remove()
        assert titles(anna, "sofa")[0] == best
        assert anna.get("/api/listings?sort=-rating").json["listings"][0]["title"] == best
    with app.app_context():
        in_transaction(lambda: execute(update(User).values(rating_sum=0, reviews_count=0, average_rating=0.0)))
        db.session.remove()


def test_hits_are_marked_without_markup() -> None:
    text = "A <b>long</b> story. " * 40 + "The sofa, grey & soft, is by the window. " + "More. " * 40
    pieces = snippet(text, ("sof",))
    assert [piece["text"] for piece in pieces if piece["hit"]] == ["sofa", "soft"]
    assert "".join(piece["text"] for piece in pieces) in text
    assert snippet("", ("sofa",)) == []
    assert snippet("Nothing of it", ("sofa",)) == [{"text": "Nothing of it", "hit": False}]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "\u202e"}, "q"),
        ({"q": "x", "type": "animal"}, "type"),
        ({"q": "x", "type": ","}, "type"),
        ({"q": "x", "radius": 20_101}, "radius"),
        ({"q": "x", "latitude": 91, "longitude": 0}, "latitude"),
        ({"q": "x", "page": 0}, "page"),
    ],
)
def test_what_nobody_could_mean_is_named(app: Flask, anna: Person, asked: dict[str, Any], field: str) -> None:
    answer = anna.get("/api/search", query_string=asked)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.parametrize("q", ["😀", '"', "-sofa", "'; DROP TABLE users --", "a" * 500, "sofa & | ! :*"])
def test_whatever_is_typed_is_an_answer(app: Flask, anna: Person, q: str) -> None:
    assert search(anna, q)["results"] == []


@pytest.mark.parametrize("place", [(90, 0), (-90, 179.9), (0, 180), (0, -180)])
@pytest.mark.parametrize("radius", [0, 20_100])
def test_the_ends_of_the_world_are_places(app: Flask, anna: Person, place: tuple[float, float], radius: float) -> None:
    things.listing(anna, title="Sofa")
    search(anna, "sofa", latitude=place[0], longitude=place[1], radius=radius)


def test_suggestions_go_on_with_what_is_typed(app: Flask, anna: Person) -> None:
    things.listing(anna, title="Grey sofa")
    things.task(anna, title="Carry a sofabed")
    answer = anna.get("/api/search/suggest", query_string={"q": "grey so"}).json["suggestions"]
    assert [one["text"] for one in answer if one["type"] == "word"] == ["grey sofa", "grey sofabed"]
    assert [(one["type"], one["text"]) for one in answer if one["type"] != "word"] == [("listing", "Grey sofa")]
    for nothing in ("", "s", "!!", "zzz"):
        assert anna.get("/api/search/suggest", query_string={"q": nothing}).json["suggestions"] == []


def test_what_is_taken_off_is_found_no_more_at_once(app: Flask, anna: Person) -> None:
    listing = things.listing(anna, title="Kontrabass")["id"]
    assert titles(anna, "kontrabass") == ["Kontrabass"]
    anna.put(f"/api/listings/{listing}", json={"title": "Trombone"})
    assert (titles(anna, "kontrabass"), titles(anna, "trombone")) == ([], ["Trombone"])
    anna.delete(f"/api/listings/{listing}")
    assert titles(anna, "trombone") == []
