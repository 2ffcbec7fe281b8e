"""Conversations are about things of any trade, named by kind and id."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from marketplace.cli.audit import findings
from marketplace.core.database.db import db, execute, in_transaction
from tests.factories import things
from tests.factories.people import Person
from tests.factories.talks import TALKS, pair, shown

KINDS = {"task": things.task, "offering": things.offering, "listing": things.listing}


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_of_its_own_and_kind_and_id_name_the_same_thing(anna: Person, juris: Person, kind: str) -> None:
    thing = KINDS[kind](juris)
    by_field = anna.post(TALKS, {"user_id": juris.id, f"{kind}_id": thing["id"]})
    by_kind = juris.post(TALKS, {"user_id": anna.id, "subject_kind": kind, "subject_id": thing["id"]})

    assert (by_field.status_code, by_kind.status_code, by_kind.json["id"]) == (201, 200, by_field.json["id"])
    talk = shown(juris, by_field.json["id"])
    assert (talk["subject_kind"], talk["subject_id"]) == (kind, thing["id"])
    assert talk["subject"] == {"title": thing["title"], "link": f"/api/{kind}s/{thing['id']}"}
    assert {name: talk[f"{name}_id"] for name in KINDS} == {**dict.fromkeys(KINDS), kind: thing["id"]}


def test_what_is_deleted_leaves_the_conversation_and_its_name(anna: Person, juris: Person) -> None:
    listing = things.listing(juris)["id"]
    talk = pair(anna, juris, listing_id=listing)
    assert juris.delete(f"/api/listings/{listing}").status_code == 200
    left = shown(anna, talk)
    assert (left["listing_id"], left["subject_id"], left["subject"]) == (listing, listing, None)
    assert left["last_message"]["content"] == "Good day."
    with anna.app.app_context():
        assert findings() == []


def test_a_title_is_read_by_whoever_sees_the_thing(anna: Person, juris: Person) -> None:
    offering = things.offering(juris)["id"]
    talk = pair(anna, juris, offering_id=offering)
    juris.post(f"/api/offerings/{offering}/pause")
    assert (shown(anna, talk)["subject"], shown(juris, talk)["subject"] is None) == (None, False)


def test_lists_narrow_to_a_thing(anna: Person, juris: Person) -> None:
    first, second = (things.listing(juris)["id"] for _ in range(2))
    talk, _, _ = pair(anna, juris, listing_id=first), pair(anna, juris, listing_id=second), pair(anna, juris)

    def listed(person: Person, **query: Any) -> list[int]:
        return [one["id"] for one in person.get(TALKS, query_string=query).json["conversations"]]

    assert listed(juris, subject_kind="listing", subject_id=first) == [talk]
    assert len(listed(anna, subject_kind="listing")) == 2
    assert len(listed(anna)) == 3


@pytest.mark.parametrize(
    ("named", "wrong"),
    [
        ({"subject_kind": "listing"}, "subject_id"),
        ({"subject_id": 1}, "subject_kind"),
        ({"subject_kind": "moon", "subject_id": 1}, "subject_kind"),
    ],
)
def test_half_a_name_is_refused(anna: Person, juris: Person, named: dict[str, Any], wrong: str) -> None:
    answer = anna.post(TALKS, {"user_id": juris.id, **named})
    assert (answer.status_code, list(answer.json["errors"])) == (422, [wrong])


def test_the_newer_client_names_the_other_and_the_first_message_in_its_way(anna: Person, juris: Person) -> None:
    talk = anna.post(TALKS, {"participant_id": juris.id, "initial_message": "Good day."}).json["conversation"]
    assert talk["last_message"]["content"] == "Good day."


def test_of_several_things_named_the_first_counts(anna: Person, juris: Person) -> None:
    task, listing = things.task(juris)["id"], things.listing(juris)["id"]
    named = {"user_id": juris.id, "listing_id": listing, "task_id": task}
    talk = anna.post(TALKS, named).json["conversation"]
    assert (talk["task_id"], talk["listing_id"]) == (task, None)
    chosen = anna.post(TALKS, {**named, "subject_kind": "listing", "subject_id": listing}).json["conversation"]
    assert (chosen["task_id"], chosen["listing_id"]) == (None, listing)


def test_what_one_does_not_see_is_no_subject(anna: Person, juris: Person) -> None:
    offering = things.offering(juris)["id"]
    juris.post(f"/api/offerings/{offering}/pause")
    for named in ({"offering_id": offering}, {"subject_kind": "listing", "subject_id": 999}):
        assert anna.post(TALKS, {"user_id": juris.id, **named}).status_code == 404


@pytest.mark.control
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("subject_id = 999, subject = 'listing:999'", "about a listing that does not exist"),
        ("subject_kind = 'moon', subject = 'moon:1', subject_id = 1", "about a moon that does not exist"),
        ("subject = 'task:1'", "kept apart from others by another subject"),
    ],
)
def test_the_auditor_notices_a_subject_that_is_not_there(
    app: Flask, anna: Person, juris: Person, broken: str, said: str
) -> None:
    talk = pair(anna, juris, listing_id=things.listing(juris)["id"])
    with app.app_context():
        in_transaction(lambda: execute(text(f"UPDATE conversations SET {broken} WHERE id = {talk}")))
        assert [said in finding and f"(1: {talk})" in finding for finding in findings()] == [True]
        db.session.remove()
