"""What the standards ask of refusals and of questions that browsers ask before."""

import pytest
from flask import Flask

from tests.factories.people import Person


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/api/listings/999999", 404, "Not Found"),
        ("GET", "/api/wallet", 401, "Unauthorized"),
        ("DELETE", "/api/listings", 405, "Method Not Allowed"),
        ("GET", "/api/listings?sort=colour", 422, "Unprocessable Content"),
    ],
)
def test_a_problem_without_a_type_is_titled_by_its_status(
    anybody: Person, method: str, path: str, status: int, title: str
) -> None:
    answer = anybody.call(method, path)
    assert (answer.status_code, answer.json["type"], answer.json["title"]) == (status, "about:blank", title)


@pytest.mark.one_database
def test_a_challenge_says_what_is_wrong_with_the_token(app: Flask, anna: Person) -> None:
    nobody, forged = Person(app), Person(app, token=f"{anna.token}x")
    assert nobody.get("/api/wallet").headers["WWW-Authenticate"] == "Bearer"
    assert forged.get("/api/wallet").headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    key = nobody.get("/api/listings/my", headers={"X-API-Key": "mk_1_nothing"})
    assert key.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.one_database
@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1:5173"])
def test_a_browser_asks_once_in_ten_minutes(anybody: Person, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = anybody.call("OPTIONS", "/api/listings", headers=asked)
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Max-Age"] == "600"
