"""Paging, sorting and position, the same on both databases."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.core.lists import list_query
from tests.factories import things
from tests.factories.people import Person


def _ids(person: Person, path: str) -> list[int]:
    answer = person.get(path)
    assert answer.status_code == 200, answer.json
    return [item["id"] for item in answer.json["listings"]]


def _walk(person: Person, query: str) -> list[int]:
    found, cursor = [], "start"
    while cursor:
        page = person.get(f"/api/listings?{query}&per_page=2&cursor={cursor}").json
        assert "total" not in page
        found += [item["id"] for item in page["listings"]]
        cursor = page["next_cursor"]
    return found


@pytest.mark.parametrize(
    "query",
    [
        "",
        "q=bicycle",
        "q=bicycle&latitude=56.95&longitude=24.1&radius=500",
        "sort=-rating,price",
        "sort=price",
        "sort=-price",
        "sort=price,-created_at",
        "latitude=56.95&longitude=24.1&radius=500",
        "latitude=56.95&longitude=24.1&radius=20001",
    ],
)
def test_a_cursor_walks_everything_once_in_the_pages_order(anna: Person, anybody: Person, query: str) -> None:
    for number in range(7):
        things.listing(anna, price=number % 3, latitude=56.9 + number / 100)
    assert _walk(anybody, query) == _ids(anybody, f"/api/listings?{query}&per_page=50")


def test_a_row_added_meanwhile_repeats_nothing_and_hides_nothing(anna: Person, anybody: Person) -> None:
    made = [things.listing(anna)["id"] for _ in range(5)]
    first = anybody.get("/api/listings?per_page=2&cursor=start").json
    things.listing(anna, title="Newer")
    rest = anybody.get(f"/api/listings?per_page=10&cursor={first['next_cursor']}").json
    assert [item["id"] for item in first["listings"] + rest["listings"]] == made[::-1]


def test_what_is_added_meanwhile_moves_no_find(anna: Person, anybody: Person) -> None:
    made = {things.listing(anna, title=f"Bicycle {number}")["id"] for number in range(5)}
    first = anybody.get("/api/listings?q=bicycle&per_page=2&cursor=start").json
    things.listing(anna, title="Bicycle")
    rest = anybody.get(f"/api/listings?q=bicycle&per_page=10&cursor={first['next_cursor']}").json
    ids = [item["id"] for item in first["listings"] + rest["listings"]]
    assert (len(ids), set(ids)) == (5, made)


def test_relevance_needs_words_and_stands_alone(anybody: Person) -> None:
    for query in ("sort=relevance", "q=bike&sort=relevance,price", "q=bike&sort=-relevance"):
        answer = anybody.get(f"/api/listings?{query}")
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["sort"])
    assert anybody.get("/api/listings?q=bike&sort=relevance").status_code == 200


@pytest.mark.parametrize("cursor", ["x", "e30", "WzFd", "%00", "🙂", "W251bGwsbnVsbF0"])
def test_a_damaged_cursor_is_told(anybody: Person, cursor: str) -> None:
    answer = anybody.get(f"/api/listings?cursor={cursor}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["cursor"])


def test_a_cursor_of_another_query_is_refused(anna: Person, anybody: Person) -> None:
    for _ in range(3):
        things.listing(anna)
    cursor = anybody.get("/api/listings?per_page=1&cursor=start").json["next_cursor"]
    for query in ("sort=price", "category=bicycles", "latitude=1&longitude=1"):
        assert anybody.get(f"/api/listings?per_page=1&cursor={cursor}&{query}").status_code == 422, query


def test_an_unknown_sort_key_lists_the_known_ones(anybody: Person) -> None:
    answer = anybody.get("/api/listings?sort=password_hash")
    assert answer.status_code == 422
    assert answer.json["errors"] == {
        "sort": ["Sort by one or more of: created_at, price, rating; minus for descending."]
    }


def test_a_page_past_the_end_is_empty_and_still_tells_the_total(anna: Person, anybody: Person) -> None:
    things.listing(anna)
    for page in (2, 10**9):
        answer = anybody.get(f"/api/listings?page={page}").json
        assert (answer["listings"], answer["total"], answer["has_more"]) == ([], 1, False)


def test_totals_are_counted_to_a_bound_and_say_so(
    anna: Person, anybody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        things.listing(anna)
    monkeypatch.setattr(list_query, "COUNT_BOUND", 3)
    monkeypatch.setattr("marketplace.core.lists.pagination.COUNT_BOUND", 3)
    page = anybody.get("/api/listings?per_page=2&sort=-price").json
    assert (page["total"], page["total_is_exact"], page["pages"]) == (3, False, 2)
    last = anybody.get("/api/listings?per_page=2&page=2&sort=-price").json
    assert (len(last["listings"]), last["has_more"]) == (2, False)


def test_prices_of_several_currencies_sort_by_their_major_unit(anna: Person, anybody: Person) -> None:
    dear = things.listing(anna, price=500, currency="JPY")["id"]
    fils = things.listing(anna, price=1.234, currency="KWD")["id"]
    cheap = things.listing(anna, price=0.99, currency="EUR")["id"]
    assert _ids(anybody, "/api/listings?sort=price") == [cheap, fils, dear]
    assert _ids(anybody, "/api/listings?min_price=1.234&max_price=500&sort=price") == [fils, dear]


@pytest.mark.parametrize(
    ("here", "there"),
    [((0.0, 179.99), (0.0, -179.99)), ((89.99, 0.0), (89.99, 180.0)), ((-89.99, 10.0), (-89.99, -170.0))],
)
def test_the_antimeridian_and_the_poles_are_no_walls(
    anna: Person, anybody: Person, here: tuple[float, float], there: tuple[float, float]
) -> None:
    near = things.listing(anna, latitude=there[0], longitude=there[1])["id"]
    things.listing(anna, latitude=10, longitude=100)
    assert _ids(anybody, f"/api/listings?latitude={here[0]}&longitude={here[1]}&radius=5") == [near]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 20_100))
def test_any_point_and_radius_gets_an_answer(anybody: Person, lat: float, lng: float, radius: float) -> None:
    assert anybody.get(f"/api/listings?latitude={lat}&longitude={lng}&radius={radius}").status_code == 200


def test_the_other_end_of_the_earth_is_within_half_its_girth(anna: Person, anybody: Person) -> None:
    far = things.listing(anna, latitude=-56.9496, longitude=-155.8948)
    found = anybody.get("/api/listings?latitude=56.9496&longitude=24.1052&radius=20050").json["listings"]
    assert [(item["id"], round(item["distance"])) for item in found] == [(far["id"], 20015)]


def test_the_link_header_names_the_next_page(anna: Person, anybody: Person) -> None:
    for _ in range(3):
        things.listing(anna)
    link = anybody.get("/api/listings?per_page=2&category=bicycles").headers["Link"]
    following = link.split(">")[0].lstrip("<")
    assert 'rel="next"' in link
    assert len(_ids(anybody, following)) == 1
