"""What a task costs, before and after somebody does it; its money is the deal's (deals/payments)."""

from decimal import Decimal

from marketplace.auth.models import User
from marketplace.deals.lifecycle import PAYABLE
from marketplace.deals.payments import service as deals_payments_service
from marketplace.kit.errors import NotAllowed
from marketplace.kit.lifecycle import WrongState
from marketplace.payments import service as payments_service
from marketplace.payments.fees.service import Quote
from marketplace.payments.models import Payment
from marketplace.payments.service import Purchase
from marketplace.tasks import policy, queries
from marketplace.tasks.applications import queries as applications_queries
from marketplace.tasks.models import Task, price_of

SIDES = frozenset({"owner", "worker", "provider", "admin"})


def quote(user: User, task_id: int, *, application_id: int | None = None) -> Quote:
    """What the task costs its owner and brings its worker, or would with this application. Raises 403 for others, 404,
    NothingToPay (409)."""
    if application_id is not None:
        application, task = applications_queries.find(user, application_id, task_id)
        price = price_of(application, task.budget_minor)
        return payments_service.quote(_would_be(task, application.applicant_id, price, application.currency))
    task = queries.find(user, task_id)
    if not policy.role_of(user, task) & SIDES:
        raise NotAllowed("What this task costs is between its owner and its worker.")
    return payments_service.quote(_would_be(task, task.assigned_to_id or 0, task.price_minor, task.currency))


def begin(
    user: User,
    task_id: int,
    *,
    provider: str | None = None,
    payment_method: str | None = None,
    price: Decimal | None = None,
    currency: str | None = None,
) -> Payment:
    """Pay for an assigned task, as its owner; otherwise as for a deal (deals/payments). Raises 403, 404, 409, 422."""
    task = queries.find(user, task_id)
    if "owner" not in policy.role_of(user, task):
        raise NotAllowed("Only the owner of this task pays for it.")
    if task.lifecycle.stages.get(task.status) not in PAYABLE:
        raise WrongState("A task is paid for once somebody is to do it and before it is over.")
    return deals_payments_service.begin(
        user,
        task.deal_reference,
        provider=provider,
        payment_method=payment_method,
        price=price,
        currency=currency,
    )


def _would_be(task: Task, payee_id: int, price_minor: int | None, currency: str) -> Purchase:
    return Purchase(
        reference=task.deal_reference,
        title=task.title,
        payer_id=task.creator_id,
        payee_id=payee_id,
        price_minor=price_minor,
        currency=currency,
        category=task.category,
    )
