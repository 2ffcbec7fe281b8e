"""Parameters that nobody reads are named, and refused where the client asks for it."""

import pytest

from tests.factories import things
from tests.factories.people import Person


def test_what_is_ignored_is_named_in_a_header_of_every_answer(anna: Person, anybody: Person) -> None:
    things.listing(anna)
    for person in (anna, anybody):
        for _ in range(2):  # the second may come from the shared cache
            answer = person.get("/api/listings?color=red&per_page=5&%0d%0aX-A=1&strict=0")
            assert answer.headers["X-Ignored-Parameters"] == "%0D%0AX-A, color"
            assert person.get("/api/helpers?status=open").headers["X-Ignored-Parameters"] == "status"
        again = person.get("/api/listings?color=red", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.headers["X-Ignored-Parameters"] == "color"
        assert "X-Ignored-Parameters" not in person.get("/api/listings?lat=56&lng=24&strict=1").headers


def test_with_strict_it_is_refused_and_each_is_named(anybody: Person) -> None:
    answer = anybody.get("/api/tasks?colour=red&shade=dark&strict=true&per_page=5")
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"colour", "shade"})
    assert anybody.get("/api/tasks?per_page=5&strict=true").status_code == 200


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("listings?min_price=20&max_price=10", "max_price"),
        ("offerings?min_price=20&max_price=10", "max_price"),
        ("tasks?min_budget=20.5&max_budget=20.4", "max_budget"),
        ("listings?latitude=56.9", "longitude"),
        ("tasks?lng=24.1", "latitude"),
        ("helpers?radius=10", "radius"),
    ],
)
def test_bounds_in_disorder_and_half_a_place_are_refused(anybody: Person, query: str, wrong: str) -> None:
    answer = anybody.get(f"/api/{query}")
    assert (answer.status_code, set(answer.json["errors"])) == (422, {wrong})
