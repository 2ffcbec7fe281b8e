"""Reconciliation: poll open objects, compare the ledger with providers' reports and with itself, store
discrepancies."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import bindparam, func, insert, select, text, update

from marketplace.core.database.db import AnyRow, UTCDateTime, execute, fetch, in_transaction, locked_row
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.clock import now
from marketplace.payments import provider_sync, queries
from marketplace.payments.chargebacks import service as chargebacks_service
from marketplace.payments.chargebacks.lifecycle import ChargebackStatus
from marketplace.payments.chargebacks.models import Chargeback
from marketplace.payments.ledger.invariants import findings
from marketplace.payments.ledger.models import LedgerAccount
from marketplace.payments.ledger.service import TRANSFERS
from marketplace.payments.lifecycle import UNPAID, PaymentStatus, PayoutStatus, RefundStatus
from marketplace.payments.models import POLL_AFTER, Discrepancy, Payment, Payout, Refund
from marketplace.payments.providers.provider import (
    ChargebackState,
    PayoutState,
    Provider,
    ProviderError,
    RefundState,
    ResourceType,
    SettlementLine,
    SettlementReports,
    Unknown,
)
from marketplace.payments.providers.registry import providers
from marketplace.payments.subscriptions.refunds import service as refunds_service
from marketplace.payments.subscriptions.refunds.models import InvoiceRefund

SETTLED = timedelta(hours=1)  # what is younger may be booked here and not there yet, or the other way round
LOOK_BACK, A_DAY, AN_HOUR = timedelta(days=3), timedelta(days=1), timedelta(hours=1)
NOT_SET_UP = "is not set up any more and has open payments or people's money"
Thing = tuple[ResourceType, str]
BREAKS = table_of(Discrepancy)
AT_ONCE = 200
KINDS = ("ledger", "provider")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference, in minor units."""

    kind: str
    subject: str
    currency: str = ""
    ours_minor: int = 0
    theirs_minor: int = 0

    @property
    def name(self) -> str:
        """Its stable name: the subject without counts and names in brackets."""
        return f"{self.kind}:{self.subject.partition(' (')[0] if self.kind == 'ledger' else self.subject}"


def ask_about_open() -> int:
    """Poll payments, refunds and payouts open for a minute, and open chargebacks every hour; returns how many were
    answered."""
    before = now() - POLL_AFTER
    open_: dict[str, list[Any]] = {
        "payment": queries.to_ask_about(AT_ONCE),
        "refund": queries.unsettled(Refund, RefundStatus.PENDING, before, AT_ONCE),
        "invoice_refund": queries.unsettled(InvoiceRefund, RefundStatus.PENDING, before, AT_ONCE),
        "payout": queries.unsettled(Payout, PayoutStatus.SENT, before, AT_ONCE),
        "chargeback": queries.unsettled(Chargeback, ChargebackStatus.OPEN, now() - AN_HOUR, AT_ONCE),
    }
    return sum(_ask(kind, row) for kind, rows in open_.items() for row in rows if row.provider in providers())


def _ask(kind: str, row: Any) -> bool:
    at, (fetched, applied, later) = providers()[row.provider], ASKED[kind]
    try:
        state = fetched(at, row.provider_id)
    except ProviderError as error:
        later = provider_sync.forget if kind == "payment" and isinstance(error, Unknown) else later
        log.warning("the provider does not say how it stands", kind=kind, id=row.id, error=str(error))
        in_transaction(partial(later, row.id))
        return False
    in_transaction(partial(applied, row.id, state))
    return True


def compare(since: datetime, until: datetime) -> list[Difference]:
    """Differences between providers' reports and the ledger in this time."""
    return [one for name, at in providers().items() for one in _compared(name, at, since, until)]


def prove() -> list[Difference]:
    """Violated invariants of the ledger, as differences."""
    return [Difference(kind="ledger", subject=finding[:300]) for finding in findings()]


def keep(differences: list[Difference], kinds: tuple[str, ...]) -> None:
    """Store new discrepancies, update known ones, and close those of these kinds that are gone."""
    moment = now()
    seen = {one.name: one for one in differences}
    open_ = {
        row.active_reference: row.id for row in fetch(select(BREAKS).where(BREAKS.c.active_reference.is_not(None)))
    }
    for name, one in seen.items():
        said = {"subject": one.subject, "ours_minor": one.ours_minor, "theirs_minor": one.theirs_minor}
        if name in open_:
            execute(update(BREAKS).where(BREAKS.c.id == open_[name]).values(seen_at=moment, **said))
            continue
        about = {"kind": one.kind, "active_reference": name, "currency": one.currency}
        execute(insert(BREAKS), {**about, **said, "found_at": moment, "seen_at": moment})
        log.error("books do not agree", kind=one.kind, **said)
    gone = [number for name, number in open_.items() if name not in seen and _was_looked_at(name, kinds)]
    execute(update(BREAKS).where(BREAKS.c.id.in_(gone)).values(active_reference=None, closed_at=moment))


