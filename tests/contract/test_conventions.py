"""What holds for every route: lists, versions, validators, CORS, unknown fields."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from sqlalchemy import select

from marketplace.core.database.db import Base, fetch
from tests.contract.client import ORIGIN, Browser, has
from tests.contract.tables import LIST
from tests.factories import things
from tests.servers.waiting import PATIENCE

Town = dict[str, Any]


@pytest.fixture
def town(anna: Browser, juris: Browser) -> Town:
    """Three of everything that is listed."""
    made: Town = {"anna": anna, "juris": juris}
    for number in range(3):
        made["listing"] = things.listing(anna, title=f"Bicycle {number}")["id"]
        made["offering"] = things.offering(juris, title=f"Repair {number}")["id"]
        made["done"] = things.completed_task(anna, juris)["id"]
        made["review"] = things.review(anna, made["done"], rating=3 + number)["id"]
        made["task"] = things.task(anna, title=f"Sofa {number}")["id"]
        things.application(juris, made["task"])
        juris.post("/api/favorites", json={"item_type": "task", "item_id": made["task"]})
        body = {"user_id": juris.id, "task_id": made["task"], "message": "Hello."}
        made["conversation"] = anna.post("/api/messages/conversations", json=body).json["id"]
    for _ in range(2):
        anna.post(f"/api/messages/conversations/{made['conversation']}/messages", json={"content": "More."})
    return made


def _lists(town: Town) -> list[tuple[str, str]]:
    anna, juris = town["anna"].id, town["juris"].id
    return [
        ("/api/listings", "listings"),
        ("/api/listings/my", "listings"),
        (f"/api/listings/user/{anna}", "listings"),
        ("/api/listings?latitude=56.9&longitude=24.1", "listings"),
        ("/api/tasks", "tasks"),
        ("/api/tasks/search?q=sofa", "tasks"),
        ("/api/tasks?lat=56.9&lng=24.1", "tasks"),
        (f"/api/tasks/user/{anna}", "tasks"),
        ("/api/tasks/created", "tasks"),
        ("/api/offerings", "offerings"),
        (f"/api/offerings/user/{juris}", "offerings"),
        ("/api/reviews", "reviews"),
        (f"/api/auth/users/{juris}/reviews", "reviews"),
        (f"/api/messages/conversations/{town['conversation']}/messages", "messages"),
        ("/api/messages/conversations", "conversations"),
        # of Juris
        ("/api/tasks/my", "tasks"),
        ("/api/tasks/my-applications", "applications"),
        ("/api/offerings/my", "offerings"),
        ("/api/favorites", "favorites"),
    ]


def _of_juris(path: str) -> bool:
    return path in {"/api/tasks/my", "/api/tasks/my-applications", "/api/offerings/my", "/api/favorites"}


def _with(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}"


def _check_envelope(person: Browser, path: str, plural: str) -> None:
    whole = person.get(_with(path, "per_page=100")).json
    assert has(whole, LIST | {plural})
    total = whole["total"]
    assert (len(whole[plural]), whole["page"], whole["pages"], whole["has_more"]) == (total, 1, 1, False), path
    assert total >= 3, path

    first = person.get(_with(path, "per_page=1"))
    assert (first.json["total"], first.json["pages"], first.json["has_more"]) == (total, total, True), path
    second = person.get(urljoin("/", requests.utils.parse_header_links(first.headers["Link"])[0]["url"]))
    assert second.json["page"] == 2, path
    assert second.json[plural][0] != first.json[plural][0], path
    assert 'rel="next"' in first.headers["Link"], path

    past = person.get(_with(path, "page=99&per_page=7"))
    assert (past.status_code, past.json[plural], past.json["total"]) == (200, [], total), path
    assert (past.json["has_more"], "Link" in past.headers) == (False, False), path
    capped = person.get(_with(path, "per_page=1000&made_up=1&creator=7"))
    assert (capped.json["per_page"], capped.json["total"]) == (100, total), path
    assert capped.headers["X-Ignored-Parameters"] == "creator, made_up", path
    strict = person.get(_with(path, "per_page=1000&made_up=1&creator=7&strict=true"))
    assert (strict.status_code, strict.wrong) == (422, {"made_up", "creator"}), path
    assert person.get(_with(path, "per_page=7&strict=true")).status_code == 200, path


def test_every_list_answers_the_same_envelope(town: Town) -> None:
    for path, plural in _lists(town):
        _check_envelope(town["juris" if _of_juris(path) else "anna"], path, plural)


def _walked(person: Browser, path: str, plural: str, meanwhile: Callable[[], Any]) -> list[Any]:
    found, following = [], _with(path, "per_page=1&cursor=start")
    while following:
        answer = person.get(following)
        assert has(answer.json, {plural, "next_cursor", "has_more"})
        assert "total" not in answer.json, path
        found += [item["id"] for item in answer.json[plural]]
        links = requests.utils.parse_header_links(answer.headers.get("Link", ""))
        following = urljoin("/", links[0]["url"]) if links else ""
        assert bool(links) == answer.json["has_more"] == bool(answer.json["next_cursor"]), path
        assert len(found) <= 40, path
        if len(found) <= 3:
            meanwhile()
    return found


def test_a_cursor_walks_every_list_once_while_rows_are_added(town: Town) -> None:
    anna, juris = town["anna"], town["juris"]
    adding = {
        "listings": lambda: things.listing(anna),
        "tasks": lambda: things.task(anna, title="Sofa new"),
        "offerings": lambda: things.offering(juris),
        "favorites": lambda: juris.post(
            "/api/favorites", json={"item_type": "offering", "item_id": things.offering(juris)["id"]}
        ),
        "messages": lambda: juris.post(
            f"/api/messages/conversations/{town['conversation']}/messages", json={"content": "New."}
        ),
    }
    for path, plural in _lists(town):
        person = juris if _of_juris(path) else anna
        before = [item["id"] for item in person.get(_with(path, "per_page=100")).json[plural]]
        walked = _walked(person, path, plural, adding.get(plural, lambda: None))
        assert len(set(walked)) == len(walked), path
        assert [i for i in walked if i in set(before)] == (before[::-1] if plural == "messages" else before), path


def test_sort_is_an_allow_list_that_is_told(town: Town) -> None:
    for path, plural in _lists(town):
        person = town["juris" if _of_juris(path) else "anna"]
        if plural in {"messages", "conversations"}:
            continue
        refused = person.get(_with(path, "sort=-password_hash"))
        assert (refused.status_code, refused.wrong) == (422, {"sort"}), path
        assert "created_at" in str(refused.json["errors"]["sort"]), path
        ordered = person.get(_with(path, "sort=-created_at")).json[plural]
        assert person.get(_with(path, "sort=created_at")).json[plural] == ordered[::-1], path


def test_one_thing_has_a_validator_that_counters_leave_alone(town: Town, anybody: Browser, stranger: Browser) -> None:
    anna, task = town["anna"], f"/api/tasks/{town['task']}"
    listing, offering = f"/api/listings/{town['listing']}", f"/api/offerings/{town['offering']}"
    others = ("/api/categories/1", f"/api/auth/users/{anna.id}", f"/api/reviews/{town['review']}")
    for path in (listing, offering, task, *others):
        etag = anybody.get(path).headers["ETag"]
        answer = anybody.get(path, headers={"If-None-Match": etag})
        assert (answer.status_code, answer.text, answer.headers["ETag"]) == (304, "", etag), path

    before = {path: anybody.get(path).headers["ETag"] for path in (listing, offering, task)}
    mine = anna.get(task).headers["ETag"]
    views = anybody.get(listing).json["views_count"]
    stranger.post(f"/api/offerings/{town['offering']}/contact", json={"message": "Hello?"})
    things.application(stranger, town["task"])
    assert anybody.get(listing).json["views_count"] == views + 1
    assert anybody.get(offering).json["contact_count"] == 1
    assert anybody.get(task).json["responses_count"] == 2
    assert {path: anybody.get(path).headers["ETag"] for path in before} == before
    assert anna.get(task).headers["ETag"] == mine


def test_if_match_lets_only_the_first_of_two_edits_through(town: Town) -> None:
    anna, juris = town["anna"], town["juris"]
    edits = (
        (anna, f"/api/listings/{town['listing']}", {"title": "Edited"}),
        (anna, f"/api/tasks/{town['task']}", {"title": "Edited"}),
        (juris, f"/api/offerings/{town['offering']}", {"title": "Edited"}),
        (anna, f"/api/reviews/{town['review']}", {"content": "Edited"}),
        (anna, "/api/auth/profile", {"bio": "Edited"}),
    )
    for person, path, body in edits:
        loaded = {"If-Match": person.get(path).headers["ETag"]}
        assert person.put(path, json=body, headers={"If-Match": '"another"'}).status_code == 412, path
        assert "Edited" not in person.get(path).text, path
        assert person.put(path, json=body, headers=loaded).status_code == 200, path
        assert person.put(path, json={"title": "Lost"}, headers=loaded).status_code == 412, path
        assert person.put(path, json=body, headers={"If-Match": "*"}).status_code == 200, path


def test_version_one_answers_what_the_plain_address_answers(town: Town) -> None:
    anna = town["anna"]
    ids = (f"/listings/{town['listing']}", f"/tasks/{town['task']}", f"/offerings/{town['offering']}")
    lists = ("/listings?per_page=2", "/tasks/created", "/helpers", "/reviews", "/favorites/count", "/categories")
    for path in (*ids, *lists, "/messages/conversations", "/auth/profile", "/nothing-here", "/tasks?sort=x"):
        plain, first = anna.get(f"/api{path}"), anna.get(f"/api/v1{path}")
        for answer in (plain, first):
            answer.json.pop("instance", None)
        assert (plain.status_code, plain.json) == (first.status_code, first.json), path
    assert anna.post("/api/v1/listings", json={}).status_code == 422


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:3000"])
def test_the_dev_servers_may_call_and_read(anna: Browser, origin: str) -> None:
    for path, method in (("/api/listings", "POST"), ("/api/auth/profile", "PUT"), ("/api/favorites/1", "DELETE")):
        asked = {"Access-Control-Request-Method": method, "Origin": origin}
        asked["Access-Control-Request-Headers"] = "authorization,content-type,idempotency-key,if-match"
        preflight = requests.options(urljoin(anna.address, path), headers=asked, timeout=PATIENCE)
        assert preflight.status_code in {200, 204}, path
        assert preflight.headers["Access-Control-Allow-Origin"] == origin
        assert method in preflight.headers["Access-Control-Allow-Methods"]
        allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
        assert all(name in allowed for name in ("authorization", "content-type", "idempotency-key", "if-match"))
    for answer in (
        anna.get("/api/listings", headers={"Origin": origin}),
        anna.get("/api/nothing", headers={"Origin": origin}),
        anna.post("/api/listings", json={}, headers={"Origin": origin}),
        anna.holding("bad").get("/api/auth/profile", headers={"Origin": origin}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == origin, answer.status_code
        exposed = answer.headers["Access-Control-Expose-Headers"].lower()
        assert all(name in exposed for name in ("etag", "link", "location", "x-request-id", "retry-after"))


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:5173.evil.example", "http://localhost:51730"]
)
def test_no_other_origin_may_read(anna: Browser, origin: str) -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Origin": origin}
    preflight = requests.options(urljoin(anna.address, "/api/auth/profile"), headers=asked, timeout=PATIENCE)
    answer = anna.get("/api/auth/profile", headers={"Origin": origin})
    for headers in (preflight.headers, answer.headers):
        assert headers.get("Access-Control-Allow-Origin") in {None, ""}
        assert "Access-Control-Allow-Credentials" not in headers


def test_addresses_and_methods_that_are_not_there_are_told(anna: Browser) -> None:
    assert anna.get("/api/nothing").status_code == 404
    assert anna.get("/nothing").status_code == 404
    wrong = anna.delete("/api/listings")
    assert wrong.status_code == 405
    assert {"GET", "POST"} <= {method.strip() for method in wrong.headers["Allow"].split(",")}


# What a body may set, copied from contract.md; every other column of the table is sent as well and must not move.
SETTABLE = {
    "listings": """title description price category subcategory condition currency location latitude longitude images
        contact_info tags listing_type is_negotiable expires_at""",
    "tasks": """title description category subcategory location latitude longitude budget currency deadline priority
        is_urgent difficulty required_skills images radius payment""",
    "offerings": """title description category subcategory location latitude longitude price price_type currency
        availability experience service_radius images""",
    "users": """first_name last_name bio phone city country avatar_url profile_picture_url is_helper availability skills
        helper_categories hourly_rate latitude longitude currency language time_zone""",
    "reviews": "rating content",
    "applications": "message proposed_price",
}
MADE_BY_THE_SERVER = {"id", "created_at", "updated_at", "username", "username_key", "email", "version"}
MADE_BY_THE_SERVER |= {"password_hash", "password_set_at"}
ALSO_SENT = {
    "user_id": 999,
    "user_type": "admin",
    "role": "admin",
    "is_admin": True,
    "average_rating": 5,
    "is_featured": True,
    "price_minor": 1,
    "available_actions": ["delete"],
    "pending_applications_count": 99,
    "completed_tasks": 99,
    "seller": "admin",
}


def _intrusions(table: str, *, status: bool = True) -> dict[str, Any]:
    """A strange value for every column a client may not set."""
    kinds = {bool: True, int: 999, float: 4.99, str: "sold", list: ["x"]}
    columns = [c for c in Base.metadata.tables[table].c if c.name not in SETTABLE[table].split()]
    sent = {c.name: kinds.get(c.type.python_type, "2001-01-01T00:00:00Z") for c in columns}
    return {name: value for name, value in {**ALSO_SENT, **sent}.items() if status or name != "status"}


def _row(person: Browser, table: str, row_id: int, *, ignoring: set[str]) -> dict[str, Any]:
    source = Base.metadata.tables[table]
    with person.app.app_context():
        row = fetch(select(source).where(source.c.id == row_id))[0]
    return {name: value for name, value in row._mapping.items() if name not in ignoring}


def test_a_create_stores_only_what_the_contract_names(anna: Browser, juris: Browser) -> None:
    done = [things.completed_task(anna, juris)["id"] for _ in range(2)]
    open_tasks = [things.task(anna)["id"] for _ in range(2)]
    listing = {"title": "A", "description": "B", "price": 1, "category": "bicycles", "expires_at": "2030-06-01T12:00Z"}
    place = {"title": "A", "description": "B", "category": "moving", "location": "Rīga", **things.RIGA}
    creates: tuple[tuple[str, Browser, tuple[str, str], str, dict[str, Any]], ...] = (
        ("listings", anna, ("/api/listings",) * 2, "listing", listing),
        ("tasks", anna, ("/api/tasks",) * 2, "task", place),
        ("offerings", juris, ("/api/offerings",) * 2, "offering", place),
        ("reviews", anna, tuple(f"/api/reviews/task/{i}" for i in done), "review", {"rating": 4}),
        ("applications", juris, tuple(f"/api/tasks/{i}/apply" for i in open_tasks), "application", {"message": "Hi."}),
    )
    for table, person, (plainly, greedily), name, body in creates:
        honest = person.post(plainly, json=body)
        greedy = person.post(greedily, json={**_intrusions(table), **body})
        assert (honest.status_code, greedy.status_code) == (201, 201), (table, greedy.json)
        own_task = {"task_id", "deal_id"} if name in {"review", "application"} else set()
        rows = [
            _row(person, table, answer.json[name]["id"], ignoring=MADE_BY_THE_SERVER | own_task)
            for answer in (honest, greedy)
        ]
        assert rows[0] == rows[1], table


def test_a_registration_stores_only_what_the_contract_names(anna: Browser, anybody: Browser) -> None:
    sent = {**_intrusions("users"), "username": "greedy", "email": "greedy@example.com", "password": "eight888"}
    made = anybody.post("/api/auth/register", json=sent)
    assert made.status_code == 201
    rows = [_row(anna, "users", user_id, ignoring=MADE_BY_THE_SERVER) for user_id in (anna.id, made.json["id"])]
    assert rows[0] == rows[1]


def test_an_edit_changes_only_what_the_contract_names(town: Town) -> None:
    anna, juris = town["anna"], town["juris"]
    edits = (
        ("listings", anna, town["listing"], f"/api/listings/{town['listing']}", {"title": "New"}),
        ("tasks", anna, town["task"], f"/api/tasks/{town['task']}", {"title": "New"}),
        ("offerings", juris, town["offering"], f"/api/offerings/{town['offering']}", {"title": "New"}),
        ("reviews", anna, town["review"], f"/api/reviews/{town['review']}", {"content": "New"}),
        ("users", anna, anna.id, "/api/auth/profile", {"bio": "New"}),
    )
    moving = {"updated_at", "version", "search_text"}
    for table, person, row_id, path, body in edits:
        before = _row(person, table, row_id, ignoring=moving)
        greedy = {**_intrusions(table, status=table not in {"listings", "offerings"}), **body}
        answer = person.put(path, json=greedy)
        assert answer.status_code == 200, (table, answer.json)
        assert _row(person, table, row_id, ignoring=moving) == {**before, **body}, table
