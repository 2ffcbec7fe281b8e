"""Send recorded requests to the provider: never inside a transaction, the answer recorded in one of its own.

Apart from the rooms: the worker of a queue: calls of the network between two transactions, which a service never makes.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import select, update

from marketplace.core.database.db import (
    AnyRow,
    after_commit,
    execute,
    fetch,
    in_transaction,
    release_connection,
)
from marketplace.core.ops import current_settings
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.clock import now
from marketplace.payments import provider_sync, queries
from marketplace.payments.chargebacks import service as chargebacks_service
from marketplace.payments.chargebacks.lifecycle import ChargebackStatus
from marketplace.payments.chargebacks.models import Chargeback
from marketplace.payments.escrow import ACCEPTED, BY_HAND, CALL_OFF
from marketplace.payments.lifecycle import UNPAID, PaymentStatus, PayoutStatus, RefundStatus
from marketplace.payments.models import Payee, Payment, Payout, Refund
from marketplace.payments.payouts import service as payouts_service
from marketplace.payments.provider_requests import queue
from marketplace.payments.provider_requests.queue import CALLS, CALLS_TABLE, HANDLERS, Record, handles
from marketplace.payments.providers.provider import (
    Charge,
    Chargebacks,
    Charges,
    Declined,
    Done,
    EvidenceFile,
    NotSettled,
    PaymentState,
    Payouts,
    PayoutState,
    ProviderStatus,
    Refunds,
    RefundState,
    Refused,
    Unknown,
    Unreachable,
)
from marketplace.payments.providers.registry import provider
from marketplace.uploads import queries as uploads_queries
from marketplace.uploads.addresses import key_of
from marketplace.uploads.gateways.registry import storage
from marketplace.uploads.gateways.storage import StorageFailed

KEYS_REMEMBERED = timedelta(hours=23)  # providers forget keys after 24 h: from then on what was done is looked up first
UNTIL_SETTLED = timedelta(hours=1)
DISPUTED = {"charge_disputed"}
NOT_NAMED = "the provider has not said yet what it calls this payment"
log = structlog.get_logger(__name__)


def call_due() -> int:
    """Send every request that is due; returns how many came to an end."""
    ended = 0
    while claimed := CALLS.claim():
        ended += sum(_call(row) for row in claimed)
    return ended


def at_once(subject: str, work: Callable[[], int]) -> int:
    """Run `work` in one transaction and send the requests about the subject whose id it returns, without waiting for
    the background. Returns the id."""
    with queue.reserved():
        subject_id = in_transaction(work)
        call_now(subject, subject_id)
    return subject_id


def call_when_committed(subject: str, subject_id: int | None) -> None:
    """Send the requests about a subject once the running transaction is committed, before the answer; no effect for
    None."""
    if subject_id is not None:
        after_commit(partial(_call_reserved, subject, subject_id))


def _call_reserved(subject: str, subject_id: int) -> None:
    """As `call_now`, and follow-up requests are kept from the background: whoever waits here would not wait for it."""
    with queue.reserved():
        call_now(subject, subject_id)


def call_now(subject: str, subject_id: int) -> None:
    """Send the requests about one subject, those too that the answers lead to; a failed one is tried again by the
    background."""
    tried: set[int] = set()
    while fresh := [one for one in queue.waiting(subject, subject_id) if one not in tried]:
        tried.add(fresh[0])
        for row in CALLS.claim(fresh[0], ahead=queue.RESERVED_FOR):
            _call(row)


def _call(row: AnyRow) -> bool:
    try:
        record = HANDLERS[row.kind](row)
    except Unreachable as error:
        return _again(row, f"Unreachable: {error}")
    except Exception as error:
        log.exception("provider call failed", call=row.id, kind=row.kind)
        return _again(row, f"{type(error).__name__}: {error}")
    return in_transaction(partial(_finish, row, record))


def _again(row: AnyRow, error: str) -> bool:
    in_transaction(lambda: CALLS.failed(row, error))
    return False


def _finish(row: AnyRow, record: Record | None) -> bool:
    """Record the answer, even where another worker has the request by now: it is true all the same."""
    if record is not None:
        record()
    return CALLS.done(row)


def may_send(row: AnyRow, remembered: timedelta = KEYS_REMEMBERED) -> bool:
    """Whether the provider still remembers the request's key; the first time is recorded before it is sent."""
    if row.first_at is not None:
        return bool(row.first_at > now() - remembered)
    first = update(CALLS_TABLE).where(CALLS_TABLE.c.id == row.id).values(first_at=now())
    in_transaction(lambda: execute(first))
    return True


