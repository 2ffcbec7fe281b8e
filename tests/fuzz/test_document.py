"""Every operation under generated input: never a 5xx, always what the document says.

To make a request costs three times as much as to answer it, so that each is made once and sent to both databases:
30 for an operation, three ways and two databases; FUZZ_EXAMPLES makes more.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import things
from tests.factories.people import Person, sign_up

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDING = {"/api/auth/logout"}  # a fuzzed log-out would leave the rest without a token
PARTS = 2  # so that two workers can share the work
EXAMPLES = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "5")),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _world(app: Flask) -> tuple[Person, dict[str, list[int]]]:
    """Somebody who owns one of everything, among others' things, and the ids that exist."""
    anna, juris = sign_up(app, "anna", role="admin"), sign_up(app, "juris")
    listings = [things.listing(anna)["id"], things.listing(juris, title="Sofa")["id"]]
    done = things.completed_task(anna, juris)["id"]
    reviews = [things.review(anna, done)["id"], things.review(juris, done)["id"]]
    open_task, booked = things.task(anna)["id"], things.assigned_task(juris, anna)["id"]
    offer = things.application(juris, open_task)["id"]
    offerings = [things.offering(anna)["id"], things.offering(juris)["id"]]
    talk = anna.post("/api/messages/conversations", json={"user_id": juris.id, "message": "Hello"}).json
    ids = {
        "user_id": [anna.id, juris.id],
        "listing_id": listings,
        "task_id": [done, open_task, booked],
        "application_id": [offer],
        "offering_id": offerings,
        "review_id": reviews,
        "conversation_id": [talk["id"]],
        "message_id": [talk["conversation"]["last_message"]["id"]],
    }
    return anna, ids


@dataclass
class Marketplace:
    """One application's document, somebody signed in there, and the ids of what exists."""

    schema: Any
    person: Person
    known: dict[str, list[int]]

    def send(self, operation: Any, case: Any, headers: dict[str, str]) -> None:
        """The same request, its path ids mostly those of things that exist."""
        same = {name: getattr(case, name) for name in ("cookies", "query", "body", "media_type")}
        parts = {name: self._existing(name, value) for name, value in case.path_parameters.items()}
        mine = operation.Case(path_parameters=parts, headers=dict(case.headers), **same)
        mine.call_and_validate(headers=headers, checks=CHECKS)

    def _existing(self, name: str, value: Any) -> Any:
        known = self.known.get(name)
        return known[value % len(known)] if known and isinstance(value, int) else value


@pytest.fixture
def markets(both: dict[str, Flask]) -> list[Marketplace]:
    """The same on each database."""
    return [Marketplace(schemathesis.openapi.from_wsgi("/openapi.json", app), *_world(app)) for app in both.values()]


def _fuzz(markets: list[Marketplace], mode: GenerationMode, part: int, *, signed_in: bool) -> None:
    """Every operation of this part in turn; the first broken promise ends the test with its request."""
    headers = [{"Authorization": f"Bearer {one.person.token}"} if signed_in else {} for one in markets]
    for operations in islice(_operations(markets), part, None, PARTS):
        with suppress(Unsatisfiable):  # nothing to get wrong where an operation takes nothing
            _fuzz_one(list(zip(markets, operations, headers, strict=True)), mode)


def _fuzz_one(asked: list[tuple[Marketplace, Any, dict[str, str]]], mode: GenerationMode) -> None:
    @EXAMPLES
    @given(case=asked[0][1].as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        for market, operation, headers in asked:
            market.send(operation, case, headers)

    one()


def _operations(markets: list[Marketplace]) -> Iterator[tuple[Any, ...]]:
    """Each as it stands in each document."""
    for found in zip(*(market.schema.get_all_operations() for market in markets), strict=True):
        operations = tuple(each.ok() for each in found)
        assert len({(each.method, each.path) for each in operations}) == 1
        if operations[0].path not in ENDING:
            yield operations


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_somebody_signed_in_gets_what_the_document_says(
    markets: list[Marketplace], mode: GenerationMode, part: int
) -> None:
    _fuzz(markets, mode, part, signed_in=True)


@pytest.mark.parametrize("part", range(PARTS))
def test_an_anonymous_reader_gets_what_the_document_says(markets: list[Marketplace], part: int) -> None:
    _fuzz(markets, GenerationMode.POSITIVE, part, signed_in=False)
