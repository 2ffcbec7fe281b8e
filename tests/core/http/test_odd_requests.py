"""Odd methods and headers on every address: never an error of ours."""

import pytest
from flask import Flask

from tests.factories.people import Person

HEADERS: list[dict[str, str]] = [
    {},
    {"If-Match": 'garbage"'},
    {"If-Match": "*"},
    {"If-None-Match": 'W/"x", "'},
    {"Idempotency-Key": "x" * 300},
    {"Idempotency-Key": "éÿ"},
    {"Range": "bytes=0-1"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"X-Request-ID": "a" * 5000},
    {"Content-Encoding": "gzip"},
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "DELETE"])
def test_no_header_and_no_method_breaks_an_address(app: Flask, anna: Person, method: str) -> None:
    broken = []
    for rule in app.url_map.iter_rules():
        path = "/".join(
            "task" if part.startswith("<any") else "1" if part.startswith("<") else part
            for part in rule.rule.split("/")
        )
        for number, headers in enumerate(HEADERS):
            body = {} if method in {"GET", "HEAD"} else {"data": [b"{}", b"\xff", b"[]", b""][number % 4]}
            sent = {"Content-Type": "application/json", **headers}
            answer = anna.call(method, path, headers=sent, **body)
            if answer.status_code >= 500:
                broken.append((path, headers, answer.status_code))
        if "logout" in path:
            anna = Person(app, token=_again(app))
    assert broken == []


def _again(app: Flask) -> str:
    body = {"email": "anna@example.com", "password": "correct horse battery"}
    return str(app.test_client().post("/api/auth/login", json=body).json["token"])


@pytest.mark.parametrize("path", ["/api/auth/sessions/%00", "/api/uploads/%00", "/api/uploads/a%00.png"])
def test_a_name_no_database_keeps_is_nowhere(anna: Person, path: str) -> None:
    for headers in ({}, {"Idempotency-Key": "once"}):
        assert anna.delete(path, headers=headers).status_code == 404
