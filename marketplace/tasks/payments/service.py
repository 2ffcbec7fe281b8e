"""What a task costs and when its money is held; a task is a deal to the payments below."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from marketplace.auth.models import User
from marketplace.core.database.prices import demand_agreement, demand_price
from marketplace.core.ops import current_settings
from marketplace.kit.errors import Invalid, NotAllowed
from marketplace.kit.lifecycle import WrongState
from marketplace.payments import handover_codes as payments_handover_codes
from marketplace.payments import service as payments_service
from marketplace.payments.fees.service import Quote
from marketplace.payments.models import Payment
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.registry import providers
from marketplace.payments.queries import standing_of
from marketplace.payments.service import Purchase
from marketplace.tasks import policy, queries
from marketplace.tasks.applications import queries as applications_queries
from marketplace.tasks.lifecycle import TaskStatus
from marketplace.tasks.models import Application, Task

ESCROW = "escrow"
SIDES = frozenset({"owner", "worker", "provider", "admin"})
PAYABLE = frozenset({TaskStatus.ASSIGNED, TaskStatus.IN_PROGRESS, TaskStatus.PENDING_CONFIRMATION})


def reference(task_id: int) -> str:
    """The name payments know a task by: `task:7`."""
    return f"task:{task_id}"


def deal_of(task: Task) -> Purchase:
    """The deal of an assigned task: at the agreed price, else the budget."""
    return Purchase(
        reference=reference(task.id),
        title=task.title,
        payer_id=task.creator_id,
        payee_id=task.assigned_to_id or 0,
        price_minor=price_of(task),
        currency=task.currency,
        category=task.category,
    )


def price_of(task: Task) -> int | None:
    """Agreed price, else budget, in minor units; None where neither is."""
    return task.agreed_minor if task.agreed_minor is not None else task.budget_minor


def quote(user: User, task_id: int, *, application_id: int | None = None) -> Quote:
    """What the task costs its owner and brings its worker, or would with this application. Raises 403 for others, 404,
    NothingToPay (409)."""
    if application_id is not None:
        application, task = applications_queries.find(user, application_id, task_id)
        return payments_service.quote(_offered(application, task))
    task = queries.find(user, task_id)
    if not policy.role_of(user, task) & SIDES:
        raise NotAllowed("What this task costs is between its owner and its worker.")
    return payments_service.quote(deal_of(task))


def _offered(application: Application, task: Task) -> Purchase:
    price = applications_queries.price_of(application, task.budget_minor)
    about: dict[str, Any] = {"price_minor": price, "currency": application.currency}
    return replace(deal_of(task), payee_id=application.applicant_id, **about)


def begin(
    user: User,
    task_id: int,
    *,
    provider: str | None = None,
    payment_method: str | None = None,
    price: Decimal | None = None,
    currency: str | None = None,
) -> Payment:
    """Pay for an assigned task, as its owner. `price` has to be named where a method is tried at once. With payment
    outside, nothing waits for the money. Raises 403, 404, 409, 422."""
    task = queries.hold(user, task_id)
    if "owner" not in policy.role_of(user, task):
        raise NotAllowed("Only the owner of this task pays for it.")
    if task.status not in PAYABLE:
        raise WrongState("A task is paid for once somebody is to do it and before it is over.")
    minor = price_of(task)
    if payment_method and minor:
        demand_agreement(price, minor, task.currency, in_currency=currency, usual=user.currency)
    demand_price(price, minor, task.currency, in_currency=currency)
    return payments_service.begin(deal_of(task), provider_name=provider, method=payment_method)


def chosen(wanted: str | None) -> str:
    """How a new task is paid (escrow or outside), by default TASK_PAYMENT; raises Invalid (422) where escrow is not set
    up."""
    payment = wanted or current_settings.text("TASK_PAYMENT")
    if payment == ESCROW and not providers():
        if wanted is None:
            return "outside"
        raise Invalid.field("payment", "Payments are not set up here: agree on another way (outside).")
    return str(payment)


def takes_money(payment: str, price: Any, method: str | None) -> bool:
    """Whether assigning the task charges somebody or needs money in escrow."""
    return method is not None or (payment == ESCROW and bool(price))


def asked_at_once(assign: Callable[[], Task]) -> Task:
    """Assign by `assign`, and send its provider requests once that is committed, before the answer."""
    with provider_requests_queue.reserved():
        task = assign()
    standing = standing_of(reference(task.id))
    provider_requests_handlers.call_when_committed("payment", standing[0] if standing else None)
    return task


def on_assigned(task: Task, method: str | None) -> None:
    """Begin the payment now, where the owner pays at once or ESCROW_HOLD is acceptance."""
    is_due = _is_escrow(task) and current_settings.text("ESCROW_HOLD") == "acceptance"
    if is_due or (method and price_of(task)):
        payments_service.begin(deal_of(task), method=method)


def release(task_id: int) -> None:
    """Pay the worker; the hand-over code is deleted."""
    payments_handover_codes.forget(reference(task_id))
    payments_service.release(reference(task_id))


def call_off(task_id: int, *, reason: str, by_id: int | None) -> None:
    """Refund or cancel the payment; the hand-over code is deleted."""
    payments_handover_codes.forget(reference(task_id))
    payments_service.call_off(reference(task_id), reason=reason, by_id=by_id)


def demand(task: Task) -> None:
    """Raises NotPaid (409) where the task's money has to be in escrow for its worker and is not."""
    if _is_escrow(task):
        payments_service.demand_held(reference(task.id), payee_id=task.assigned_to_id)


def _is_escrow(task: Task) -> bool:
    return task.payment == ESCROW and bool(price_of(task))
