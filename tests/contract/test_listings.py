"""Listings, categories and health, route by route."""

from urllib.parse import urljoin

import pytest

from tests.contract.client import Browser, has
from tests.contract.tables import LIST, LISTING, OLD_CATEGORY_KEYS, SELLER_INFO
from tests.factories import things

EVERYTHING = {
    "title": "City bicycle",
    "description": "Seven gears.",
    "price": 99.99,
    "category": "bicycles",
    "subcategory": "city",
    "condition": "like_new",
    "currency": "EUR",
    "location": "Āgenskalns, Rīga",
    "latitude": 56.9496,
    "longitude": 24.1052,
    "contact_info": "Write here.",
    "listing_type": "exchange",
    "is_negotiable": True,
}


def test_a_posted_listing_carries_every_field_and_can_be_fetched(anna: Browser, anybody: Browser) -> None:
    more = {"images": "https://a.lv/1.jpg, https://a.lv/2.jpg", "tags": ["bike"], "expires_at": "2031-01-31T23:59"}
    made = anna.post("/api/listings", json={**EVERYTHING, **more})

    assert made.status_code == 201
    listing = made.json["listing"]
    assert has(made.json, {"message", "id", "listing"})
    assert has(listing, LISTING)
    assert {name: listing[name] for name in EVERYTHING} == EVERYTHING
    assert (listing["price_minor"], listing["status"], listing["is_featured"]) == (9999, "active", False)
    assert (listing["seller_id"], listing["user_id"], listing["seller"]) == (anna.id, anna.id, "anna")
    assert listing["images"] == "https://a.lv/1.jpg,https://a.lv/2.jpg"
    assert listing["image_urls"] == ["https://a.lv/1.jpg", "https://a.lv/2.jpg"]
    assert listing["expires_at"] == "2031-01-31T23:59:00Z"
    assert listing["created_at"].endswith("Z")

    seen = anybody.get(urljoin("/", made.headers["Location"])).json
    assert seen["id"] == made.json["id"]
    assert has(seen["seller_info"], SELLER_INFO)
    assert not {"email", "phone"} & set(seen["seller_info"])


def test_an_end_that_has_passed_is_refused(anna: Browser) -> None:
    past = {"expires_at": "2020-01-01T00:00:00Z"}
    listing = things.listing(anna)
    for answer in (
        anna.post("/api/listings", json={**EVERYTHING, **past}),
        anna.put(f"/api/listings/{listing['id']}", json=past),
    ):
        assert (answer.status_code, answer.json["errors"]) == (422, {"expires_at": ["This moment has passed."]})
    assert anna.get(f"/api/listings/{listing['id']}").json["expires_at"] == listing["expires_at"]


def test_a_view_is_counted_for_others_and_never_for_the_owner(anna: Browser, anybody: Browser) -> None:
    path = f"/api/listings/{things.listing(anna)['id']}"
    anna.get(path)
    assert [anybody.get(path).json["views_count"] for _ in range(2)] == [1, 2]
    assert anna.get(path).json["views_count"] == 2


def test_the_owner_edits_moves_and_deletes_a_listing(anna: Browser, anybody: Browser) -> None:
    path = f"/api/listings/{things.listing(anna)['id']}"

    edited = anna.put(path, json={"title": "Cargo bicycle", "price": 300, "lat": 57.0, "lng": 24.0})
    assert edited.status_code == 200
    assert set(edited.json) == {"message", "listing"}
    changed = edited.json["listing"]
    assert has(changed, LISTING)
    assert (changed["title"], changed["price"], changed["price_minor"]) == ("Cargo bicycle", 300, 30000)
    assert (changed["latitude"], changed["longitude"], changed["category"]) == (57.0, 24.0, "bicycles")

    for status in ("pending", "active", "sold", "archived", "active"):
        assert anna.put(path, json={"status": status}).json["listing"]["status"] == status
    assert anna.put(path, json={"status": "archived"}).status_code == 200
    assert anybody.get(path).status_code == 404
    assert anna.get("/api/listings/my?status=archived").json["total"] == 1

    deleted = anna.delete(path)
    assert (deleted.status_code, set(deleted.json)) == (200, {"message"})
    assert [anna.get(path).status_code, anna.put(path).status_code, anna.delete(path).status_code] == [404] * 3


