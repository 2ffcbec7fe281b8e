"""Whoever hears first what became of a payment, and whatever the other does meanwhile: one capture, one receipt."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import product
from secrets import token_hex

import pytest
from flask import Flask
from sqlalchemy import select, update

from marketplace.cli import audit
from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict
from marketplace.payments import provider_sync
from marketplace.payments import service as payments
from marketplace.payments.ledger import chart_of_accounts
from marketplace.payments.ledger.service import Posting, post
from marketplace.payments.models import Payment, PaymentShare
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.providers.provider import PaymentState, ProviderStatus
from marketplace.payments.receipts import service as receipts_service
from marketplace.payments.reconciliation import service as reconciliation_service
from marketplace.payments.webhooks import service as webhooks_service
from marketplace.tasks.models import Task
from tests.factories.money import VISA, key
from tests.factories.people import Person
from tests.races.interleave import Meeting, Work, meetings
from tests.races.stage import Stage, long_ago, work_off

HELD = ("assigned", "held", Counter(payment=1), 1)
CALLED_OFF = [("open", "cancelled", Counter[str](), 0), ("open", "refunded", Counter(payment=1, refund=1), 1)]
ONE_WINNER = [("completed", "released", Counter(payment=1), 1), ("disputed", "held", Counter(payment=1), 1)]
GIVEN_BACK = [("completed", "released", Counter(payment=1, refund=1), 1)]
Scene = Callable[[Stage], tuple[Work, Work]]


@pytest.fixture
def stage(app: Flask, anna: Person, juris: Person) -> Stage:
    """Two people."""
    return Stage(app, anna, juris)


def play(stage: Stage, scene: Scene) -> list[tuple[Stage, Meeting]]:
    """Every meeting of the two, each with the stage it left."""
    stages: list[Stage] = []

    def prepare() -> tuple[Work, Work]:
        stages.append(stage.set_up())
        return scene(stages[-1])

    met = list(meetings(stage.app, prepare))
    assert len(met) > 1
    assert not all(one.waited for one in met)
    stages[-1].rest()  # in the last one nobody was stopped
    return list(zip(stages, met, strict=False))


def behind_the_scenes() -> None:
    """The thread that works off what is due."""
    while sum((webhooks_service.read_due(), provider_requests_handlers.call_due())):
        pass


def confirm_and_webhook(one: Stage) -> tuple[Work, Work]:
    path = f"/api/payments/{one.payment}/confirm"
    return lambda: one.owner.post(path, {"payment_method": VISA}, **key()), behind_the_scenes


def webhook_and_reconciler(one: Stage) -> tuple[Work, Work]:
    one.pay(until="captured")
    one.inside(lambda: long_ago(one.payment))
    return webhooks_service.read_due, reconciliation_service.ask_about_open


def reconciler_and_webhook(one: Stage) -> tuple[Work, Work]:
    return webhook_and_reconciler(one)[::-1]


@pytest.mark.parametrize("scene", [confirm_and_webhook, webhook_and_reconciler, reconciler_and_webhook])
def test_a_capture_is_booked_once_whoever_hears_of_it(stage: Stage, scene: Scene) -> None:
    for one, met in play(stage, scene):
        assert (met.first, met.rival) == (None, None), met
        assert one.outcome() == HELD, met


def capture_and_decline(one: Stage) -> tuple[Work, Work]:
    one.pay(until="authorized")
    return one.call, lambda: one.act(one.worker, "decline")


def decline_and_capture(one: Stage) -> tuple[Work, Work]:
    return capture_and_decline(one)[::-1]


@pytest.mark.parametrize("scene", [capture_and_decline, decline_and_capture])
def test_a_task_declined_while_its_money_is_taken_costs_nothing(stage: Stage, scene: Scene) -> None:
    ends = set()
    for one, met in play(stage, scene):
        assert (met.first, met.rival) == (None, None), met
        ended = one.rest().outcome()
        assert ended in CALLED_OFF, met
        ends.add(ended[1])
    assert "refunded" in ends


def begin_and_end(verb: str) -> Scene:
    """Paying again for a task while it is called off."""

    def scene(one: Stage) -> tuple[Work, Work]:
        who = one.owner if verb == "cancel" else one.worker
        body = {"task_id": one.task, "price": 40, "payment_method": VISA}
        return lambda: one.owner.post("/api/payments", body, **key()), lambda: one.act(who, verb)

    return scene


@pytest.mark.parametrize("verb", ["cancel", "decline"])
def test_paying_for_a_task_that_is_called_off_meanwhile_leaves_nothing_held(stage: Stage, verb: str) -> None:
    for one, met in play(stage, begin_and_end(verb)):
        task, _, _, _ = one.rest().outcome()
        assert (task, one.inside(one.held)) == ("cancelled" if verb == "cancel" else "open", 0), met


def test_control_without_holding_the_deal_a_payment_outlives_the_deal(
    stage: Stage, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database == "sqlite":
        pytest.skip("SQLite has one writer: the guard is never needed there")
    monkeypatch.setattr("marketplace.deals.payments.service.locked", lambda statement: statement)
    stages: list[Stage] = []

    def prepare() -> tuple[Work, Work]:
        stages.append(stage.set_up())
        return begin_and_end("cancel")(stages[-1])

    for _ in meetings(stage.app, prepare, every=1):
        stages[-1].inside(work_off)
        if stages[-1].inside(stages[-1].held):
            stages[-1].inside(lambda: in_transaction(partial(payments.call_off, f"task:{stages[-1].task}")))
            return
    raise AssertionError("nothing was held for a task that is over")


def release_and_dispute(one: Stage) -> tuple[Work, Work]:
    one.pay(until="held")
    one.finish()
    return lambda: one.act(one.owner, "confirm"), lambda: one.act(one.worker, "dispute")


def dispute_and_release(one: Stage) -> tuple[Work, Work]:
    return release_and_dispute(one)[::-1]


@pytest.mark.parametrize("scene", [release_and_dispute, dispute_and_release])
def test_a_release_and_a_dispute_have_one_winner_and_the_money_follows(stage: Stage, scene: Scene) -> None:
    for one, met in play(stage, scene):
        errors = [error for error in (met.first, met.rival) if error is not None]
        assert [isinstance(error, Conflict) for error in errors] == [True], met
        assert one.outcome() in ONE_WINNER, met


def release_and_refund(one: Stage) -> tuple[Work, Work]:
    one.pay(until="held")
    one.finish()
    back = f"/api/payments/{one.payment}/refund"
    return lambda: one.act(one.owner, "confirm"), lambda: one.worker.post(back, {"amount": 10}, **key())


def test_what_is_given_back_while_the_rest_is_released_goes_back_once(stage: Stage) -> None:
    for one, met in play(stage, release_and_refund):
        assert (met.first, met.rival) == (None, None), met
        assert one.rest().outcome() in GIVEN_BACK, met


@pytest.mark.control
@pytest.mark.parametrize(
    ("database", "scene"),
    [
        *product(("sqlite", "postgres"), (capture_and_decline, dispute_and_release)),
        ("sqlite", release_and_refund),  # Postgres keeps the escrow from going below zero even so
    ],
    indirect=["database"],
)
def test_control_where_nobody_holds_a_row_the_money_does_not_follow(
    stage: Stage, database: str, monkeypatch: pytest.MonkeyPatch, scene: Scene
) -> None:
    for place in ("core.database.db", "payments.escrow", "tasks.queries"):
        monkeypatch.setattr(f"marketplace.{place}.locked", lambda statement: statement)
    for model in (Task, Payment, PaymentShare):
        monkeypatch.setattr(model.__mapper__, "version_id_col", None)
        monkeypatch.setattr(model.__mapper__, "_memoized_values", {})
    if database == "sqlite":
        monkeypatch.setattr("marketplace.core.database.db.writing_options", lambda engine: {})
    stages: list[Stage] = []

    def prepare() -> tuple[Work, Work]:
        stages.append(stage.set_up())
        return scene(stages[-1])

    def went_wrong() -> bool:
        stages[-1].inside(work_off)
        return bool(stages[-1].inside(audit.findings))

    assert any(went_wrong() for _ in meetings(stage.app, prepare, every=1))


@pytest.mark.control
def test_control_without_the_lock_a_capture_is_booked_twice(
    stage: Stage, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = provider_sync.apply_provider_state

    def careless(payment_id: int, state: PaymentState) -> object:
        """Looks first, then writes; and nothing is unique."""
        known = fetch(select(Payment.captured_at).where(Payment.id == payment_id))[0]
        if state.status is not ProviderStatus.CAPTURED:
            return careful(payment_id, state)
        if known.captured_at is None:
            book(payment_id, state.captured_minor)
        return None

    def book(payment_id: int, minor: int) -> None:
        taken = {"status": "held", "captured_minor": minor}
        execute(update(Payment).where(Payment.id == payment_id).values(**taken, captured_at=now()))
        payment = db.session.get_one(Payment, payment_id, populate_existing=True)
        mine = PaymentShare.payment_id == payment_id
        execute(update(PaymentShare).where(mine).values(**taken, payee_left_minor=minor))
        part = db.session.scalars(select(PaymentShare).where(mine)).one()
        sides = {"debit": chart_of_accounts.at_provider(payment), "credit": chart_of_accounts.escrow(payment, part)}
        subject = f"payment:{payment_id}"
        post([Posting(key=token_hex(9), amount_minor=minor, kind="hold", reference="", subject=subject, **sides)])
        receipts_service._issue("", token_hex(9), {}, payment_id=payment_id)

    monkeypatch.setattr(provider_sync, "apply_provider_state", careless)
    if database == "sqlite":  # there BEGIN IMMEDIATE alone would do
        monkeypatch.setattr("marketplace.core.database.db.writing_options", lambda engine: {})

    def prepare() -> tuple[Work, Work]:
        stages.append(stage.set_up())
        return webhook_and_reconciler(stages[-1])

    stages: list[Stage] = []
    assert any(stages[-1].outcome()[3] == 2 for _ in meetings(stage.app, prepare, every=1))
