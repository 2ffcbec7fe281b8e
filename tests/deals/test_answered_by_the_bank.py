"""Who agrees and pays at once is answered what the bank said, and the same when they ask again."""

from typing import Any

import pytest

from tests.factories import money, things
from tests.factories.people import Person

SAID = [(money.VISA, "held"), ("pm_card_chargeDeclined", "requires_payment_method")]


def body(**more: Any) -> dict[str, Any]:
    """What is agreed to."""
    return {"price": 40, "currency": "EUR", **more}


@pytest.mark.parametrize(("card", "status"), SAID)
def test_accepting_answers_what_became_of_the_payment(anna: Person, juris: Person, card: str, status: str) -> None:
    task = things.task(anna, budget=40, payment="escrow")["id"]
    number = things.application(juris, task)["id"]
    key = money.key()
    path = f"/api/tasks/{task}/applications/{number}/accept"
    answers = [anna.post(path, body(payment_method=card), **key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].json
    assert answers[0].json["task"]["payment_status"] == status
    assert answers[0].json["task"]["status"] == "assigned"
    assert answers[1].json == answers[0].json
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert answers[0].json["message"].startswith("The task is assigned. ")


@pytest.mark.parametrize(("card", "status"), SAID)
def test_booking_answers_what_became_of_the_payment(anna: Person, juris: Person, card: str, status: str) -> None:
    offering = things.offering(juris, price=40)["id"]
    key, wanted = money.key(), body(payment_method=card, payment="escrow")
    answers = [anna.post(f"/api/offerings/{offering}/book", wanted, **key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].json
    assert answers[0].json["task"]["payment_status"] == status
    assert answers[0].headers["Location"] == f"/api/tasks/{answers[0].json['id']}"
    assert answers[1].json == answers[0].json


def test_without_money_it_is_answered_as_ever(anna: Person, juris: Person) -> None:
    task = things.task(anna, budget=40)["id"]
    number = things.application(juris, task)["id"]
    answer = anna.post(f"/api/tasks/{task}/applications/{number}/accept")
    assert (answer.json["message"], answer.json["task"]["payment_status"]) == ("The task is assigned.", None)