def _was_looked_at(name: str, kinds: tuple[str, ...]) -> bool:
    """Whether its provider was compared; one the settings do not name any more was not."""
    kind, _, subject = name.partition(":")
    return kind in kinds and (kind == "ledger" or subject.endswith(NOT_SET_UP) or subject.split()[0] in providers())


def look_back_to(until: datetime) -> datetime:
    """LOOK_BACK before `until`, or before the oldest open discrepancy, which is closed only where it was compared
    again."""
    oldest = select(func.min(BREAKS.c.found_at)).where(BREAKS.c.kind == "provider", BREAKS.c.closed_at.is_(None))
    return min(until, fetch(oldest)[0][0] or until) - LOOK_BACK


def figures() -> Iterator[GaugeMetricFamily]:
    """Metrics: number and age of open discrepancies."""
    count = GaugeMetricFamily("marketplace_ledger_breaks", "Open breaks by kind", labels=["kind"])
    age = GaugeMetricFamily("marketplace_ledger_break_oldest_seconds", "Age of the oldest by kind", labels=["kind"])
    open_ = select(BREAKS.c.kind, func.count().label("n"), func.min(BREAKS.c.found_at).label("since"))
    found = {row.kind: row for row in fetch(open_.where(BREAKS.c.closed_at.is_(None)).group_by(BREAKS.c.kind))}
    for kind in KINDS:
        row = found.get(kind)
        count.add_metric([kind], row.n if row else 0)
        age.add_metric([kind], (now() - row.since).total_seconds() if row else 0.0)
    yield from (count, age)


def _touched(model: Any) -> Callable[[int], None]:
    def touch(thing_id: int) -> None:
        locked_row(model, thing_id).touch()

    return touch


def _put_off(payment_id: int) -> None:
    provider_sync.put_off(locked_row(Payment, payment_id))


def _refund_said(refund_id: int, state: RefundState) -> None:
    provider_sync.apply_refund_state(refund_id, state)
    locked_row(Refund, refund_id).touch()


def _chargeback_said(chargeback_id: int, state: ChargebackState) -> None:
    payment_id = fetch(select(Chargeback.payment_id).where(Chargeback.id == chargeback_id))[0].payment_id
    chargebacks_service.apply_state(payment_id, state)


def _payout_said(payout_id: int, state: PayoutState) -> None:
    provider_sync.apply_payout_state(payout_id, state)
    locked_row(Payout, payout_id).touch()


def _compared(name: str, at: SettlementReports, since: datetime, until: datetime) -> Iterator[Difference]:
    """Differences in this time that remain with a day more on both sides, as clocks may differ and returns come
    later."""
    wide = (since - A_DAY, max(until, now()))
    theirs, ours = list(at.book(*wide)), list(_booked(name, *wide))
    within = [[line for line in lines if since <= line.made_at < until] for lines in (theirs, ours)]
    suspects, (sums, currencies) = _differing(*within)[0], _differing(theirs, ours)
    for thing in sorted(suspects.keys() & sums.keys()):
        subject = f"{name} {thing[0].value} {thing[1]}"
        minor = dict(zip(("theirs_minor", "ours_minor"), sums[thing], strict=True))
        yield Difference(kind="provider", subject=subject, currency=currencies[thing], **minor)


def _differing(
    theirs: list[SettlementLine], ours: list[SettlementLine]
) -> tuple[dict[Thing, tuple[int, int]], dict[Thing, str]]:
    """(theirs, ours) in minor units of each object where the sums differ, and its currency."""
    currencies = {(line.about, line.object_id): line.currency for line in (*theirs, *ours)}
    sums = [Counter[Thing](), Counter[Thing]()]
    for side, lines in zip(sums, (theirs, ours), strict=True):
        for line in lines:
            side[line.about, line.object_id] += line.amount_minor
    both = {thing: (sums[0][thing], sums[1][thing]) for thing in currencies}
    return {thing: pair for thing, pair in both.items() if pair[0] != pair[1]}, currencies


