"""Ask about what has no end, compare our books with the provider's and with themselves, and keep what differs."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import func, insert, select, text, update

from marketplace.core.db import execute, fetch, in_transaction, locked
from marketplace.core.leases import table_of
from marketplace.kit.clock import now
from marketplace.payments import queries, states
from marketplace.payments.gateways.chosen import providers
from marketplace.payments.gateways.provider import About, PayoutState, Provider, ProviderError, RefundState
from marketplace.payments.ledger.proofs import findings
from marketplace.payments.ledger.service import TRANSFERS
from marketplace.payments.lifecycle import PO, UNPAID, R, S
from marketplace.payments.models import ASK_AFTER, Break, Payment, Payout, Refund

SETTLED = timedelta(hours=1)  # what is younger may be booked here and not there yet, or the other way round
BREAKS = table_of(Break)
AT_ONCE = 200
KINDS = ("ledger", "provider")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that does not agree, minor units."""

    kind: str
    subject: str
    currency: str = ""
    ours_minor: int = 0
    theirs_minor: int = 0


def ask_about_open() -> int:
    """Ask about what has had no end for a minute; returns how many were answered."""
    before = now() - ASK_AFTER
    open_: dict[str, list[Any]] = {
        "payment": queries.to_ask_about(AT_ONCE),
        "refund": queries.unsettled(Refund, R.PENDING, before, AT_ONCE),
        "payout": queries.unsettled(Payout, PO.SENT, before, AT_ONCE),
    }
    return sum(_ask(kind, row) for kind, rows in open_.items() for row in rows if row.provider in providers())


def _ask(kind: str, row: Any) -> bool:
    at, (fetched, applied, later) = providers()[row.provider], ASKED[kind]
    try:
        state = fetched(at, row.provider_id)
    except ProviderError as error:
        log.warning("the provider does not say how it stands", kind=kind, id=row.id, error=str(error))
        in_transaction(partial(later, row.id))
        return False
    in_transaction(partial(applied, row.id, state))
    return True


def compare(since: datetime, until: datetime) -> list[Difference]:
    """What each provider booked in this time against what we did, and what we booked that it did not."""
    return [one for name, at in providers().items() for one in _compared(name, at, since, until)]


def prove() -> list[Difference]:
    """What our own books say against themselves."""
    return [Difference(kind="ledger", subject=finding[:300]) for finding in findings()]


def keep(differences: list[Difference], kinds: tuple[str, ...]) -> None:
    """New ones become rows, known ones are seen again, and those of these kinds that are gone are closed."""
    moment = now()
    seen = {f"{one.kind}:{one.subject}": one for one in differences}
    open_ = {row.open_for: row.id for row in fetch(select(BREAKS).where(BREAKS.c.open_for.is_not(None)))}
    for name, one in seen.items():
        amounts = {"ours_minor": one.ours_minor, "theirs_minor": one.theirs_minor}
        if name in open_:
            execute(update(BREAKS).where(BREAKS.c.id == open_[name]).values(seen_at=moment, **amounts))
            continue
        about = {"kind": one.kind, "subject": one.subject, "open_for": name, "currency": one.currency}
        execute(insert(BREAKS), {**about, **amounts, "found_at": moment, "seen_at": moment})
        log.error("books do not agree", kind=one.kind, subject=one.subject, **amounts)
    gone = [number for name, number in open_.items() if name not in seen and name.partition(":")[0] in kinds]
    execute(update(BREAKS).where(BREAKS.c.id.in_(gone)).values(open_for=None, closed_at=moment))


def figures() -> Iterator[GaugeMetricFamily]:
    """How much does not agree, and for how long."""
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
        locked(model, thing_id).touch()

    return touch


def _put_off(payment_id: int) -> None:
    states.put_off(locked(Payment, payment_id))


def _refund_said(refund_id: int, state: RefundState) -> None:
    states.apply_refund_state(refund_id, state)
    locked(Refund, refund_id).touch()


def _payout_said(payout_id: int, state: PayoutState) -> None:
    states.apply_payout_state(payout_id, state)
    locked(Payout, payout_id).touch()


