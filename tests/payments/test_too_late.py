"""What a provider or staff say of a payment when nobody counts on it any more."""

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import fetch, in_transaction, locked_row
from marketplace.kit.errors import Conflict
from marketplace.payments import provider_sync
from marketplace.payments.models import Payment, PaymentShare
from marketplace.tasks import service
from marketplace.tasks.payments import service as payments_service
from tests.factories.money import VISA
from tests.factories.people import Person
from tests.races.stage import Stage, fake


@pytest.fixture
def stage(app: Flask, anna: Person, juris: Person) -> Stage:
    """A task whose payment waits for a card."""
    return Stage(app, anna, juris).set_up()


def take(stage: Stage) -> None:
    """The provider has the money after all."""
    name = fetch(select(Payment.provider_id).where(Payment.id == stage.payment))[0].provider_id
    fake().confirm(name, method=VISA, key="late")
    state = fake().capture(name, amount_minor=4000, key="late too")
    in_transaction(lambda: provider_sync.apply_provider_state(stage.payment, state))


@pytest.mark.parametrize("is_paid_again", [False, True])
def test_money_taken_for_a_payment_that_was_given_up_goes_back(stage: Stage, is_paid_again: bool) -> None:
    stage.inside(
        lambda: in_transaction(lambda: provider_sync.fail_payment(stage.payment, "The provider did not want it."))
    )
    if is_paid_again:
        begun = {"payment_method": VISA, "price": 40}
        key = {"Idempotency-Key": "again"}
        assert stage.owner.post(f"/api/payments/tasks/{stage.task}/pay", begun, headers=key).status_code == 201
    stage.inside(lambda: take(stage))
    stage.rest()
    assert stage.outcome()[1] == "refunded"
    assert (
        stage.inside(lambda: payments_service.payments_service.held_minor(f"task:{stage.task}") is not None)
        == is_paid_again
    )


def test_money_taken_after_the_work_was_confirmed_is_the_workers_though_the_payment_was_given_up(stage: Stage) -> None:
    stage.inside(lambda: in_transaction(lambda: payments_service.payments_service.release(f"task:{stage.task}")))
    stage.inside(
        lambda: in_transaction(lambda: provider_sync.fail_payment(stage.payment, "The provider did not want it."))
    )
    stage.inside(lambda: take(stage))
    assert stage.outcome()[1] == "released"
    stage.inside(
        lambda: in_transaction(lambda: provider_sync.escrow.refund(*its_payment(stage), 4000))
    )  # nobody did the task


def its_payment(stage: Stage) -> tuple[Payment, PaymentShare]:
    """With its share, to work with."""
    payment = locked_row(Payment, stage.payment)
    return payment, provider_sync.escrow.shares_of(payment)[0]


def test_nothing_can_be_divided_where_nothing_is_held(stage: Stage) -> None:
    stage.pay(until="held")
    stage.finish()
    stage.inside(lambda: stage.act(stage.worker, "dispute"))
    back = stage.worker.post(f"/api/payments/{stage.payment}/refund", {}, headers={"Idempotency-Key": "all"})
    assert back.status_code == 200
    with pytest.raises(Conflict):
        stage.inside(lambda: in_transaction(lambda: service.settle(stage.task, to_provider_minor=500)))
    assert stage.rest().outcome()[0] == "disputed"
