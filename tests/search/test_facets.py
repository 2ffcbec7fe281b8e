"""How what is on offer divides."""

from typing import Any

import pytest
from flask import Flask

from tests.factories import things
from tests.factories.people import Person


def facets(person: Person, **asked: Any) -> dict[str, Any]:
    """What is answered."""
    answer = person.get("/api/search/filters", query_string=asked)
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def test_what_everybody_may_see_is_counted(app: Flask, anna: Person) -> None:
    things.listing(anna, price=5, condition="good")
    things.listing(anna, price=900, condition="good")
    things.listing(anna, title="Sofa", price=70, category="furniture", condition="used", currency="USD")
    gone = things.listing(anna, price=9000)["id"]
    anna.delete(f"/api/listings/{gone}")
    found = facets(anna)
    assert (found["type"], found["total"]) == ("listing", 3)
    assert [(one["key"], one["count"]) for one in found["categories"]] == [("bicycles", 2), ("home", 1)]
    assert {one["currency"]: (one["least"], one["most"]) for one in found["amounts"]} == {
        "EUR": (5.0, 900.0),
        "USD": (70.0, 70.0),
    }
    assert found["values"]["condition"] == [{"value": "good", "count": 2}, {"value": "used", "count": 1}]


def test_a_query_and_a_category_narrow(app: Flask, anna: Person) -> None:
    things.listing(anna)
    things.listing(anna, title="Sofa", category="furniture")
    assert facets(anna, q="soffa")["total"] == 1
    assert facets(anna, category="furniture")["total"] == 1
    assert facets(anna, q="sofa", category="bicycles")["total"] == 0


@pytest.mark.parametrize("kind", ["task", "offering"])
def test_each_kind_has_its_own(app: Flask, anna: Person, juris: Person, kind: str) -> None:
    things.task(anna, budget=None)
    things.task(anna)
    things.offering(anna)
    things.assigned_task(anna, juris)
    found = facets(anna, type=kind)
    assert (found["type"], found["total"]) == (kind, {"task": 2, "offering": 1}[kind])
    assert found["amounts"][0]["least"] == {"task": 40.0, "offering": 25.0}[kind]


def test_people_divide_by_what_they_can_and_what_they_ask(app: Flask, anna: Person, juris: Person) -> None:
    anna.put("/api/auth/profile", json={"is_helper": True, "skills": "van, drill", "hourly_rate": 18})
    juris.put("/api/auth/profile", json={"is_helper": True, "skills": "van", "helper_categories": "moving"})
    found = facets(anna, type="person")
    assert (found["total"], found["amounts"][0]["least"]) == (2, 18.0)
    assert found["values"]["skills"] == [{"value": "van", "count": 2}, {"value": "drill", "count": 1}]
    assert [(one["key"], one["count"]) for one in found["categories"]] == [("moving", 1)]
    assert facets(anna, type="person", q="drill")["total"] == 1


@pytest.mark.parametrize("asked", [{"type": "animal"}, {"q": "x" * 501}])
def test_what_nobody_could_mean_is_named(app: Flask, anna: Person, asked: dict[str, Any]) -> None:
    assert anna.get("/api/search/filters", query_string=asked).status_code == 422
