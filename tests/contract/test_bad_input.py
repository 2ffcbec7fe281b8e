"""Whatever is sent: a 4xx that names the field, and nothing written."""

import json
from typing import Any

import pytest

from tests.contract.client import Browser
from tests.contract.conftest import Snapshot
from tests.contract.hostile import DEADLINE, NEEDED, NUL, SURROGATE, WRITES, Write, filled, scene
from tests.factories import things

GARBAGE = {
    "truncated": b'{"title": "a',
    "trailing": b'{"title": "a"} {}',
    "not utf-8": b'{"title": "\xff\xfe"}',
    "single quotes": b"{'title': 'a'}",
    "nan": b'{"title": NaN, "price": NaN, "rating": NaN}',
    "control": b'{"title": "a\x00"}',
    "a list": b"[]",
    "a list of things": b'[{"title": "a"}]',
    "a string": b'"title"',
    "a number": b"5",
    "null": b"null",
    "true": b"true",
    "deep lists": b"[" * 100_000,
    "deep and closed": b'{"title": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
}
NOT_JSON = {"truncated", "trailing", "not utf-8", "single quotes", "control", "deep lists"}


SLICES = sorted({path.split("/")[2] for _, path, *_ in WRITES})


def _refusals(person: Browser, write: Write, ids: dict[str, int]) -> dict[str, Any]:
    """Every bad value that was not refused with its field named."""
    method, path, good, needed, fields = write
    path, good = path.format(**ids), filled(good, ids)
    wrong = {}
    for name, values in fields.items():
        for value in [*values, *(NEEDED if name in needed.split() else ())]:
            answer = person.call(method, path, json={**good, name: value})
            named = answer.status_code == 400 or (answer.status_code == 422 and name in answer.wrong)
            if not named:
                wrong[f"{method} {path} {name}={value!r}"[:100]] = f"{answer.status_code} {answer.text[:200]}"
    return wrong


@pytest.mark.parametrize("slice_", SLICES)
def test_a_bad_value_is_refused_by_its_name(anna: Browser, juris: Browser, stored: Snapshot, slice_: str) -> None:
    ids = scene(anna, juris)
    before, wrong = stored(), {}
    for write in WRITES:
        if write[1].split("/")[2] == slice_:
            wrong |= _refusals(anna, write, ids)
    assert wrong == {}
    assert stored() == before


def test_what_is_missing_is_named_all_at_once(anna: Browser, juris: Browser, stored: Snapshot) -> None:
    ids = scene(anna, juris)
    before = stored()
    for method, path, _, needed, _ in WRITES:
        for body in (b"{}", b""):
            if needed:
                answer = anna.call(method, path.format(**ids), data=body)
                assert (answer.status_code, answer.wrong >= set(needed.split())) == (422, True), (path, body)
    assert stored() == before


def test_a_body_that_is_no_json_object_is_refused_everywhere(anna: Browser, juris: Browser, stored: Snapshot) -> None:
    ids = scene(anna, juris)
    before, taken = stored(), {}
    for method, path, *_ in WRITES:
        for name, body in GARBAGE.items():
            answer = anna.call(method, path.format(**ids), data=body)
            if answer.status_code not in ({400} if name in NOT_JSON else {400, 422}):
                taken[f"{method} {path} {name}"] = answer.status_code
    assert taken == {}
    assert stored() == before


def test_a_body_of_another_kind_is_a_415_and_a_huge_one_a_413(anna: Browser, juris: Browser, stored: Snapshot) -> None:
    ids = scene(anna, juris)
    before = stored()
    huge = json.dumps({"title": "x" * 10_000_000}).encode()
    for method, path, good, *_ in WRITES:
        at, body = path.format(**ids), json.dumps(filled(good, ids) or {"note": "x"}).encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data", ""):
            answer = anna.call(method, at, data=body, headers={"Content-Type": kind})
            assert answer.status_code == 415, (path, kind)
        # in the process: over a socket the server may close before the client has sent everything
        headers = {"Authorization": f"Bearer {anna.token}", "Content-Type": "application/json"}
        refused = anna.app.test_client().open(at, method=method, data=huge, headers=headers)
        assert (refused.status_code, refused.content_type) == (413, "application/problem+json"), path
    assert stored() == before


@pytest.mark.parametrize(
    ("price", "currency"), [(1.999, "EUR"), ("0.001", "USD"), (1.5, "JPY"), (0.0001, "KWD"), (10**13, "EUR")]
)
def test_an_amount_the_currency_cannot_hold_is_refused(
    anna: Browser, juris: Browser, stored: Snapshot, price: Any, currency: str
) -> None:
    ids = scene(anna, juris)
    before = stored()
    post = {"title": "A", "description": "B", "category": "moving", "location": "Rīga", **things.RIGA}
    for name, at in (("price", "/api/listings"), ("budget", "/api/tasks"), ("price", "/api/offerings")):
        made = anna.post(at, json={**post, name: price, "currency": currency})
        assert (made.status_code, name in made.wrong) == (422, True), at
    edits = (("price", "listings", "listing"), ("budget", "tasks", "task"), ("price", "offerings", "offering"))
    for name, slice_, thing in edits:
        edited = anna.put(f"/api/{slice_}/{ids[thing]}", json={name: price, "currency": currency})
        assert (edited.status_code, name in edited.wrong) == (422, True), slice_
    assert stored() == before