def test_my_listings_also_say_the_current_page(anna: Browser, juris: Browser) -> None:
    things.listing(anna)
    things.listing(juris)
    page = anna.get("/api/listings/my?page=1&per_page=5&status=active").json
    assert has(page, LIST | {"listings", "current_page"})
    assert (page["total"], page["current_page"], page["per_page"]) == (1, 1, 5)
    assert anna.get(f"/api/listings/user/{juris.id}").json["listings"][0]["seller"] == "juris"


def test_every_filter_of_the_browse_list_narrows_it(anna: Browser, juris: Browser, anybody: Browser) -> None:
    wanted = things.listing(anna, **EVERYTHING)["id"]
    far = {"latitude": 48.8, "longitude": 2.3, "location": "Paris", "condition": "poor", "price": 5}
    other = things.listing(juris, title="Lamp", description="Bright.", category="home", **far)["id"]
    sold = things.listing(juris, title="Sold lamp", description="Bright.", category="home", **far)["id"]
    juris.put(f"/api/listings/{sold}", json={"status": "sold"})

    def found(query: str) -> list[int]:
        return [item["id"] for item in anybody.get(f"/api/listings?{query}").json["listings"]]

    narrowing = (
        "category=bicycles",
        "subcategory=city",
        "q=bicycle",
        "search=BICYC",
        "min_price=50",
        "min_price=99.99&max_price=99.99",
        "condition=like_new",
        "listing_type=exchange",
        "location=rīga",
        "latitude=56.9&longitude=24.1&radius=20",
        "lat=56.9&lng=24.1&radius=20",
        f"seller_id={anna.id}",
        "sort=-price&per_page=1",
        "q=bicycle&made_up=1",
    )
    assert {query: found(query) for query in narrowing} == {key: [wanted] for key in narrowing}
    assert found("sort=price") == [other, wanted]
    assert found("status=sold") == [sold]
    near = anybody.get("/api/listings?latitude=56.9&longitude=24.1&radius=20000").json["listings"]
    assert [item["id"] for item in near] == [wanted, other]
    assert [round(item["distance"], 2) for item in near] == [item["distance"] for item in near]
    assert "distance" not in anybody.get("/api/listings").json["listings"][0]


@pytest.mark.parametrize(
    ("currency", "price", "minor"), [("EUR", 0.1, 10), ("JPY", 500, 500), ("KWD", 1.234, 1234), ("EUR", 99.99, 9999)]
)
def test_money_is_exact_in_every_currency(anna: Browser, currency: str, price: float, minor: int) -> None:
    made = things.listing(anna, price=price, currency=currency)
    assert (made["price"], made["price_minor"], made["currency"]) == (price, minor, currency)


def test_keys_of_older_clients_are_understood_and_unknown_ones_kept(anna: Browser, anybody: Browser) -> None:
    tree = anybody.get("/api/categories").json
    known = {node["key"] for node in tree["categories"]}
    known |= {child["key"] for node in tree["categories"] for child in node["children"]}
    assert "other" in known

    kept = {key: things.task(anna, category=key) for key in OLD_CATEGORY_KEYS}
    assert {key for key, task in kept.items() if task["category"] == "other" or task["category"] not in known} == set()
    for key, task in kept.items():
        ids = [item["id"] for item in anybody.get(f"/api/tasks?category={key}").json["tasks"]]
        assert task["id"] in ids, key

    odd = things.listing(anna, category="quantum-yoga")
    assert (odd["category"], odd["subcategory"]) == ("other", "quantum-yoga")
    for query in ("category=quantum-yoga", "category=other", "subcategory=quantum-yoga"):
        assert [item["id"] for item in anybody.get(f"/api/listings?{query}").json["listings"]] == [odd["id"]], query


@pytest.mark.parametrize("kind", ["listing", "task", "offering", "product"])
def test_the_tree_of_one_kind_holds_only_that_kind(anybody: Browser, kind: str) -> None:
    answer = anybody.get(f"/api/categories?kind={kind}").json
    assert answer["categories"]
    assert all(kind in node["kinds"] for node in answer["categories"])
    assert has(answer["categories"][0], {"id", "key", "name", "children"})


def test_the_process_says_that_it_is_well(anybody: Browser) -> None:
    for path in ("/health", "/api/health", "/api/v1/health"):
        answer = anybody.get(path)
        assert (answer.status_code, answer.json["status"]) == (200, "ok"), path
