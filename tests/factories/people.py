"""People who use the API."""

from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from marketplace.auth.models import User
from marketplace.core.database.db import execute, in_transaction

PASSWORD = "correct horse battery"


@dataclass
class Person:
    """A client with somebody's token, or nobody's."""

    app: Flask
    user: dict[str, Any] = field(default_factory=dict)
    token: str = ""
    refresh_token: str = ""

    @property
    def id(self) -> int:
        """Their user id."""
        return int(self.user["id"])

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """A request with their token."""
        headers = dict(kwargs.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self.app.test_client().open(path, method=method, headers=headers, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """GET."""
        return self.call("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        """POST; without a body an empty object."""
        return self.call("POST", path, json={} if json is None else json, **kwargs)

    def put(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        """PUT."""
        return self.call("PUT", path, json={} if json is None else json, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        """DELETE."""
        return self.call("DELETE", path, **kwargs)


def sign_up(app: Flask, name: str, *, role: str = "user", **profile: Any) -> Person:
    """A new account, signed in."""
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, **profile}
    answer = app.test_client().post("/api/auth/register", json=body)
    assert answer.status_code == 201, answer.json
    person = Person(app, answer.json["user"], answer.json["token"], answer.json["refresh_token"])
    if role != "user":
        with app.app_context():
            in_transaction(lambda: execute(update(User).where(User.id == person.id).values(role=role)))
    return person