def test_a_currency_that_cannot_hold_the_price_it_has_is_refused(anna: Browser) -> None:
    listing = things.listing(anna, price=9.99)
    task = things.task(anna, budget=9.99)
    for path in (f"/api/listings/{listing['id']}", f"/api/tasks/{task['id']}"):
        assert anna.put(path, json={"currency": "JPY"}).status_code == 422, path
        assert anna.get(path).json["currency"] == "EUR", path


def test_a_past_deadline_leaves_the_task_as_it_was(anna: Browser) -> None:
    path = f"/api/tasks/{things.task(anna, deadline='2031-01-31T23:59')['id']}"
    for value in DEADLINE:
        assert anna.put(path, json={"title": "Half written", "deadline": value}).status_code in {400, 422}, value
    assert anna.get(path).json["title"] == "Carry a sofa"


NEAR = {"latitude": ["95", "nan", "x", "1e999"], "longitude": ["181", "inf", "x"], "radius": ["-1", "nan", "x"]}
PAGING = {
    "page": ["0", "-1", "x", "1.5", "9" * 30],
    "per_page": ["0", "-1", "x", "9" * 30],
    "cursor": ["x", "%00", "e30", "%F0%9F%98%80"],
}
SORT = {"sort": ["x", "password_hash", "-id;drop", "%00", "title,x", "(select 1)", "-"]}
PRICES = {"min_price": ["-1", "nan", "x", "1e300"], "max_price": ["-1", "inf", "x", "9" * 400]}
QUERIES: dict[str, dict[str, list[str]]] = {
    "/api/listings": {
        **PAGING,
        **SORT,
        **NEAR,
        **PRICES,
        "status": ["x", "deleted", "%00"],
        "condition": ["x"],
        "listing_type": ["x"],
        "seller_id": ["x", "-1", str(2**63), "1.5"],
    },
    "/api/tasks": {
        **PAGING,
        **SORT,
        **NEAR,
        "min_budget": PRICES["min_price"],
        "max_budget": PRICES["max_price"],
        "status": ["x", "deleted"],
        "urgent": ["x", "%00"],
    },
    "/api/offerings": {**PAGING, **SORT, **NEAR, **PRICES, "status": ["x", "deleted"], "price_type": ["x"]},
    "/api/helpers": {**PAGING, **SORT, **NEAR},
    "/api/reviews": {
        **PAGING,
        **SORT,
        "rating_min": ["0", "6", "x"],
        **{name: ["x", "-1", str(2**63)] for name in ("reviewer_id", "reviewed_user_id", "listing_id", "task_id")},
    },
    "/api/listings/my": {**PAGING, **SORT, "status": ["x"]},
    "/api/tasks/my": {**PAGING, **SORT, "status": ["x"]},
    "/api/tasks/created": {**PAGING, **SORT, "status": ["x"]},
    "/api/tasks/my-applications": {**PAGING, **SORT},
    "/api/offerings/my": {**PAGING, **SORT},
    "/api/favorites": {**PAGING, **SORT, "type": ["x"]},
    "/api/favorites/check": {"items": ["x", "task", "task:", "task:x", "task:-1", f"task:{'9' * 30}", "user:1", "%00"]},
    "/api/messages/conversations": {**PAGING, "archived": ["x", "%00"]},
    "/api/messages/search": {
        "q": ["", "%00", "x" * 201],
        **{name: ["x", "-1", "1.5", str(2**63)] for name in ("conversation_id", "before_id")},
    },
    "/api/categories": {"kind": ["x", "%00"]},
}
STRINGS = {
    "/api/listings": "q search category subcategory location",
    "/api/tasks": "q category",
    "/api/tasks/search": "q",
    "/api/offerings": "q category",
    "/api/helpers": "category",
}


def test_a_bad_query_parameter_is_refused_by_its_name(anna: Browser) -> None:
    wrong = {}
    for path, fields in QUERIES.items():
        for name, values in fields.items():
            for value in values:
                answer = anna.get(f"{path}?{name}={value}")
                if (answer.status_code, name in (answer.wrong if answer.status_code >= 400 else ())) != (422, True):
                    wrong[f"{path}?{name}={value[:40]}"] = answer.status_code
    assert wrong == {}


