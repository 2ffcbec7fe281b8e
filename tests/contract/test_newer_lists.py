"""Lists and tasks as the newer client asks for them."""

from typing import Any

import pytest

from tests.contract.client import Browser, has
from tests.contract.newer_tables import OFFERING_RANK, TASK_CREATOR, WIDENED
from tests.contract.tables import TASK_WITH_TOKEN
from tests.factories import things

HERE = "latitude=56.9496&longitude=24.1052"


def titles(browser: Browser, path: str, name: str) -> set[str]:
    """What a list shows."""
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return {one.get("title") or one["name"] for one in answer.json[name]}


@pytest.mark.parametrize(("kind", "make"), [("listings", things.listing), ("offerings", things.offering)])
def test_several_categories_mean_any_of_them(anna: Browser, kind: str, make: Any) -> None:
    for category in ("cleaning", "moving", "beauty", "flying carpets"):
        make(anna.in_process, title=category, category=category)
    for asked, found in (
        ("cleaning,moving", {"cleaning", "moving"}),
        ("Cleaning , beauty", {"cleaning", "beauty"}),
        ("moving,flying carpets", {"moving", "flying carpets"}),
        ("flying carpets,nothing", {"flying carpets"}),
        ("moving,", {"moving"}),
    ):
        assert titles(anna, f"/api/{kind}?category={asked}", kind) == found
    pages = [anna.get(f"/api/{kind}?category=cleaning,moving&per_page=1&page={page}").json for page in (1, 2, 3)]
    assert [(len(page[kind]), page["total"]) for page in pages] == [(1, 2), (1, 2), (0, 2)]
    many = anna.get(f"/api/{kind}?category={','.join(f'c{n}' for n in range(21))}")
    assert (many.status_code, many.wrong) == (422, {"category"})


def test_a_category_with_others_under_it_means_those_too(anna: Browser) -> None:
    nodes = anna.get("/api/categories").json["categories"]
    parent = next(node for node in nodes if node["children"])
    child = parent["children"][0]["key"]
    things.task(anna.in_process, title="Sofa", category=child)
    things.offering(anna.in_process, title="Sofa", category=child)
    for name in ("tasks", "offerings"):
        assert titles(anna, f"/api/{name}?category={parent['key']}", name) == {"Sofa"}


def test_tasks_helpers_and_the_search_take_several_categories(anna: Browser, juris: Browser) -> None:
    for category in ("cleaning", "moving", "beauty"):
        things.task(anna.in_process, title=f"Sofa {category}", category=category)
    wanted = {"Sofa cleaning", "Sofa moving"}
    assert titles(anna, "/api/tasks?category=cleaning,moving", "tasks") == wanted
    assert titles(anna, f"/api/tasks?category=cleaning,moving&{HERE}", "tasks") == wanted
    assert titles(anna, "/api/tasks/search?q=sofa&category=cleaning,moving", "tasks") == wanted
    assert titles(anna, "/api/search?q=sofa&category=cleaning,moving", "results") == wanted
    for person, categories in ((anna, "cleaning, beauty"), (juris, "moving")):
        person.put("/api/auth/profile", json={"is_helper": True, "helper_categories": categories})
    assert titles(anna, "/api/helpers?category=moving,cleaning", "helpers") == {"anna", "juris"}
    assert titles(anna, "/api/helpers?category=moving,gardening", "helpers") == {"juris"}
    assert titles(anna, "/api/helpers?category=gardening,painting", "helpers") == set()


def test_a_circle_is_widened_until_it_holds_enough_tasks(anna: Browser) -> None:
    for km, north in (("1", 0.009), ("40", 0.36), ("90", 0.81)):
        place = {"latitude": 56.9496 + north, "longitude": 24.1052}
        things.task(anna.in_process, title=km, **place)

    def found(query: str) -> tuple[set[str], float | None, bool | None]:
        page = anna.get(f"/api/tasks?{HERE}&radius=10{query}").json
        shown = {task["title"] for task in page["tasks"]}
        assert page["total"] == len(shown)
        return shown, page.get("effective_radius"), page.get("radius_expanded")

    assert has(anna.get(f"/api/tasks?{HERE}&min_results=1").json, WIDENED)
    assert found("") == ({"1"}, None, None)
    assert found("&min_results=1") == ({"1"}, 10.0, False)
    assert found("&min_results=2") == ({"1", "40"}, 50.0, True)
    assert found("&min_results=3") == ({"1", "40", "90"}, 100.0, True)
    assert found("&min_results=9") == ({"1", "40", "90"}, 1600.0, True)
    assert anna.get("/api/tasks?min_results=2").json["total"] == 3
    assert anna.get(f"/api/tasks?{HERE}&min_results=0").status_code == 422


def test_a_circle_is_widened_until_it_holds_enough_helpers(anna: Browser, juris: Browser) -> None:
    for person, north in ((anna, 0.0), (juris, 1.35)):
        place = {"latitude": 56.95 + north, "longitude": 24.1}
        person.put("/api/auth/profile", json={"is_helper": True, **place})
    page = anna.get(f"/api/helpers?{HERE}&min_results=2").json
    assert {helper["name"] for helper in page["helpers"]} == {"anna", "juris"}
    assert (page["effective_radius"], page["radius_expanded"]) == (200.0, True)
    assert anna.get(f"/api/helpers?{HERE}").json["total"] == 1


def test_tasks_show_their_creator_and_what_one_has_to_do_with_them(
    anna: Browser, juris: Browser, anybody: Browser
) -> None:
    anna.put("/api/auth/profile", json={"city": "Rīga", "avatar_url": "https://example.com/a.jpg"})
    task = things.task(anna.in_process)["id"]
    offer = things.application(juris.in_process, task)

    (plain,) = anybody.get("/api/tasks").json["tasks"]
    assert has(plain, TASK_CREATOR)
    assert (plain["creator_city"], plain["creator_avatar"]) == ("Rīga", "https://example.com/a.jpg")
    assert (plain["creator_rating"], plain["creator_review_count"]) == (0.0, 0)
    assert not TASK_WITH_TOKEN & set(plain)
    (mine,) = anna.get("/api/tasks").json["tasks"]
    assert (mine["pending_applications_count"], mine["has_applied"], mine["user_application"]) == (1, False, None)
    for shown in (juris.get("/api/tasks").json["tasks"][0], juris.get(f"/api/tasks/{task}").json):
        assert shown["has_applied"] is True
        assert (shown["user_application"]["id"], shown["user_application"]["status"]) == (offer["id"], "pending")


def test_places_are_understood_by_the_newer_names(anna: Browser) -> None:
    place = {"location_lat": 56.95, "location_lng": 24.1, "location_address": "Brīvības iela 1"}
    body = {"title": "Carry a sofa", "description": "Third floor.", "category": "moving", "budget": 40}
    for path, name in (("/api/tasks", "task"), ("/api/offerings", "offering"), ("/api/listings", "listing")):
        made = anna.post(path, json={**body, "price": 40, **place})
        assert made.status_code == 201, made.text
        thing = made.json[name]
        assert (thing["latitude"], thing["longitude"], thing["location"]) == (56.95, 24.1, "Brīvības iela 1")


def test_offerings_say_whether_they_are_boosted(anna: Browser) -> None:
    assert has(things.offering(anna.in_process), OFFERING_RANK)