def orphans() -> Iterator[Difference]:
    """Balances at providers that the settings do not name any more: they can be neither polled nor paid out."""
    names, open_ = list(providers()), Payment.status.in_((*UNPAID, PaymentStatus.AUTHORIZED, PaymentStatus.HELD))
    held = select(Payment.provider, Payment.currency, Payment.captured_minor.label("minor")).where(open_)
    account = LedgerAccount
    owed = select(account.provider, account.currency, account.balance_minor.label("minor")).where(
        account.purpose.in_(("available", "payout", "refund")), account.balance_minor > 0
    )
    found: Counter[tuple[str, str]] = Counter()
    for row in [*fetch(held.where(Payment.provider.not_in(names))), *fetch(owed.where(account.provider.not_in(names)))]:
        found[row.provider, row.currency] += int(row.minor)
    for (name, currency), minor in sorted(found.items()):
        yield Difference(kind="provider", subject=f"{name} {NOT_SET_UP}", currency=currency, ours_minor=minor)


def _booked(name: str, since: datetime, until: datetime) -> list[SettlementLine]:
    """The ledger's movements at a provider in this time; money going out is positive for refunds and payouts."""
    rows = fetch(_BETWEEN, {"about": f"provider/-/{name}/%", "since": since, "until": until})
    subjects = [row.subject.partition(":")[::2] for row in rows]
    named = {kind: _names(kind, [rest for one, rest in subjects if one == kind]) for kind in MODELS}
    return [_line(row, about, named) for row, (about, _) in zip(rows, subjects, strict=True)]


def _line(row: AnyRow, kind: str, named: dict[str, dict[int, str]]) -> SettlementLine:
    rest = row.subject.partition(":")[2]
    about = ABOUT.get(kind) or ResourceType(kind)
    if about is ResourceType.SUBSCRIPTION:
        object_id = rest.partition(":")[2]  # what a subscription paid is named by its invoice
    else:
        object_id = named[kind].get(int(rest)) or f"(ours: {rest})"
    comes_in = bool(row.comes_in) == (about in {ResourceType.PAYMENT, ResourceType.SUBSCRIPTION})
    amount = {"amount_minor": int(row.amount_minor) if comes_in else -int(row.amount_minor), "currency": row.currency}
    return SettlementLine(about=about, object_id=object_id, key="", made_at=row.created_at, **amount)


def _names(kind: str, ids: list[str]) -> dict[int, str]:
    """Provider ids by our ids."""
    model = MODELS[kind]
    rows = fetch(select(model.id, model.provider_id).where(model.id.in_([int(one) for one in ids]))) if ids else []
    return {row.id: row.provider_id for row in rows if row.provider_id}


# By the first word of a ledger transfer's subject.
MODELS: dict[str, Any] = {
    "payment": Payment,
    "refund": Refund,
    "invoice_refund": InvoiceRefund,
    "payout": Payout,
    "chargeback": Chargeback,
}
ABOUT = {"invoice": ResourceType.SUBSCRIPTION, "invoice_refund": ResourceType.REFUND}
_BETWEEN = (
    text(
        """SELECT t.subject, t.amount_minor, t.currency, t.created_at, d.purpose = 'provider' AS comes_in
        FROM ledger_transfers t
        JOIN ledger_accounts d ON d.id = t.debit_id JOIN ledger_accounts c ON c.id = t.credit_id
        WHERE t.created_at >= :since AND t.created_at < :until AND (d.key LIKE :about OR c.key LIKE :about)"""
    )
    .bindparams(bindparam("since", type_=UTCDateTime()), bindparam("until", type_=UTCDateTime()))
    .columns(*(TRANSFERS.c[name] for name in ("subject", "amount_minor", "currency", "created_at")))
)
# By kind: how it is asked for, what takes the answer over, and what puts the next question off.
ASKED: dict[str, tuple[Callable[[Provider, str], Any], Callable[[int, Any], Any], Callable[[int], None]]] = {
    "payment": (lambda at, name: at.fetch_payment(name), provider_sync.apply_provider_state, _put_off),
    "refund": (lambda at, name: at.fetch_refund(name), _refund_said, _touched(Refund)),
    "invoice_refund": (
        lambda at, name: at.fetch_refund(name),
        refunds_service.apply_state,
        _touched(InvoiceRefund),
    ),
    "payout": (lambda at, name: at.fetch_payout(name), _payout_said, _touched(Payout)),
    "chargeback": (lambda at, name: at.fetch_chargeback(name), _chargeback_said, _touched(Chargeback)),
}
