"""A client as the contract's readers have it: real HTTP, the habits of axios, nothing else."""

import json as encoding
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import requests

from tests.factories.people import PASSWORD, Person
from tests.servers.waiting import PATIENCE

ORIGIN = "http://localhost:5173"
AXIOS = {
    "Accept": "application/json, text/plain, */*",
    "Origin": ORIGIN,
    "Referer": f"{ORIGIN}/",
    "Content-Type": "application/json",
}
CONNECTION = requests.Session()
CONNECTION.trust_env = False  # a proxy of the developer's has no business here
MADE_UP = {"made_up", "creator"}  # parameters that tests send to see them ignored
PROBLEM_FIELDS = {"type", "title", "status", "detail", "instance", "error", "code"}


@dataclass
class Answer:
    """What came back, its JSON parsed where there is any."""

    status_code: int
    headers: Mapping[str, str]
    text: str
    json: Any

    @property
    def wrong(self) -> set[str]:
        """The fields a validation error names, without positions inside them."""
        return {name.partition(".")[0] for name in self.json.get("errors", {})}


@dataclass
class Browser(Person):
    """A person at a browser; every answer is checked for what holds for all of them."""

    address: str = ""

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        """A request as axios sends it; `data` goes out as it is."""
        headers = {**AXIOS, **kwargs.pop("headers", {})}
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if "json" in kwargs:
            kwargs["data"] = encoding.dumps(kwargs.pop("json"))
        response = CONNECTION.request(method, urljoin(self.address, path), headers=headers, timeout=PATIENCE, **kwargs)
        parsed = response.json() if "json" in response.headers.get("Content-Type", "") and response.content else None
        answer = Answer(response.status_code, response.headers, response.text, parsed)
        check_answer(answer, f"{method} {path[:100]}")
        return answer

    def signed_in(self, name: str) -> "Browser":
        """The same browser after opening an account."""
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        made = self.post("/api/auth/register", json=body).json
        return Browser(self.app, made["user"], made["token"], made["refresh_token"], address=self.address)

    @property
    def in_process(self) -> Person:
        """The same person without a browser, as the factories have them."""
        return Person(self.app, self.user, self.token, self.refresh_token)

    def holding(self, token: str) -> "Browser":
        """The same browser with another token."""
        return Browser(self.app, self.user, token, address=self.address)


def check_answer(answer: Answer, request: str) -> None:
    """Never a 5xx, never an error that is not a problem document, always readable from the dev server."""
    assert answer.status_code < 500, f"{request}: {answer.status_code} {answer.text[:300]}"
    assert answer.headers.get("X-Request-ID"), request
    ignored = answer.headers.get("X-Ignored-Parameters", "")
    assert set(filter(None, ignored.split(", "))) <= MADE_UP, f"{request}: {ignored}"
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json", f"{request}: {answer.text[:300]}"
        assert set(answer.json) - {"errors"} == PROBLEM_FIELDS, f"{request}: {answer.json}"
        assert answer.json["status"] == answer.status_code, request
        assert answer.headers["X-Request-ID"] in answer.json["instance"], request
        assert answer.json["error"].strip(), request
        assert answer.json["code"].replace("_", "").isalnum(), request
        assert answer.status_code != 422 or answer.json.get("errors"), f"{request}: {answer.json}"


def has(thing: Mapping[str, Any], fields: set[str]) -> bool:
    """Whether every field of the contract is there; says which are not."""
    missing = fields - set(thing)
    assert not missing, f"missing: {sorted(missing)}"
    return True
