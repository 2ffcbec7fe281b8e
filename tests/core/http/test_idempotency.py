"""The same write sent twice is done once."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO

import orjson
import pytest
import time_machine
from flask import Flask, Response, g
from sqlalchemy import select

from marketplace.core.database.db import db, fetch
from marketplace.core.http import idempotency
from marketplace.core.http.access import SIGNED_IN
from marketplace.core.http.blueprint import Guard
from marketplace.core.http.idempotency import LEASE, InFlight, once
from tests.factories.people import PASSWORD, Person
from tests.races.burst import burst

BODY = {"title": "City bicycle", "description": "Seven gears.", "price": 120, "category": "bicycles"}
KEY = {"Idempotency-Key": "order-66"}


def _count(person: Person) -> int:
    return int(person.get("/api/listings/my").json["total"])


def test_the_second_gets_the_first_answer(anna: Person) -> None:
    first = anna.post("/api/listings", json=BODY, headers=KEY)
    second = anna.post("/api/listings", json=BODY, headers=KEY)

    assert (second.status_code, second.json, second.headers["Location"]) == (201, first.json, first.headers["Location"])
    assert second.headers["Idempotency-Replayed"] == "true"
    assert _count(anna) == 1


def test_two_files_of_one_name_are_no_fault(anna: Person) -> None:
    files = {"file": [(BytesIO(b"one"), "1.txt"), (BytesIO(b"two"), "2.txt")]}
    answer = anna.call("POST", "/api/uploads", data=files, content_type="multipart/form-data", headers=KEY)
    assert answer.status_code in {415, 422}


def test_many_at_once_are_done_once(anna: Person) -> None:
    answers = burst([partial(anna.post, "/api/listings", json=BODY, headers=KEY)] * 16)

    made = [answer.json["id"] for answer in answers if answer.status_code == 201]
    assert made
    assert len(set(made)) == 1
    assert {answer.status_code for answer in answers} == {201}
    assert _count(anna) == 1


def test_without_a_key_each_is_done(anna: Person) -> None:
    burst([partial(anna.post, "/api/listings", json=BODY)] * 4)
    assert _count(anna) == 4


def test_a_key_belongs_to_its_body_and_its_person(anna: Person, juris: Person) -> None:
    anna.post("/api/listings", json=BODY, headers=KEY)
    other = anna.post("/api/listings", json={**BODY, "price": 1}, headers=KEY)
    assert (other.status_code, list(other.json["errors"])) == (422, ["Idempotency-Key"])
    assert juris.post("/api/listings", json=BODY, headers=KEY).status_code == 201
    assert _count(juris) == 1


def test_a_refused_write_can_be_mended_under_the_same_key(anna: Person) -> None:
    assert anna.post("/api/listings", json={**BODY, "price": -1}, headers=KEY).status_code == 422
    assert anna.post("/api/listings", json=BODY, headers=KEY).status_code == 201


def test_keys_are_forgotten_after_two_days(app: Flask, anna: Person) -> None:
    anna.post("/api/listings", json=BODY, headers=KEY)
    with app.app_context(), time_machine.travel(datetime.now(UTC) + timedelta(hours=49)):
        idempotency.sweep()
    anna.post("/api/listings", json=BODY, headers=KEY)
    assert _count(anna) == 2


def test_what_is_kept_of_a_body_with_a_password_gives_nothing_away(app: Flask, anna: Person) -> None:
    assert anna.post("/api/auth/step-up", json={"password": PASSWORD}, headers=KEY).status_code == 200
    with app.app_context():
        kept = fetch(select(idempotency.IdempotencyKey.body_hash))[0].body_hash
        db.session.remove()
    bodies = [orjson.dumps({"password": PASSWORD}), json.dumps({"password": PASSWORD}).encode()]
    assert kept not in {hashlib.blake2b(body, digest_size=32).hexdigest() for body in bodies}


@contextmanager
def _request(app: Flask, person: Person) -> Iterator[Callable[[str], Response]]:
    """Inside a write of this person with a key; and work that answers this text and the how manieth it was."""
    done: list[str] = []

    def work(text: str) -> Response:
        done.append(text)
        return Response(f"{text} {len(done)}", 201)

    with app.test_request_context("/api/anything", method="POST", json={}, headers=KEY):
        g.person = person
        yield work
        db.session.remove()


def test_without_a_transaction_both_of_two_at_once_answer_what_the_first_to_finish_did(
    app: Flask, anna: Person
) -> None:
    with _request(app, anna) as work:

        def slow() -> Response:
            assert once(anna.id, lambda: work("fast"), transaction=False).get_data() == b"fast 1"
            return work("slow")

        assert once(anna.id, slow, transaction=False).get_data() == b"fast 1"
        again = once(anna.id, lambda: work("again"), transaction=False)
        assert (again.get_data(), again.headers["Idempotency-Replayed"]) == (b"fast 1", "true")


def test_without_a_transaction_what_failed_is_done_again(app: Flask, anna: Person) -> None:
    with _request(app, anna) as work:
        assert once(anna.id, lambda: Response("no", 409), transaction=False).status_code == 409
        assert once(anna.id, lambda: work("mended"), transaction=False).get_data() == b"mended 1"


def test_under_a_lease_the_same_key_waits_until_it_is_answered(app: Flask, anna: Person) -> None:
    leased = {"transaction": False, "lease": True}
    with _request(app, anna) as work:

        def slow() -> Response:
            with pytest.raises(InFlight):
                once(anna.id, lambda: work("meanwhile"), **leased)
            return work("slow")

        assert once(anna.id, slow, **leased).get_data() == b"slow 1"
        assert once(anna.id, lambda: work("again"), **leased).get_data() == b"slow 1"


def test_a_lease_of_somebody_who_died_is_taken_over_when_it_is_over(app: Flask, anna: Person) -> None:
    leased = {"transaction": False, "lease": True}
    with _request(app, anna) as work:

        def dies() -> Response:
            with time_machine.travel(datetime.now(UTC) + LEASE + timedelta(seconds=1)):
                assert once(anna.id, lambda: work("heir"), **leased).get_data() == b"heir 1"
            return work("late")

        assert once(anna.id, dies, **leased).get_data() == b"late 2"


def test_work_that_raises_under_a_lease_gives_the_key_back(app: Flask, anna: Person) -> None:
    leased = {"transaction": False, "lease": True}

    def raises() -> Response:
        raise ValueError("in the middle")

    with _request(app, anna) as work:
        with pytest.raises(ValueError, match="in the middle"):
            once(anna.id, raises, **leased)
        assert once(anna.id, lambda: work("anew"), **leased).get_data() == b"anew 1"


def test_a_secret_of_a_write_without_a_transaction_is_made_anew_each_time(app: Flask, anna: Person) -> None:
    guard = Guard(SIGNED_IN, "", no_replay=True)
    with _request(app, anna) as work:
        answers = [guard.once(lambda: work("codes"), transaction=False).get_data() for _ in range(2)]
    assert answers == [b"codes 1", b"codes 2"]
