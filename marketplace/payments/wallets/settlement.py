"""Which of a person's money cannot be paid out yet: what a bank disputes, and what a provider has not settled.

Apart from the rooms: two sums over payments' shares, which the wallet's verbs and its page both need.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, union_all

from marketplace.core.database.db import fetch
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.clock import now
from marketplace.payments.lifecycle import PayoutStatus, RefundStatus
from marketplace.payments.models import Payment, PaymentShare, Payout, Refund

SHARES, PAYMENTS, PAYOUTS = table_of(PaymentShare), table_of(Payment), table_of(Payout)
REFUNDS = table_of(Refund)
Where = tuple[str, str]  # provider, currency
ON_THEIR_WAY = (PayoutStatus.REQUESTED, PayoutStatus.ON_HOLD, PayoutStatus.SENT)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What came in and is not settled, by the time from when it is, the earliest first; `waiting` is what payouts that
    wait for it have taken of it already. Minor units."""

    by_time: tuple[tuple[datetime, int], ...] = ()
    waiting: int = 0

    def of(self, balance: int) -> tuple[tuple[datetime, int], ...]:
        """What of this balance is not settled: payouts that wait take the earliest, and never more than there is."""
        taken, left, parts = self.waiting, max(balance, 0), list[tuple[datetime, int]]()
        for moment, amount in self.by_time:
            here = max(amount - taken, 0)
            taken = max(taken - amount, 0)
            parts.append((moment, here))
        kept = []
        for moment, amount in reversed(parts):  # what was paid out or given back was settled first
            part = min(amount, left)
            left -= part
            if part:
                kept.append((moment, part))
        return tuple(reversed(kept))


NOTHING = Unsettled()


def frozen(user_id: int) -> Counter[Where]:
    """What somebody got of payments that a bank disputes now: as a payee, or as the payer whom a refund could not be
    sent."""
    where = (PAYMENTS.c.provider, PAYMENTS.c.currency)
    earned = (
        select(*where, SHARES.c.paid_payee_minor.label("minor"))
        .select_from(PAYMENTS.join(SHARES, SHARES.c.payment_id == PAYMENTS.c.id))
        .where(PAYMENTS.c.is_frozen, SHARES.c.payee_id == user_id)
    )
    given_back = (
        select(*where, REFUNDS.c.amount_minor - REFUNDS.c.reclaimed_minor)
        .select_from(PAYMENTS.join(REFUNDS, REFUNDS.c.payment_id == PAYMENTS.c.id))
        .where(PAYMENTS.c.is_frozen, PAYMENTS.c.payer_id == user_id, REFUNDS.c.status == RefundStatus.FAILED)
    )
    found: Counter[Where] = Counter()
    for row in fetch(union_all(earned, given_back)):
        found[row.provider, row.currency] += int(row.minor)
    return found


def unsettled(user_id: int) -> dict[Where, Unsettled]:
    """What somebody got and the provider has not settled yet; of payments that are disputed nothing."""
    moment, found = now(), dict[Where, list[tuple[datetime, int]]]()
    theirs = (
        select(PAYMENTS.c.provider, PAYMENTS.c.currency, SHARES.c.available_from, SHARES.c.paid_payee_minor)
        .select_from(SHARES.join(PAYMENTS, PAYMENTS.c.id == SHARES.c.payment_id))
        .where(SHARES.c.payee_id == user_id, SHARES.c.available_from > moment)
        .where(SHARES.c.paid_payee_minor > 0, ~PAYMENTS.c.is_frozen)
        .order_by(SHARES.c.available_from)
    )
    for row in fetch(theirs):
        found.setdefault((row.provider, row.currency), []).append((row.available_from, row.paid_payee_minor))
    if not found:
        return {}
    waiting = (
        select(PAYOUTS.c.provider, PAYOUTS.c.currency, func.sum(PAYOUTS.c.amount_minor).label("minor"))
        .where(PAYOUTS.c.user_id == user_id, PAYOUTS.c.available_from > moment, PAYOUTS.c.status.in_(ON_THEIR_WAY))
        .group_by(PAYOUTS.c.provider, PAYOUTS.c.currency)
    )
    taken = {(row.provider, row.currency): int(row.minor) for row in fetch(waiting)}
    return {where: Unsettled(tuple(parts), taken.get(where, 0)) for where, parts in found.items()}