@handles("create")
def _create(row: AnyRow) -> Record | None:
    payment = as_it_is(Payment, row.subject_id)
    if payment.status not in UNPAID:
        return None
    if payment.intended_outcome == CALL_OFF and row.first_at is None:
        return partial(provider_sync.give_up, payment.id)
    at: Charges = provider(payment.provider)
    charge = Charge(
        key=row.key,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        description=payment.title,
        reference=payment.reference,
        return_url=f"{current_settings.text('SITE_URL')}/payments/{payment.id}",
    )
    found = None if may_send(row) else at.find_payment(row.key)
    try:
        state = found or at.create(charge)
    except Refused as error:
        return partial(provider_sync.fail_payment, payment.id, str(error))

    def record() -> None:
        provider_sync.apply_provider_state(payment.id, state)
        if row.method:
            queue.ask("confirm", "payment", payment.id, key=f"confirm-{row.key}", method=row.method)

    return record


@handles("confirm")
def _confirm(row: AnyRow) -> Record | None:
    payment = as_it_is(Payment, row.subject_id)
    if payment.status not in UNPAID or payment.intended_outcome == CALL_OFF:
        return None
    if payment.provider_id is None:
        raise Unreachable(NOT_NAMED)
    at: Charges = provider(payment.provider)
    provider_id = payment.provider_id
    if not may_send(row):
        return _as_it_stands(at, payment)
    try:
        return _taken_over(payment, at.confirm(provider_id, method=row.method, key=row.key))
    except Refused as error:
        stands, failure = _as_it_stands(at, payment), "" if isinstance(error, Unknown) else str(error)

    def record() -> None:
        stands()
        provider_sync.note_failure(payment.id, failure)

    return record


@handles("capture")
def _capture(row: AnyRow) -> Record | None:
    payment = as_it_is(Payment, row.subject_id)
    if payment.status != PaymentStatus.AUTHORIZED:
        return None
    if payment.intended_outcome == CALL_OFF:
        return partial(queue.ask, "cancel", "payment", payment.id, key=f"cancel-{payment.key}")
    at: Charges = provider(payment.provider)
    provider_id = payment.provider_id or ""
    if not may_send(row):
        state = at.fetch_payment(provider_id)
        if state.status is ProviderStatus.CAPTURED:
            return _taken_over(payment, state)
    try:
        return _taken_over(payment, at.capture(provider_id, amount_minor=payment.amount_minor, key=row.key))
    except Refused as error:
        return _not_captured(payment, at.fetch_payment(provider_id), error)


def _not_captured(payment: Any, state: PaymentState, error: Refused) -> Record:
    """The capture was refused: fail the payment, and cancel what is left of the authorisation."""
    if state.status is ProviderStatus.CAPTURED:
        return _taken_over(payment, state)

    def record() -> None:
        sentence = str(error) if isinstance(error, Declined) else "The payment could not be collected."
        provider_sync.fail_payment(payment.id, sentence)
        queue.ask("cancel", "payment", payment.id, key=f"cancel-{payment.key}")

    return record


@handles("cancel")
def _cancel(row: AnyRow) -> Record | None:
    payment = as_it_is(Payment, row.subject_id)
    if payment.captured_at is not None or payment.status == PaymentStatus.CANCELLED:
        return None
    if payment.status == PaymentStatus.FAILED and payment.provider_id is None:
        return None
    if payment.provider_id is None:
        raise Unreachable(NOT_NAMED)
    at: Charges = provider(payment.provider)
    provider_id = payment.provider_id
    may_send(row)
    try:
        return _taken_over(payment, at.cancel(provider_id, key=row.key))
    except Refused:
        return _as_it_stands(at, payment)


@handles("refund", BY_HAND)
def _refund(row: AnyRow) -> Record | None:
    back = as_it_is(Refund, row.subject_id)
    if back.status != RefundStatus.PENDING:
        return None
    payment = as_it_is(Payment, back.payment_id)
    at: Refunds = provider(payment.provider)
    provider_id = payment.provider_id or ""
    made = at.refunds_of(provider_id) if not may_send(row) or row.kind == BY_HAND else []
    found = next((one for one in made if one.key == row.key), None)
    if found is None and row.kind == BY_HAND:
        found = next((one for one in _foreign(payment, made) if one.amount_minor == back.amount_minor), None)
    amount: dict[str, Any] = {"amount_minor": back.amount_minor, "currency": back.currency}
    try:
        state = found or at.refund(provider_id, **amount, key=row.key)
    except Refused as error:
        if error.code in DISPUTED or as_it_is(Payment, payment.id).is_frozen:
            raise Unreachable("the payer's bank disputes this payment: what it decides comes first") from error
        foreign = _foreign(payment, at.refunds_of(provider_id))
        if foreign:
            return _taken_over_by_hand(back, foreign)
        state = RefundState(id="", status=Done.FAILED, **amount, failure=str(error))
    return partial(provider_sync.apply_refund_state, back.id, state)


@handles(ACCEPTED)
def _accept(row: AnyRow) -> Record | None:
    """Take over what was made by hand at the provider, however much; None where nothing was."""
    back = as_it_is(Refund, row.subject_id)
    if back.status != RefundStatus.PENDING:
        return None
    payment = as_it_is(Payment, back.payment_id)
    at: Refunds = provider(payment.provider)
    may_send(row)
    foreign = _foreign(payment, at.refunds_of(payment.provider_id or ""))
    return partial(provider_sync.take_over, back.id, foreign) if foreign else None


