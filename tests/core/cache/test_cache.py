"""Strangers share answers for a moment; nobody ever gets what was somebody's own."""

from collections.abc import Iterator

import pytest
from flask import Flask

from marketplace.core.cache.shared_cache import Shared
from marketplace.core.http.response_headers import shared_name
from tests.conftest import make_app, recorded
from tests.factories import things
from tests.factories.people import Person, sign_up
from tests.servers.redis import own_database

PUBLIC = ["/api/listings", "/api/tasks", "/api/offerings", "/api/helpers", "/api/categories", "/api/reviews"]


@pytest.fixture(params=["memory", "redis"])
def sharing(app: Flask, request: pytest.FixtureRequest, worker_id: str) -> Flask:
    """The application with its shared cache on."""
    redis = {"REDIS_URL": own_database(worker_id, 5)} if request.param == "redis" else {}
    return make_app(app.config["DATABASE_URL"], LIST_CACHE_SECONDS="60", **redis)


@pytest.fixture
def asked(sharing: Flask) -> Iterator[list[str]]:
    """Every statement the sharing application asks its database."""
    with recorded(sharing) as seen:
        yield seen


@pytest.mark.parametrize("path", PUBLIC)
def test_every_public_answer_has_validators(app: Flask, anna: Person, path: str) -> None:
    things.listing(anna)
    first = app.test_client().get(path)
    assert first.headers["Cache-Control"] == "public, max-age=1, stale-while-revalidate=1"
    assert app.test_client().get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert anna.get(path).headers["Cache-Control"] == "private, no-store"


def test_a_token_that_does_not_count_is_private_too(app: Flask) -> None:
    answer = app.test_client().get("/api/listings", headers={"Authorization": "Bearer nonsense"})
    assert "public" not in answer.headers.get("Cache-Control", "")


def test_strangers_share_a_list_and_a_fact_ends_it(sharing: Flask, asked: list[str]) -> None:
    anna, stranger = sign_up(sharing, "anna"), Person(sharing)
    listing = things.listing(anna)["id"]
    asked.clear()
    first = stranger.get("/api/listings")
    assert asked != []
    asked.clear()
    again = stranger.get("/api/listings")
    assert (again.json, again.headers["ETag"], asked) == (first.json, first.headers["ETag"], [])
    assert stranger.get("/api/listings", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304

    anna.put(f"/api/listings/{listing}", json={"title": "Changed"})
    assert stranger.get("/api/listings").json["listings"][0]["title"] == "Changed"
    anna.delete(f"/api/listings/{listing}")
    assert stranger.get("/api/listings").json["listings"] == []


def test_every_kind_of_list_follows_its_facts(sharing: Flask) -> None:
    anna, juris, stranger = sign_up(sharing, "anna"), sign_up(sharing, "juris"), Person(sharing)

    def totals() -> list[int]:
        return [stranger.get(f"/api/{name}").json["total"] for name in ("tasks", "offerings", "helpers")]

    assert totals() == [0, 0, 0]
    task = things.assigned_task(anna, juris)["id"]
    things.task(anna)
    offering = things.offering(juris)["id"]
    juris.put("/api/auth/profile", json={"is_helper": True})
    assert totals() == [1, 1, 1]
    juris.post(f"/api/tasks/{task}/decline")
    juris.post(f"/api/offerings/{offering}/pause")
    juris.put("/api/auth/profile", json={"is_helper": False})
    assert totals() == [2, 0, 0]


def test_what_comes_with_a_token_is_neither_kept_nor_taken_from_there(sharing: Flask) -> None:
    anna, stranger = sign_up(sharing, "anna"), Person(sharing)
    things.listing(anna)
    mine = anna.get("/api/listings").json["listings"][0]["available_actions"]
    theirs = stranger.get("/api/listings").json["listings"][0]["available_actions"]
    assert ("edit" in mine, theirs) == (True, [])
    assert "edit" in anna.get("/api/listings").json["listings"][0]["available_actions"]


@pytest.mark.parametrize("query", ["q=bicycle", "latitude=56.9&longitude=24.1", "page=4", "cursor=start", "x=1"])
def test_what_few_ask_is_not_kept(sharing: Flask, asked: list[str], query: str) -> None:
    stranger = Person(sharing)
    for _ in range(2):
        asked.clear()
        assert stranger.get(f"/api/listings?{query}").status_code == 200
    assert asked != []


@pytest.mark.parametrize(
    ("odd", "honest"),
    [
        ("category=electronics%26page%3D1%26per_page%3D3", "category=electronics&page=1&per_page=3"),
        ("category=x%3Fy&sort=", "category=x%3Fy%26sort%3D"),
        ("sort=oldest&sort=newest", "sort=newest&sort=oldest"),
        ("category=" + "x" * 600, "category=" + "x" * 601),
    ],
)
def test_no_value_passes_for_the_list_of_others(app: Flask, odd: str, honest: str) -> None:
    names = []
    for query in (odd, honest):
        with app.test_request_context(f"/api/listings?{query}"):
            names.append(shared_name())
    assert None not in names
    assert names[0] != names[1]


def test_what_a_stranger_asks_oddly_reaches_nobody_else(sharing: Flask) -> None:
    anna, stranger = sign_up(sharing, "anna"), Person(sharing)
    things.listing(anna, category="electronics")
    odd = stranger.get("/api/listings?category=electronics%26page%3D1%26per_page%3D3")
    assert odd.status_code == 422 or odd.json["listings"] == []
    honest = stranger.get("/api/listings?category=electronics&page=1&per_page=3").json
    assert (len(honest["listings"]), honest["per_page"]) == (1, 3)


def test_pages_and_their_links_are_kept_apart(sharing: Flask) -> None:
    anna, stranger = sign_up(sharing, "anna"), Person(sharing)
    for number in range(3):
        things.listing(anna, title=f"Thing {number}")
    pages = [stranger.get(f"/api/listings?per_page=1&page={page}") for page in (1, 2, 1, 2)]
    assert [page.json["listings"][0]["title"] for page in pages] == ["Thing 2", "Thing 1"] * 2
    assert ["page=2" in page.headers["Link"] for page in pages] == [True, False, True, False]
    assert stranger.get("/api/listings?sort=nonsense").status_code == 422
    assert stranger.get("/api/listings?sort=nonsense").status_code == 422


def test_a_slow_reader_does_not_bring_a_stale_answer_back() -> None:
    cache = Shared("", 60)
    version = cache.version("listings")
    assert version is not None
    cache.forget("listings")
    cache.put("listings", version, "/", b"stale")
    assert cache.get("listings", cache.version("listings") or 0, "/") is None


def test_a_lost_redis_costs_nothing_but_speed(app: Flask) -> None:
    lost = make_app(app.config["DATABASE_URL"], LIST_CACHE_SECONDS="60", REDIS_URL="redis://127.0.0.1:9/0")
    anna = sign_up(lost, "anna")
    for number in range(1, 4):
        things.listing(anna)
        assert Person(lost).get("/api/listings").json["total"] == number
