"""Auth and users, route by route."""

from urllib.parse import urljoin

import pytest

from tests.contract.client import Browser, has
from tests.contract.tables import FULL_PROFILE, LIST, NEVER_PUBLIC, REVIEW, TOKENS, USER
from tests.factories import things
from tests.factories.people import PASSWORD

NEWCOMER = {"username": "Liga_99", "email": "Liga@Example.com", "password": "eight888"}


def test_registering_answers_tokens_and_the_private_view(anybody: Browser) -> None:
    body = {**NEWCOMER, "first_name": "Līga", "last_name": "Ozola", "phone": "+371 20000001"}
    made = anybody.post("/api/auth/register", json=body)

    assert made.status_code == 201
    assert has(made.json, TOKENS)
    assert has(made.json["user"], USER)
    assert made.json["token"] == made.json["access_token"] != made.json["refresh_token"]
    assert made.json["id"] == made.json["user"]["id"]
    sent = {name: made.json["user"][name] for name in ("username", "first_name", "last_name", "phone")}
    assert sent == {"username": "Liga_99", "first_name": "Līga", "last_name": "Ozola", "phone": "+371 20000001"}
    assert "eight888" not in made.text
    assert "hash" not in made.text


def test_registering_says_where_the_new_person_is(anybody: Browser) -> None:
    made = anybody.post("/api/auth/register", json=NEWCOMER)
    assert anybody.get(urljoin("/", made.headers["Location"])).json["id"] == made.json["id"]


def test_a_taken_name_or_address_is_a_409(anybody: Browser) -> None:
    assert anybody.post("/api/auth/register", json=NEWCOMER).status_code == 201
    for taken in ({"username": "liga_99"}, {"email": "liga@example.com"}):
        other = {"username": "other", "email": "other@example.com", "password": "eight888"}
        assert anybody.post("/api/auth/register", json={**other, **taken}).status_code == 409, taken


def test_logging_in_works_by_address_or_name_and_refuses_in_one_sentence(anybody: Browser, anna: Browser) -> None:
    for name in ({"email": "anna@example.com"}, {"email": "ANNA@example.com"}, {"username": "anna"}, {"email": "anna"}):
        answer = anybody.post("/api/auth/login", json={**name, "password": PASSWORD})
        assert answer.status_code == 200, name
        assert has(answer.json, TOKENS)
        assert has(answer.json["user"], USER)
        assert answer.json["token"] == answer.json["access_token"]

    refused = [
        anybody.post("/api/auth/login", json=body)
        for body in (
            {"email": "anna@example.com", "password": "wrong wrong"},
            {"email": "nobody@example.com", "password": PASSWORD},
            {"username": "nobody", "password": PASSWORD},
        )
    ]
    assert {answer.status_code for answer in refused} == {401}
    assert len({answer.json["error"] for answer in refused}) == 1
    assert len({frozenset(answer.headers) for answer in refused}) == 1


def test_the_profile_keeps_everything_the_contract_lets_one_send(anna: Browser, anybody: Browser) -> None:
    sent = {
        "first_name": "Anna",
        "last_name": "Kalniņa",
        "bio": "I fix bicycles.",
        "phone": "+371 20000002",
        "city": "Rīga",
        "country": "Latvia",
        "avatar_url": "https://example.com/a.jpg",
        "profile_picture_url": "/api/uploads/b.jpg",
        "is_helper": True,
        "hourly_rate": 20.5,
        "latitude": 56.949612,
        "longitude": 24.105234,
    }
    saved = anna.put(
        "/api/auth/profile", json={**sent, "skills": ["bicycles", "painting"], "helper_categories": "a, b"}
    )

    assert saved.status_code == 200
    assert set(saved.json) == {"message", "user"}
    mine = anna.get("/api/auth/profile").json
    assert has(mine, USER)
    assert mine == saved.json["user"]
    assert {name: mine[name] for name in sent} == sent
    assert (mine["skills"], mine["helper_categories"]) == ("bicycles,painting", "a,b")

    seen = anybody.get(f"/api/auth/users/{anna.id}").json
    assert has(seen, USER - NEVER_PUBLIC - {"is_active", "phone_verified", "updated_at"})
    assert not NEVER_PUBLIC & set(seen)
    assert (seen["skills"], seen["helper_categories"]) == (["bicycles", "painting"], ["a", "b"])
    assert (seen["latitude"], seen["longitude"]) == (56.95, 24.11)
    assert "example.com/a.jpg" in seen["avatar_url"]


def test_what_others_say_of_a_person_stands_under_their_page(anna: Browser, juris: Browser, anybody: Browser) -> None:
    things.review(anna, things.completed_task(anna, juris)["id"], rating=4, content="Careful.")

    page = anybody.get(f"/api/auth/users/{juris.id}/reviews").json
    full = juris.get("/api/auth/profile/full").json

    assert has(page, LIST | {"reviews"})
    assert has(page["reviews"][0], REVIEW)
    assert page["reviews"][0]["reviewer_name"] == "anna"
    assert anybody.get("/api/auth/users/999999/reviews").status_code == 404
    assert has(full, FULL_PROFILE)
    assert has(full["profile"], USER)
    assert [len(full[name]) for name in ("reviews", "applications", "created_tasks")] == [1, 1, 0]


@pytest.mark.parametrize(("name", "available"), [("fresh_name", True), ("ANNA", False), ("a b", False), ("ab", False)])
def test_a_name_can_be_tried_before_registering(anna: Browser, name: str, available: bool) -> None:
    answer = anna.get(f"/api/auth/check-username/{name}").json
    assert answer["available"] is available
    assert ("reason" in answer) is not available


def test_a_refresh_token_buys_new_tokens_and_nothing_else(anna: Browser) -> None:
    refreshed = anna.holding(anna.refresh_token).post("/api/auth/refresh")

    assert refreshed.status_code == 200
    assert has(refreshed.json, TOKENS)
    assert anna.holding(refreshed.json["token"]).get("/api/auth/profile").json["id"] == anna.id
    assert anna.post("/api/auth/refresh").status_code == 401
    assert anna.holding(anna.refresh_token).get("/api/auth/profile").status_code == 401


def test_after_logging_out_neither_token_counts_but_other_sign_ins_do(anna: Browser, anybody: Browser) -> None:
    elsewhere = anybody.post("/api/auth/login", json={"email": "anna@example.com", "password": PASSWORD}).json["token"]

    assert set(anna.post("/api/auth/logout").json) == {"message"}

    assert anna.get("/api/auth/profile").status_code == 401
    assert anna.post("/api/listings").status_code == 401
    assert anna.holding(anna.refresh_token).post("/api/auth/refresh").status_code == 401
    assert anna.holding(elsewhere).get("/api/auth/profile").status_code == 200
