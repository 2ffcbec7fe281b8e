"""Every operation under generated input: never a 5xx, always what the document says."""

from contextlib import suppress
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
EXAMPLES = settings(
    max_examples=12,
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


@pytest.fixture
def api(app: Flask) -> Any:
    """The document of this application, its path ids mostly those of things that exist."""
    anna, known = _world(app)
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)

    @schema.hook
    def map_path_parameters(_context: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        return {
            name: known[name][value % len(known[name])] if name in known and isinstance(value, int) else value
            for name, value in (parameters or {}).items()
        }

    schema.person = anna
    return schema


def _fuzz(schema: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    """Every operation in turn; the first broken promise ends the test with its request."""
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in ENDING:
            continue

        @EXAMPLES
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        with suppress(Unsatisfiable):  # nothing to get wrong where an operation takes nothing
            one()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_somebody_signed_in_gets_what_the_document_says(api: Any, mode: GenerationMode) -> None:
    _fuzz(api, mode, {"Authorization": f"Bearer {api.person.token}"})


def test_an_anonymous_reader_gets_what_the_document_says(api: Any) -> None:
    _fuzz(api, GenerationMode.POSITIVE, {})
