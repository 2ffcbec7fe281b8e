"""Numbers as texts: what anybody reads, and what only Python would."""

import pytest

from tests.factories import things
from tests.factories.people import Person

BIKE = {"title": "Bike", "description": "It rides.", "category": "other", "location": "Rīga", **things.RIGA}


@pytest.mark.one_database
@pytest.mark.parametrize("number", ["１２", "٣", "1_000", "1,5", "12 000", "0x10", "½"])
def test_a_number_that_only_python_would_read_is_refused(anna: Person, number: str) -> None:
    answer = anna.post("/api/listings", {**BIKE, "price": number})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["price"])
    for query in ({"per_page": number}, {"latitude": number, "longitude": "24"}):
        assert anna.get("/api/listings", query_string=query).status_code == 422


@pytest.mark.one_database
@pytest.mark.parametrize(("number", "minor"), [("12", 1200), ("12.50", 1250), (" 7 ", 700), ("1e2", 10_000)])
def test_a_plain_one_is_taken(anna: Person, number: str, minor: int) -> None:
    assert anna.post("/api/listings", {**BIKE, "price": number}).json["listing"]["price_minor"] == minor