def _compared(name: str, at: Provider, since: datetime, until: datetime) -> Iterator[Difference]:
    theirs: Counter[tuple[About, str]] = Counter()
    currencies: dict[tuple[About, str], str] = {}
    for line in at.book(since, until):
        theirs[line.about, line.object_id] += line.amount_minor
        currencies[line.about, line.object_id] = line.currency
    for (about, object_id), amount in theirs.items():
        ours = _ours(name, about, object_id)
        if ours != amount:
            subject, currency = f"{name} {about.value} {object_id}", currencies[about, object_id]
            amounts = {"ours_minor": ours, "theirs_minor": amount}
            yield Difference(kind="provider", subject=subject, currency=currency, **amounts)
    for about, object_id, amount, currency in _booked(name, since, until):
        if (about, object_id) not in theirs:
            subject = f"{name} {about.value} {object_id}"
            yield Difference(kind="provider", subject=subject, currency=currency, ours_minor=amount)


def orphans() -> Iterator[Difference]:
    """Money that is open at a provider which the settings do not name any more: nobody can be asked about it."""
    open_ = (Payment.status.in_((*UNPAID, S.AUTHORIZED, S.HELD)), Payment.provider.not_in(list(providers())))
    whose = (Payment.provider, Payment.currency)
    amounts = (func.count().label("n"), func.sum(Payment.captured_minor).label("held"))
    for row in fetch(select(*whose, *amounts).where(*open_).group_by(*whose)):
        subject = f"{row.provider} is not set up any more and has {row.n} open payments"
        yield Difference(kind="provider", subject=subject, currency=row.currency, ours_minor=int(row.held))


def _booked(name: str, since: datetime, until: datetime) -> Iterator[tuple[About, str, int, str]]:
    """What we say the provider did in this time."""
    moments: dict[About, tuple[Any, Any]] = {
        About.PAYMENT: (Payment, Payment.captured_at),
        About.PAYOUT: (Payout, Payout.paid_at),
    }
    for about, (model, moment) in moments.items():
        columns = (model.provider_id, model.id, model.currency)
        mine = select(*columns).where(model.provider == name, moment >= since, moment < until)
        for row in fetch(mine):
            amount = _moved(f"{about.value}:{row.id}", name)
            if amount:
                yield about, row.provider_id or f"(ours: {row.id})", amount, row.currency
    done = select(Refund.provider_id, Refund.id, Refund.currency).join(Payment, Payment.id == Refund.payment_id)
    done = done.where(Payment.provider == name, Refund.status == R.DONE)
    for row in fetch(done.where(Refund.updated_at >= since, Refund.updated_at < until)):
        amount = _moved(f"refund:{row.id}", name)
        yield About.REFUND, row.provider_id or f"(ours: {row.id})", amount, row.currency
    prefix = f"invoice:{name}:"  # what a subscription paid is named by its invoice
    booked = (TRANSFERS.c.subject.startswith(prefix, autoescape=True), TRANSFERS.c.created_at >= since)
    for row in fetch(select(TRANSFERS).where(*booked, TRANSFERS.c.created_at < until)):
        yield About.SUBSCRIPTION, row.subject.removeprefix(prefix), row.amount_minor, row.currency


def _ours(name: str, about: About, object_id: str) -> int:
    """What our ledger says moved between us and the provider for this."""
    if about is About.SUBSCRIPTION:
        return _moved(f"invoice:{name}:{object_id}", name)
    model: Any = {About.PAYMENT: Payment, About.REFUND: Refund, About.PAYOUT: Payout}.get(about)
    if model is None:
        return 0
    ids = [row.id for row in fetch(select(model.id).where(model.provider_id == object_id))]
    return sum(_moved(f"{about.value}:{number}", name) for number in ids)


def _moved(subject: str, name: str) -> int:
    """Captured, refunded or paid out for one subject, whatever came back taken off."""
    out = fetch(_BETWEEN, {"subject": subject, "about": f"provider/-/{name}/%"})
    return abs(sum(int(row.amount_minor) if row.comes_in else -int(row.amount_minor) for row in out))


_BETWEEN = text(
    """SELECT t.amount_minor, d.purpose = 'provider' AS comes_in FROM ledger_transfers t
    JOIN ledger_accounts d ON d.id = t.debit_id JOIN ledger_accounts c ON c.id = t.credit_id
    WHERE t.subject = :subject AND (d.key LIKE :about OR c.key LIKE :about)"""
)
# By kind: how it is asked for, what takes the answer over, and what puts the next question off.
ASKED: dict[str, tuple[Callable[[Provider, str], Any], Callable[[int, Any], Any], Callable[[int], None]]] = {
    "payment": (lambda at, name: at.fetch_payment(name), states.apply_provider_state, _put_off),
    "refund": (lambda at, name: at.fetch_refund(name), _refund_said, _touched(Refund)),
    "payout": (lambda at, name: at.fetch_payout(name), _payout_said, _touched(Payout)),
}
