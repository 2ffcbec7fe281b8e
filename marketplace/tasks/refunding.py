"""Undo a payment by the task it was for."""

from decimal import Decimal

from marketplace.auth.models import User
from marketplace.payments import queries as payments
from marketplace.payments.service import refund
from marketplace.tasks import paying, policy, queries, service


def undo(user: User, task_id: int, *, amount: Decimal | None = None, reason: str = "") -> int:
    """The owner cancels the task, its worker gives (a part of) the money back; the payment's id. Raises 403, 404,
    409 where the task is too far along to be cancelled, 422."""
    payment_id = payments.newest_of(user, paying.reference(task_id))
    if "owner" in policy.role_of(user, queries.find(user, task_id)):
        service.cancel(user, task_id, reason=reason)
    else:
        refund(user, payment_id, amount=amount, reason=reason)
    return payment_id
