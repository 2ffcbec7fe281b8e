"""What a query finds: the same on both databases, with slips, endings, phrases and words that must be absent."""

import pytest
from flask import Flask
from sqlalchemy import delete, select

from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.lists import full_text, vocabulary
from marketplace.core.lists.vocabulary import HOUR, KnownWord, Vocabulary
from tests.factories import things
from tests.factories.people import Person

GOODS = {
    "bicycle": "City bicycle, seven gears",
    "velosipeds": "Sarkans velosipēds Rīgā",
    "велосипед": "Детский велосипед, жёлтый",
    "sofa": "Leather sofa with two armchairs",
    "armchair": "One armchair, no sofa",
    "phone": "Phone, new in box",
}


@pytest.fixture
def shop_window(app: Flask, anna: Person) -> Person:
    """Some things for sale."""
    for title in GOODS.values():
        things.listing(anna, title=title, description="-", tags="", category="other")
    return anna


def found(person: Person, query: str) -> set[str]:
    """Which of the goods."""
    answer = person.get("/api/listings", query_string={"q": query})
    assert answer.status_code == 200, answer.json
    names = {title: name for name, title in GOODS.items()}
    return {names[item["title"]] for item in answer.json["listings"]}


BICYCLES = {"bicycle", "velosipeds", "велосипед"}  # whatever they are called
CASES: dict[str, set[str]] = {
    "bicycle": BICYCLES,
    "bycicle": {"bicycle"},
    "bicycl": BICYCLES,
    "bicycles": BICYCLES,
    "velosipedi": BICYCLES,
    "VELOSIPĒDA": BICYCLES,
    "velosipds": {"velosipeds"},
    "Riga": {"velosipeds"},
    "велосипеды": BICYCLES,
    "велосепед": {"велосипед"},
    "желтый": {"велосипед"},
    "sofa": {"sofa", "armchair"},
    "sofas": {"sofa", "armchair"},
    '"leather sofa"': {"sofa"},
    '"sofa leather"': set(),
    "sofa -armchair": {"sofa"},
    "sofa -leather": {"armchair"},
    'sofa -"no sofa"': {"sofa"},
    "armchiar sofa": {"sofa", "armchair"},
    "phnoe": {"phone"},
    "sofa bicycle": set(),
    "xyzzyx": set(),
    "😀": set(),
    "-sofa": set(),
    '"': set(),
    'sofa"': {"sofa", "armchair"},
    "sofa OR phone": set(),
    "so*": {"sofa", "armchair"},
    "no": {"armchair"},
}


@pytest.mark.parametrize("query", CASES)
def test_a_query_finds_what_was_meant(shop_window: Person, query: str) -> None:
    assert found(shop_window, query) == CASES[query]


@pytest.mark.parametrize(
    "query",
    [
        "a" * 10_000,
        "a " * 5_000,
        "-" * 500,
        '"' * 501,
        "& | ! <-> :* ( ) '",
        "NEAR(a b) AND NOT ^x {t}: *",
        "\\' OR 1=1 --",
        "-a -b -c",
        "٣ 四 ünïcödé",
    ],
)
def test_whatever_is_typed_is_an_answer(shop_window: Person, query: str) -> None:
    for path in ("/api/listings", "/api/tasks", "/api/offerings"):
        assert shop_window.get(path, query_string={"q": query}).status_code in {200, 422}


def words_known(app: Flask) -> set[str]:
    """The vocabulary as it is written."""
    with app.app_context():
        found = {row.word for row in fetch(select(KnownWord.word))}
        db.session.remove()
    return found


def test_words_are_known_with_the_write_that_brings_them(app: Flask, anna: Person) -> None:
    listing = things.listing(anna, title="Kontrabass 1234 ab", description="Liels")["id"]
    assert {"kontrabass", "liels"} <= words_known(app)
    assert not {"1234", "ab"} & words_known(app)
    anna.put(f"/api/listings/{listing}", json={"title": "Trombons"})
    assert "trombons" in words_known(app)


def test_words_nobody_writes_any_more_can_be_forgotten(app: Flask, anna: Person) -> None:
    things.listing(anna, title="Kontrabass", description="Liels")
    things.task(anna, title="Carry a kontrabass", description="Heavy")
    with app.app_context():
        in_transaction(lambda: full_text.forget_words(["kontrabass nowhere"]))
        assert "kontrabass" in words_known(app)
        db.session.remove()


def test_a_process_learns_what_others_write(context: Flask, anna: Person) -> None:
    known = Vocabulary(patience=0.0)
    known.refresh()
    assert not known.has("kontrabass")
    things.listing(anna, title="Kontrabass")
    known.refresh()
    assert known.completions("kontrab", 1) == ["kontrabass"]
    assert known.neighbours("kontarbas") == ["kontrabass"]


def test_a_word_that_becomes_visible_late_is_known(context: Flask, anna: Person) -> None:
    things.listing(anna, title="Trombone")
    known = Vocabulary(patience=0.0)
    known.refresh()
    known._words.last_id += 100  # others came first
    things.listing(anna, title="Kontrabass")
    known.refresh()
    assert known.has("kontrabass")
    assert not known.has("kontrabasx")


def test_words_that_are_gone_are_forgotten_within_the_hour_without_a_gap(context: Flask, anna: Person) -> None:
    things.listing(anna, title="Trombone")
    known = Vocabulary(patience=0.0)
    known.refresh()
    in_transaction(lambda: execute(delete(KnownWord)))
    things.listing(anna, title="Kontrabass")
    known.refresh()
    assert (known.has("trombone"), known.has("kontrabass")) == (True, True)
    known._words.begun_at -= 2 * HOUR
    known.refresh()
    assert (known.has("trombone"), known.has("kontrabass")) == (False, True)


def test_many_words_are_read_in_parts(context: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "BATCH", 3)
    monkeypatch.setattr(vocabulary, "OVERLAP", 1)
    things.listing(anna, title="Alpha beta gamma delta epsilon zeta", description="-")
    known, every = Vocabulary(patience=60.0), ["alpha", "beta", "delta", "epsilon", "gamma", "zeta"]
    known.refresh()
    begun = [word for word in every if known.has(word)]
    assert 0 < len(begun) < len(every)
    for _ in every:
        known.refresh()
    assert all(map(known.has, every))


@pytest.mark.parametrize(("typed", "near"), [("sofe", ["sofa"]), ("sfoa", ["sofa"]), ("so", []), ("soffaa", ["sofa"])])
def test_slips_are_one_in_short_words_and_two_in_long_ones(
    context: Flask, anna: Person, typed: str, near: list[str]
) -> None:
    things.listing(anna, title="Sofa", description="-")
    known = Vocabulary()
    known.refresh()
    assert known.neighbours(typed) == near
