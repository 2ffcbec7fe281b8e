"""People are told what is wrong in words of ours, and all that is missing at once."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema, fields

from marketplace.core.http.problems import SENTENCES
from marketplace.kit.errors import Problem
from tests.factories import things
from tests.factories.people import Person

LIBRARY = re.compile(
    r"Missing data|Field may not|[Nn]ot a valid|Invalid (value|input|type)|Unknown field|(Shorter|Longer) than|"
    r"^Must be|Length must|does not match|special numeric|choices you made|Schema\b|None\b|NaN"
)
UNUSED = {"format", "invalid_awareness"}  # said where we write a date, which no client causes
OF_A_CHECK = ("default_message", "message_min", "message_max", "message_all")


def _inputs(kind: type[Any]) -> Iterator[type[Any]]:
    for child in kind.__subclasses__():
        yield child
        yield from _inputs(child)


def _sentences_of(field: fields.Field[Any]) -> Iterator[str]:
    yield from (text for key, text in field.error_messages.items() if key not in UNUSED)
    for check in field.validators:
        said = getattr(check, "error", None)
        yield from [said] if said else (getattr(check, name) for name in OF_A_CHECK if hasattr(check, name))
    inner = getattr(field, "inner", None)
    if inner is not None:
        yield from _sentences_of(inner)


def test_no_field_of_ours_speaks_as_the_library_does(app: Flask) -> None:
    said = {
        (schema.__name__, name, sentence)
        for schema in _inputs(Schema)
        if schema.__module__.startswith("marketplace")
        for name, field in schema._declared_fields.items()
        for sentence in _sentences_of(field)
        if LIBRARY.search(str(sentence))
    }
    assert said == set()


def test_no_error_of_ours_speaks_as_a_library_does() -> None:
    own = [(kind.__name__, kind.sentence) for kind in _inputs(Problem)] + list(SENTENCES.values())
    assert [one for one in own if LIBRARY.search(one[1]) or not one[1].endswith(".")] == []


def test_everything_that_is_missing_is_named_in_the_sentence_a_client_shows(anna: Person) -> None:
    bare, wrong = anna.post("/api/listings"), anna.post("/api/listings", {"title": " ", "price": -1})
    assert bare.json["error"] == "title, description, price and category are missing."
    assert bare.json["errors"]["price"] == ["This is missing."]
    assert wrong.json["error"] == (
        "title, description and category are missing. price: Between 0 and 1,000,000,000,000."
    )
    assert anna.post("/api/blocks").json["error"] == "user id is missing."


def test_a_text_that_is_too_long_is_told_both_lengths(anna: Person) -> None:
    answer = anna.put("/api/auth/profile", {"first_name": "x" * 1234})
    assert re.fullmatch(r"first name: At most \d+ characters; this has 1,234\.", answer.json["error"])


@pytest.mark.parametrize(
    "path", ["/api/listings", "/api/tasks", "/api/offerings", "/api/helpers", "/api/search?q=sofa", "/api/tasks/search"]
)
def test_half_a_place_or_a_circle_without_a_middle_is_refused(anybody: Person, path: str) -> None:
    ask = f"{path}{'&' if '?' in path else '?'}"
    for half, missing in (("latitude=56.9", "longitude"), ("lng=24.1", "latitude"), ("radius=5", "radius")):
        answer = anybody.get(f"{ask}{half}")
        assert (answer.status_code, list(answer.json["errors"])) == (422, [missing]), half
    assert anybody.get(f"{ask}latitude=56.9&lng=24.1&radius=5").status_code == 200
    assert anybody.get(f"{ask}radius=").status_code == 200


def test_half_a_place_is_refused_in_what_is_written_too(anna: Person) -> None:
    listing, offering = things.listing(anna)["id"], things.offering(anna)["id"]
    for path in (f"/api/listings/{listing}", f"/api/offerings/{offering}", "/api/auth/profile"):
        answer = anna.put(path, {"latitude": 56.9})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["longitude"]), path
        assert anna.put(path, {"latitude": 56.9, "longitude": 24.1}).status_code == 200
