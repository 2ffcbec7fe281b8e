"""Which payments and payouts one sees, and one's role towards them."""

from typing import Any

from sqlalchemy import Select, or_, select

from marketplace.auth.models import User
from marketplace.core.http.permissions import May, may
from marketplace.payments.models import Payment, Payout

PAYER, PAYEE, ADMIN = frozenset({"payer"}), frozenset({"payee"}), frozenset({"admin"})
OWNER = frozenset({"owner"})


def visible_to(user: User) -> Select[Payment]:
    """Payments one pays or receives; all of them for staff who run the money."""
    if may(user.role, May.RUN_MONEY):
        return select(Payment)
    return select(Payment).where(or_(Payment.payer_id == user.id, Payment.payee_id == user.id))


def role_of(user: User, payment: Any) -> frozenset[str]:
    """Payer, payee, admin; a payer who is an admin is the payer only, as nobody decides about their own."""
    if payment.payer_id == user.id:
        return PAYER
    part = PAYEE if payment.payee_id == user.id else frozenset()
    return part | (ADMIN if may(user.role, May.RUN_MONEY) else frozenset())


def payouts_visible_to(user: User) -> Select[Payout]:
    """One's own payouts; all of them for staff who run the money."""
    if may(user.role, May.RUN_MONEY):
        return select(Payout)
    return select(Payout).where(Payout.user_id == user.id)


def payout_role_of(user: User, payout: Any) -> frozenset[str]:
    """Owner or admin."""
    part = OWNER if payout.user_id == user.id else frozenset()
    return part | (ADMIN if may(user.role, May.RUN_MONEY) else frozenset())
