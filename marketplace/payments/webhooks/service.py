"""Webhooks: stored as they came, answered at once; the object they are about is fetched before anything is done."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import delete, insert, select

from marketplace.core.database.db import AnyRow, after_commit, execute, fetch, in_transaction
from marketplace.core.queues.work_queue import Queue, table_of, wake
from marketplace.kit.clock import now
from marketplace.kit.errors import Busy, NotFound, Problem
from marketplace.kit.text import is_storable
from marketplace.payments import provider_sync, queries
from marketplace.payments.chargebacks import service as chargebacks_service
from marketplace.payments.models import Payee, Payment, Payout, ProviderEvent, Refund
from marketplace.payments.payouts import service as payouts_service
from marketplace.payments.provider_requests.queue import Record
from marketplace.payments.providers.fake.book import NOTICES
from marketplace.payments.providers.fake.provider import FakeProvider
from marketplace.payments.providers.provider import (
    Chargebacks,
    Charges,
    Forged,
    Onboarding,
    Payouts,
    Provider,
    ProviderError,
    Refunds,
    RefundState,
    Refused,
    ResourceType,
    Unknown,
    Unreachable,
    WebhookEvent,
)
from marketplace.payments.providers.registry import providers
from marketplace.payments.subscriptions.refunds import service as refunds_service
from marketplace.payments.subscriptions.refunds.models import InvoiceRefund

LEASE = timedelta(seconds=60)
ATTEMPTS = 12
KEPT = timedelta(days=90)
LONGEST_NAME, LONGEST_KIND = 255, 100
UNREADABLE = (Forged, Refused, ValueError, KeyError, TypeError, OverflowError, RecursionError)
log = structlog.get_logger(__name__)
EVENTS_TABLE = table_of(ProviderEvent)
EVENTS = Queue("provider_events", EVENTS_TABLE, lease=lambda row: LEASE, attempts=lambda row: ATTEMPTS)

Fetcher = Callable[[Provider, str, str], Record | None]
FETCHERS: dict[ResourceType, Fetcher] = {}


class NotSigned(Problem):
    """400: the signature is wrong or too old."""

    code = "bad_signature"
    sentence = "The signature of this webhook does not fit."


def fetches(about: ResourceType) -> Callable[[Fetcher], Fetcher]:
    """Decorator: how an object of this kind is fetched, as fetcher(provider, provider's name, object id); it returns a
    function that records the answer, or None for an object that is not ours. Raises Unknown."""

    def register(fetcher: Fetcher) -> Fetcher:
        FETCHERS[about] = fetcher
        return fetcher

    return register


def receive(name: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Store one webhook; False where it was stored before. Raises NotSigned (400), NotFound (404), Busy (503)."""
    if name not in providers():
        raise NotFound.of("provider")
    try:
        notice = providers()[name].read_notice(headers, body)
    except Unreachable:  # what it was signed with cannot be had; the provider sends it again
        raise Busy("Who sent this cannot be checked at the moment. Send it again.") from None
    except UNREADABLE:
        raise NotSigned() from None
    if not _is_readable(notice):
        raise NotSigned()
    return in_transaction(lambda: _keep(name, notice, body))


def _is_readable(notice: WebhookEvent) -> bool:
    """Whether its texts fit our columns."""
    said = ((notice.event_id, LONGEST_NAME), (notice.object_id, LONGEST_NAME), (notice.kind, LONGEST_KIND))
    return all(isinstance(word, str) and 0 < len(word) <= most and is_storable(word) for word, most in said)


def _keep(name: str, notice: WebhookEvent, body: bytes) -> bool:
    rows = EVENTS_TABLE.c
    if fetch(select(rows.id).where(rows.provider == name, rows.event_id == notice.event_id)):
        return False
    after_commit(wake)
    moment = now()
    row: dict[str, Any] = {
        "provider": name,
        "event_id": notice.event_id,
        "kind": notice.kind,
        "about": notice.about.value,
    }
    row |= {"object_id": notice.object_id, "body": body}
    execute(insert(ProviderEvent), {**row, "created_at": moment, "due_at": moment, "attempts": 0})
    return True


def read_due() -> int:
    """Handle every webhook that is due; returns how many came to an end."""
    ended = _send_fake_ones()
    while claimed := EVENTS.claim():
        ended += sum(_read(row) for row in claimed)
    return ended


def sweep() -> int:
    """Delete webhooks after ninety days; returns how many."""
    return execute(delete(EVENTS_TABLE).where(EVENTS_TABLE.c.done_at < now() - KEPT))


def _read(row: AnyRow) -> bool:
    try:
        record = _asked(row)
    except Exception as error:
        if not isinstance(error, ProviderError):
            log.exception("a webhook could not be acted on", event=row.id, kind=row.kind)
        message = f"{type(error).__name__}: {error}"
        in_transaction(lambda: EVENTS.failed(row, message))
        return False
    return in_transaction(lambda: _act(row, record))


def _act(row: AnyRow, record: Callable[[], object]) -> bool:
    record()
    return EVENTS.done(row)


def _asked(row: AnyRow) -> Callable[[], object]:
    at = providers().get(row.provider)
    about = ResourceType(row.about)
    if at is None or about not in FETCHERS:
        return lambda: None
    try:
        return FETCHERS[about](at, row.provider, row.object_id) or (lambda: None)
    except Unknown:
        return lambda: None  # theirs, not ours


@fetches(ResourceType.PAYMENT)
def _payment(at: Charges, name: str, object_id: str) -> Record | None:
    """Found by the provider's id, or by our key where the answer with that id is not recorded yet."""
    state = at.fetch_payment(object_id)
    ours = queries.named(Payment, name, object_id) or _with_key(Payment, state.key)
    return partial(provider_sync.apply_provider_state, ours, state) if ours else None


@fetches(ResourceType.REFUND)
def _refund(at: Refunds, name: str, object_id: str) -> Record | None:
    state = at.fetch_refund(object_id)
    for model, apply in (
        (Refund, provider_sync.apply_refund_state),
        (InvoiceRefund, refunds_service.apply_state),
    ):
        named = [int(row.id) for row in fetch(select(model.id).where(model.provider_id == object_id))]
        if ours := named or [found for found in (_with_key(model, state.key),) if found]:
            return partial(_each, apply, ours, state)
    return None


def _each(apply: Callable[[int, RefundState], object], ids: list[int], state: RefundState) -> None:
    """One sent by hand may stand for several of ours."""
    for one in ids:
        apply(one, state)


@fetches(ResourceType.PAYOUT)
def _payout(at: Payouts, name: str, object_id: str) -> Record | None:
    state = at.fetch_payout(object_id)
    ours = queries.named(Payout, name, object_id) or _with_key(Payout, state.key.partition("-")[0])
    return partial(provider_sync.apply_payout_state, ours, state) if ours else None


@fetches(ResourceType.CHARGEBACK)
def _chargeback(at: Chargebacks, name: str, object_id: str) -> Record | None:
    state = at.fetch_chargeback(object_id)
    ours = queries.named(Payment, name, state.payment_id)
    return partial(chargebacks_service.apply_state, ours, state) if ours else None


@fetches(ResourceType.PAYEE)
def _payee(at: Onboarding, name: str, object_id: str) -> Record | None:
    ours = queries.named(Payee, name, object_id)
    return partial(payouts_service.apply_payee_state, ours, at.fetch_payee(object_id)) if ours else None


def _with_key(model: Any, key: str) -> int | None:
    rows = fetch(select(model.id).where(model.key == key)) if key else []
    return int(rows[0].id) if rows else None


def _send_fake_ones() -> int:
    """Renew what is due at the fake provider and take in its webhooks, as it lives in this process."""
    fake = providers().get("fake")
    sent = fake.renew_due() if isinstance(fake, FakeProvider) else 0
    while isinstance(fake, FakeProvider) and (claimed := NOTICES.claim()):
        for row in claimed:
            body = fake.body_of(row)
            receive("fake", fake.signed(body), body)
            sent += in_transaction(partial(NOTICES.done, row))
    return sent