def _foreign(payment: Any, made: list[RefundState]) -> list[RefundState]:
    """Refunds that somebody made at the provider itself and that are not recorded here."""
    ours, keys = queries.names_of_refunds(payment.id), f"refund-{payment.key}-"
    there = [one for one in made if one.id not in ours and not one.key.startswith(keys)]
    return [one for one in there if one.status is not Done.FAILED]


def _taken_over_by_hand(back: Any, foreign: list[RefundState]) -> Record:
    """Record refunds made at the provider by hand as parts of this refund, or all of it."""
    exact = [one for one in foreign if one.amount_minor == back.amount_minor]
    parts = exact[:1] or foreign
    if sum(one.amount_minor for one in parts) > back.amount_minor:
        raise Unreachable("more was sent back by hand, at the provider, than is to go back here: accept it, or undo it")
    return partial(provider_sync.take_over, back.id, parts)


@handles("evidence")
def _evidence(row: AnyRow) -> Record | None:
    mine = as_it_is(Chargeback, row.subject_id)
    if mine.status != ChargebackStatus.OPEN:
        return None
    at: Chargebacks = provider(mine.provider)
    paper = _paper(mine.evidence_file)
    may_send(row)
    try:
        state = at.submit_evidence(mine.provider_id, evidence=mine.evidence, file=paper, key=row.key)
    except Refused:  # too late, or decided meanwhile: what stands there counts
        state = at.fetch_chargeback(mine.provider_id)
    return partial(chargebacks_service.apply_state, mine.payment_id, state)


def _paper(stem: str) -> EvidenceFile | None:
    """The upload's bytes; None where there is none, or it was deleted meanwhile. Raises Unreachable."""
    found = uploads_queries.by_stems([stem]) if stem else []
    release_connection()
    try:
        data = storage().get(key_of(found[0])) if found else None
    except StorageFailed as error:
        raise Unreachable(f"the paper cannot be read: {error}") from error
    if data is None:
        return None
    return EvidenceFile(name=f"{stem}.{found[0].extension}", content_type=found[0].content_type, data=data)


@handles("pay_out")
def _pay_out(row: AnyRow) -> Record | None:
    payout = as_it_is(Payout, row.subject_id)
    if payout.status not in {PayoutStatus.REQUESTED, PayoutStatus.SENT}:
        return None
    at: Payouts = provider(payout.provider)  # one that the settings do not name any more takes nothing up
    if payout.status == PayoutStatus.REQUESTED:
        if queries.is_frozen():
            raise Unreachable("payouts are frozen until the books agree again")
        if not in_transaction(lambda: payouts_service.send(payout.id)):
            return None
    payee = _payee_of(payout)
    found = None if may_send(row, at.payouts_remembered) else at.find_payout(row.key)
    try:
        state = found or _sent_by(at, payout, payee, row.key)
    except NotSettled:
        return partial(_ask_when_settled, payout.id, row.key)
    except Refused as error:
        amount, currency = payout.amount_minor, payout.currency
        state = PayoutState(id="", status=Done.FAILED, amount_minor=amount, currency=currency, failure=str(error))
    return partial(provider_sync.apply_payout_state, payout.id, state)


def _ask_when_settled(payout_id: int, key: str) -> None:
    """Ask again later, under another key: for this one a provider may remember that it said no."""
    name, _, nth = key.partition("-")
    later = now() + UNTIL_SETTLED
    queue.ask("pay_out", "payout", payout_id, key=f"{name}-{int(nth or 0) + 1}", not_before=later)


def _sent_by(at: Payouts, payout: Any, payee: str, key: str) -> PayoutState:
    name, minor = f"payout:{payout.id}", payout.amount_minor
    return at.pay_out(payee_id=payee, amount_minor=minor, currency=payout.currency, key=key, reference=name)


def _payee_of(payout: Any) -> str:
    chosen = select(Payee.provider_id).where(Payee.user_id == payout.user_id, Payee.provider == payout.provider)
    rows = fetch(chosen)
    release_connection()
    return (rows[0].provider_id or "") if rows else ""


def _taken_over(payment: Any, state: PaymentState) -> Record:
    return partial(provider_sync.apply_provider_state, payment.id, state)


def _as_it_stands(at: Charges, payment: Any) -> Record:
    """Record the payment as the provider has it; one that was never paid it may have forgotten."""
    try:
        return _taken_over(payment, at.fetch_payment(payment.provider_id))
    except Unknown:
        return partial(provider_sync.forget, payment.id)


def as_it_is(model: Any, thing_id: int) -> Any:
    """The row as it is now; the connection is given back before the provider is asked."""
    table = table_of(model)
    row = fetch(select(table).where(table.c.id == thing_id))[0]
    release_connection()
    return row
