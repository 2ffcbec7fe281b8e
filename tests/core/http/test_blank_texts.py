"""Whatever asks for a text refuses one that shows nothing: every schema there is."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from marshmallow import ValidationError, fields

from marketplace.core.http.fields import Str, Words
from marketplace.core.http.schemas import Input
from tests.factories import things
from tests.factories.people import Person, sign_up
from tests.kit.test_normalization import INVISIBLE


def schemas(kind: type[Input] = Input) -> Iterator[type[Input]]:
    """Every kind of body, query and event there is."""
    for each in kind.__subclasses__():
        yield each
        yield from schemas(each)


def asked_for(schema: Input) -> list[str]:
    """Names of the texts that cannot be left out; a present password is compared as it was typed."""
    texts = {name: field for name, field in schema.fields.items() if isinstance(field, Str)}
    return [name for name, field in texts.items() if field.required and (field.trim or field.form)]


def errors(schema: Input, name: str, text: str) -> dict[str, Any]:
    """What is said of this one field."""
    try:
        schema.load({name: text}, partial=True)
    except ValidationError as error:
        return dict(error.messages_dict)
    return {}


@pytest.mark.one_database
@pytest.mark.parametrize("kind", INVISIBLE)
def test_every_required_text_refuses_what_shows_nothing(app: Flask, kind: str) -> None:
    with app.app_context():
        made = [schema() for schema in schemas()]
        asked = [(schema, name) for schema in made for name in asked_for(schema)]
        accepted = [f"{type(one).__name__}.{name}" for one, name in asked if not errors(one, name, INVISIBLE[kind] * 8)]
    assert len(asked) > 40
    assert accepted == []


def test_every_text_that_comes_in_is_looked_at(app: Flask) -> None:
    kinds = {type(field) for schema in schemas() for field in schema().fields.values()}
    unlooked = {kind for kind in kinds if issubclass(kind, fields.String) and not issubclass(kind, Str)}
    assert {kind.__name__ for kind in unlooked} == {"Items", "Types"}  # lists of words we know
    assert Words().deserialize(["\u200b", "bicycles", "\u3164"]) == ["bicycles"]


@pytest.mark.parametrize("kind", ["zero width", "Hangul fillers", "tags"])
def test_texts_that_may_be_left_out_are_left_out(app: Flask, anna: Person, juris: Person, kind: str) -> None:
    nothing = INVISIBLE[kind]
    assert anna.put("/api/auth/profile", json={"first_name": nothing}).json["user"]["first_name"] == ""
    listing = things.listing(anna)
    assert anna.put(f"/api/listings/{listing['id']}", json={"title": nothing}).status_code == 422
    talk = anna.post("/api/messages/conversations", json={"user_id": juris.id, "message": "Hello"}).json["id"]
    path = f"/api/messages/conversations/{talk}/messages"
    assert anna.post(path, json={"content": nothing}).status_code == 422
    assert sign_up(app, "liga").post("/api/auth/api-keys", json={"name": nothing, "scopes": []}).status_code == 422
