"""Which payments and payouts one sees, and one's role towards them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, Select, false, or_, select, true

from marketplace.auth.models import User
from marketplace.core.http.permissions import May, may
from marketplace.payments.chargebacks.models import Chargeback
from marketplace.payments.models import Payment, PaymentShare, Payout

PAYER, PAYEE, ADMIN = frozenset({"payer"}), frozenset({"payee"}), frozenset({"admin"})
OWNER = frozenset({"owner"})


def visible_to(user: User) -> Select[Payment]:
    """Payments one pays or receives; all of them for staff who run the money."""
    if may(user.role, May.RUN_MONEY):
        return select(Payment)
    return select(Payment).where(or_(Payment.payer_id == user.id, Payment.id.in_(paid_to(user.id))))


def paid_to(user_id: int | BindParameter[int]) -> Select[int]:
    """Ids of the payments with a share for somebody."""
    return select(PaymentShare.payment_id).where(PaymentShare.payee_id == user_id)


def sees(user: User, payment: Any, part: Any) -> bool:
    """Whether somebody sees a share of a payment that they see: a payee sees their own only."""
    return user.id in {payment.payer_id, part.payee_id} or may(user.role, May.RUN_MONEY)


def role_of(user: User, payer_id: int, payees: Collection[int]) -> frozenset[str]:
    """Towards a payment: payer, payee, admin; a payer who is an admin is the payer only, as nobody decides about their
    own."""
    if payer_id == user.id:
        return PAYER
    part = PAYEE if user.id in payees else frozenset()
    return part | (ADMIN if may(user.role, May.RUN_MONEY) else frozenset())


def chargebacks_visible_to(user: User) -> Select[Chargeback]:
    """All of them for staff who run the money, none for others."""
    return select(Chargeback).where(true() if may(user.role, May.RUN_MONEY) else false())


def payouts_visible_to(user: User) -> Select[Payout]:
    """One's own payouts; all of them for staff who run the money."""
    if may(user.role, May.RUN_MONEY):
        return select(Payout)
    return select(Payout).where(Payout.user_id == user.id)


def payout_role_of(user: User, payout: Any) -> frozenset[str]:
    """Owner or admin."""
    part = OWNER if payout.user_id == user.id else frozenset()
    return part | (ADMIN if may(user.role, May.RUN_MONEY) else frozenset())
