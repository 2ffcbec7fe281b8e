"""Undo a payment by the task it was for: the owner cancels, the worker gives back.

Apart from the rooms: it calls tasks/service.py, which builds on this package's service.py: there it would close a
circle.
"""

from decimal import Decimal
from typing import Any

from marketplace.auth.models import User
from marketplace.core.database.prices import minor_units
from marketplace.deals.models import task_reference
from marketplace.kit.errors import Invalid
from marketplace.payments import queries as payments_queries
from marketplace.payments.service import refund
from marketplace.tasks import policy, queries
from marketplace.tasks import service as tasks_service

WHOLE = "Cancelling gives everything back. For a part of it, agree with whoever does the task, or open a dispute."


def undo(user: User, task_id: int, *, amount: Decimal | None = None, reason: str = "") -> int:
    """Cancel the task as its owner, or give (a part of) the money back as its worker; returns the payment's id. Raises
    403, 404, 409 where the task is too far along to be cancelled, 422."""
    payment_id = payments_queries.newest_of(user, task_reference(task_id))
    if "owner" in policy.role_of(user, queries.find(user, task_id)):
        _demand_all(payments_queries.detail(user, payment_id), amount)
        tasks_service.cancel(user, task_id, reason=reason)
    else:
        refund(user, payment_id, amount=amount, reason=reason, reference=task_reference(task_id))
    return payment_id


def _demand_all(payment: dict[str, Any], amount: Decimal | None) -> None:
    """Raises Invalid (422) for a part: who wants a part back does not mean to cancel the deal."""
    left = payment["price_minor"] - payment["refunded_minor"]
    if amount is not None and minor_units("amount", amount, payment["currency"]) != left:
        raise Invalid.field("amount", WHOLE)
