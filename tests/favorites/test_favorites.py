"""Things people keep an eye on."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.factories import things
from tests.factories.people import Person

MAKE: dict[str, Callable[..., dict[str, Any]]] = {
    "listing": things.listing,
    "task": things.task,
    "offering": things.offering,
}


@pytest.mark.parametrize("kind", list(MAKE))
def test_a_mark_is_put_on_and_taken_off(anna: Person, juris: Person, kind: str) -> None:
    thing = {"item_type": kind, "item_id": MAKE[kind](anna)["id"]}

    assert juris.post("/api/favorites", json=thing).json["is_favorited"] is True
    assert [one["item_id"] for one in juris.get("/api/favorites").json["favorites"]] == [thing["item_id"]]
    assert anna.get("/api/favorites").json["favorites"] == []
    assert juris.post("/api/favorites", json=thing).json["is_favorited"] is False
    assert juris.get("/api/favorites").json["favorites"] == []


def test_what_is_not_visible_cannot_be_marked(app: Flask, anna: Person, juris: Person) -> None:
    offering = things.offering(anna)["id"]
    anna.post(f"/api/offerings/{offering}/pause")
    hidden = {"item_type": "offering", "item_id": offering}

    assert juris.post("/api/favorites", json=hidden).status_code == 404
    assert anna.post("/api/favorites", json=hidden).status_code < 300
