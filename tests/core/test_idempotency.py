"""The same write sent twice is done once."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO

import orjson
import time_machine
from flask import Flask
from sqlalchemy import select

from marketplace.core import idempotency
from marketplace.core.db import db, fetch
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