def test_a_text_in_a_query_is_never_more_than_a_text(anna: Browser) -> None:
    things.listing(anna)
    things.task(anna)
    things.offering(anna)
    found = {}
    for path, names in STRINGS.items():
        for name in names.split():
            assert anna.get(f"{path}?{name}=%00").status_code in {200, 422}
            for value in ("%ED%A0%80", "%FF%FE", "' OR '1'='1", "%25", "_____", '"', "*", "😀" * 100, "\\"):
                answer = anna.get(f"{path}?{name}={value}")
                hits = [v for v in answer.json.values() if isinstance(v, list) and v] if answer.json else []
                if answer.status_code not in {200, 422} or (answer.status_code == 200 and hits):
                    found[f"{path}?{name}={value[:20]}"] = answer.status_code
            assert anna.get(f"{path}?{name}={'x' * 30_000}").status_code in {200, 414, 422}, (path, name)
    assert found == {}


PATHS = (
    "GET PUT DELETE /api/listings/{id}",
    "GET PUT DELETE /api/tasks/{id}",
    "GET PUT DELETE /api/offerings/{id}",
    "GET PUT DELETE /api/reviews/{id}",
    "GET /api/auth/users/{id}",
    "GET /api/auth/users/{id}/reviews",
    "GET /api/tasks/{id}/applications",
    "POST /api/tasks/{id}/apply",
    "POST /api/tasks/{id}/start",
    "POST /api/tasks/{id}/applications/{id}/accept",
    "DELETE /api/tasks/{id}/applications/{id}",
    "POST /api/offerings/{id}/pause",
    "POST /api/offerings/{id}/book",
    "GET /api/reviews/task/{id}",
    "GET /api/reviews/task/{id}/can-review",
    "GET /api/reviews/user/{id}/stats",
    "DELETE /api/favorites/{id}",
    "DELETE /api/favorites/item/task/{id}",
    "GET /api/messages/conversations/{id}",
    "GET /api/messages/conversations/{id}/messages",
    "PUT /api/messages/conversations/{id}/read-all",
    "PUT /api/messages/messages/{id}/read",
    "DELETE /api/messages/messages/{id}",
    "POST DELETE /api/messages/messages/{id}/reactions/😀",
    "GET /api/messages/conversations/{id}/members",
    "DELETE /api/messages/conversations/{id}/members/{id}",
    "POST /api/messages/conversations/{id}/archive",
    "POST /api/messages/conversations/{id}/unarchive",
    "POST /api/messages/conversations/{id}/mute",
    "POST /api/messages/conversations/{id}/unmute",
    "DELETE /api/blocks/{id}",
    "GET /api/categories/{id}",
)


def test_an_id_nobody_has_is_a_404_in_every_path(anna: Browser, stored: Snapshot) -> None:
    before, other = stored(), {}
    for line in PATHS:
        *methods, path = line.split()
        for wanted in ("0", "-1", "abc", "1.5", "%00", str(2**63 - 1), str(2**63), "9" * 40, "1%20OR%201=1"):
            for method in methods:
                answer = anna.call(method, path.replace("{id}", wanted), json={})
                if answer.status_code != 404:
                    other[f"{method} {path} {wanted}"] = f"{answer.status_code} {answer.text[:100]}"
    assert other == {}
    assert stored() == before


def test_an_id_nobody_has_is_a_404_in_every_body(anna: Browser, juris: Browser, stored: Snapshot) -> None:
    ids = scene(anna, juris)
    before = stored()
    for nobody in (999_999, 2**63 - 1):
        sent = (
            (f"/api/tasks/{ids['task']}/accept-application", {"application_id": nobody}),
            ("/api/reviews", {"reviewed_user_id": nobody, "rating": 5}),
            ("/api/reviews", {"reviewed_user_id": juris.id, "task_id": nobody, "rating": 5}),
            ("/api/favorites", {"item_type": "task", "item_id": nobody}),
            ("/api/messages/conversations", {"user_id": nobody}),
            *(("/api/messages/conversations", {"user_id": juris.id, n: nobody}) for n in ("task_id", "offering_id")),
            ("/api/messages/rooms", {"title": "Us", "member_ids": [nobody]}),
            (f"/api/messages/conversations/{ids['room']}/members", {"user_id": nobody}),
            ("/api/blocks", {"user_id": nobody}),
        )
        for path, body in sent:
            assert anna.post(path, json=body).status_code == 404, (path, body)
    assert stored() == before


def test_names_with_characters_no_database_keeps_are_not_available(anna: Browser) -> None:
    for name in (NUL, SURROGATE.encode("utf-8", "surrogatepass"), "x" * 5000):
        quoted = "".join(f"%{byte:02X}" for byte in (name if isinstance(name, bytes) else name.encode()))
        answer = anna.get(f"/api/auth/check-username/{quoted}")
        assert answer.status_code in {404, 422} or answer.json["available"] is False
