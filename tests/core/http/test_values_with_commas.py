"""A value of a list that holds a comma is one value, wherever lists of short texts are kept."""

from typing import Any

import pytest
from flask import Flask

from tests.factories import things
from tests.factories.people import Person

SIZES = ["size 9,5", "red", ",", "a,,b"]


def test_a_list_keeps_its_values(app: Flask, anna: Person, juris: Person) -> None:
    listing = things.listing(anna, tags=SIZES)["id"]
    task = things.task(anna, required_skills=["plumbing, heating", "painting"])["id"]
    assert juris.get(f"/api/listings/{listing}").json["tags"] == SIZES
    assert juris.get(f"/api/tasks/{task}").json["required_skills"] == ["plumbing, heating", "painting"]
    assert [one["id"] for one in juris.get("/api/listings?q=9,5").json["listings"]] == [listing]


def test_a_string_separates_by_commas_and_comes_back_as_it_was(app: Flask, anna: Person) -> None:
    anna.put("/api/auth/profile", json={"skills": ["plumbing, heating", "painting"]})
    told = anna.get("/api/auth/profile").json["skills"]
    assert told == "plumbing%2C heating,painting"
    anna.put("/api/auth/profile", json={"skills": told})
    assert anna.get(f"/api/auth/users/{anna.id}").json["skills"] == ["plumbing, heating", "painting"]
    anna.put("/api/auth/profile", json={"skills": "plumbing, heating , painting"})
    assert anna.get(f"/api/auth/users/{anna.id}").json["skills"] == ["plumbing", "heating", "painting"]


def test_what_looks_like_an_escaped_comma_is_none(app: Flask, anna: Person) -> None:
    anna.put("/api/auth/profile", json={"skills": ["c%2Cd", "x"]})
    told = anna.get("/api/auth/profile").json["skills"]
    anna.put("/api/auth/profile", json={"skills": told})
    assert anna.get(f"/api/auth/users/{anna.id}").json["skills"] == ["c%2Cd", "x"]


@pytest.mark.parametrize("wanted", ["pipes%2C taps", "pipes", "taps"])
def test_helpers_are_filtered_by_whole_values(app: Flask, anna: Person, juris: Person, wanted: str) -> None:
    anna.put("/api/auth/profile", json={"is_helper": True, "helper_categories": ["pipes, taps"]})
    juris.put("/api/auth/profile", json={"is_helper": True, "helper_categories": ["pipes", "taps"]})
    found = juris.get("/api/helpers", query_string={"category": wanted}).json["helpers"]
    assert [one["id"] for one in found] == [anna.id if "%2C" in wanted else juris.id]


@pytest.mark.parametrize("value", ["a\x1fb", "\x1f"])
def test_what_stands_for_a_comma_cannot_be_sent(app: Flask, anna: Person, value: str) -> None:
    listing: Any = things.listing(anna, tags=[value, "red"])
    assert listing["tags"] == (["a b", "red"] if "a" in value else ["red"])
