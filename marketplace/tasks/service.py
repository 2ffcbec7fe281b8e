"""Post, assign, work on, confirm, dispute and cancel tasks."""

from decimal import Decimal
from typing import Any, TypedDict

from sqlalchemy import Select, func, select, update

from marketplace.auth import service as auth_service
from marketplace.auth.models import User
from marketplace.core.database.db import db, execute, fetch, save
from marketplace.core.database.lifecycle import StateChange
from marketplace.core.database.prices import PriceChanged, demand_agreement, demand_price
from marketplace.core.lists import full_text
from marketplace.core.queues.outbox import publish
from marketplace.deals import service as deals_service
from marketplace.deals.payments import service as deals_payments_service
from marketplace.events.tasks import (
    TaskAssigned,
    TaskCancelled,
    TaskChanged,
    TaskCompleted,
    TaskDeclined,
    TaskDeleted,
    TaskDisputed,
    TaskDone,
    TaskExpired,
    TaskPosted,
    TaskStarted,
)
from marketplace.kit.clock import now
from marketplace.kit.money import Money
from marketplace.payments import service as payments_service
from marketplace.tasks import draft, policy, queries
from marketplace.tasks.applications import service as applications_service
from marketplace.tasks.models import Application, Task, price_of
from marketplace.tasks.queries import find
from marketplace.uploads import service as uploads_service

SYSTEM = frozenset({"system"})
HANDS = frozenset({"worker", "provider"})


def post(owner: User, *, category: str, budget: Any = None, **fields: Any) -> Task:
    """Put a task on the board; raises Invalid (422)."""
    task = save(draft.new(owner, category=category, budget=budget, **fields))
    if task.images:
        uploads_service.use("task", task.id, task.images)
    publish(TaskPosted(task_id=task.id, owner_id=owner.id))
    return task


def book(owner: User, provider_id: int, *, payment_method: str | None = None, **fields: Any) -> Task:
    """A task made for one provider and assigned at once; never on the board."""
    task = save(draft.new(owner, booked=True, **fields))
    return assign(owner, task, worker_id=provider_id, payment_method=payment_method)


def edit(user: User, task_id: int, **changes: Any) -> Task:
    """Change the fields that were sent, while open; raises 403, 404, 409, 422."""
    task = find(user, task_id)
    task.advance("edit", actor=policy.role_of(user, task))
    draft.change(task, changes)
    db.session.flush()
    uploads_service.use("task", task.id, task.images)
    publish(TaskChanged(task_id=task.id))
    return task


def delete(user: User, task_id: int) -> None:
    """Delete it for good, while open; raises 403, 404, 409."""
    task = _moved(user, task_id, "delete")
    applications_service.pass_over_rest(task)
    uploads_service.use("task", task.id, [])
    publish(TaskDeleted(task_id=task.id))


def assign(
    user: User, task: Task, *, worker_id: int, price_minor: int | None = None, payment_method: str | None = None
) -> Task:
    """Assign to one person at this price (else the budget), of two at once only one (409). A payment that is due is
    requested in the same transaction."""
    task.advance("assign", actor=policy.role_of(user, task), actor_id=user.id)
    task.assigned_to_id, task.agreed_minor = worker_id, price_minor
    db.session.flush()
    deal = deals_service.agree(
        task,
        kind="booking" if task.booked else "task",
        client_id=task.creator_id,
        provider_id=worker_id,
        title=task.title,
        price_minor=task.price_minor,
        currency=task.currency,
        category=task.category,
        payment=task.payment,
    )
    deals_payments_service.on_agreed(deal, payment_method)
    publish(TaskAssigned(**_step(task), booked=task.booked))
    return task


def accept_application(
    user: User,
    application_id: int,
    task_id: int,
    *,
    price: Decimal | None = None,
    currency: str | None = None,
    payment_method: str | None = None,
) -> Task:
    """Assign to an applicant at the price they applied for, which is checked against `price` and has to be named where
    money is charged or held; the other applications are rejected. Raises 403, 404, PriceChanged (409), Invalid
    (422)."""
    application, task = applications_service.find_for_owner(user, application_id, task_id)
    agreed = price_of(application, task.budget_minor)
    if agreed and deals_payments_service.takes_money(task.payment, agreed, payment_method):
        demand_agreement(price, agreed, application.currency, in_currency=currency, usual=user.currency)
    demand_price(price, agreed, application.currency, in_currency=currency)
    if application.currency != task.currency:
        raise PriceChanged(
            f"They agreed to {application.currency} and the task is in {task.currency} now: change it back."
        )
    if price is None:
        _demand_nothing_new(application, task, agreed)
    assign(user, task, worker_id=application.applicant_id, price_minor=agreed, payment_method=payment_method)
    applications_service.accept(application, user)
    applications_service.pass_over_rest(task)
    return task


def start(user: User, task_id: int) -> Task:
    """Begin work, as the worker; raises NotPaid (409) where the money has to be in escrow."""
    task = _moved(user, task_id, "start")
    deals_payments_service.demand(task)
    publish(TaskStarted(**_step(task)))
    return task


def decline(user: User, task_id: int, *, reason: str = "") -> Task:
    """Give the assignment back, as the worker: open again, a booking cancelled. Raises 403, 404, 409."""
    task = find(user, task_id)
    worker_id = user.id
    task.advance("decline", actor=policy.role_of(user, task), actor_id=user.id)
    task.reason = reason
    if not task.booked:
        task.assigned_to_id = task.agreed_minor = None
        applications_service.reopen(task, worker_id)
    deals_payments_service.call_off(task, reason="declined", by_id=worker_id)
    auth_service.count_declined(worker_id)
    db.session.flush()
    publish(TaskDeclined(task_id=task.id, owner_id=task.creator_id, worker_id=worker_id, version=task.version))
    return task


def finish(user: User, task_id: int, *, note: str = "", images: list[str] | None = None) -> Task:
    """Say it is done, as the worker; the owner is asked to confirm. Raises 403, 404, 409."""
    task = _moved(user, task_id, "finish")
    deals_payments_service.demand(task)
    task.done_note, task.done_images = note, images or []
    uploads_service.use("task", task.id, [*task.images, *task.done_images])
    publish(TaskDone(**_step(task)))
    return task


def confirm(user: User, task_id: int) -> Task:
    """Complete it, as the owner; the worker is paid. Raises 403, 404, 409."""
    return _complete(_moved(user, task_id, "confirm"))


def confirm_unanswered(task_id: int) -> Task:
    """Complete it without a word of the owner, as the clock does; the worker is paid. Raises WrongState (409)."""
    task = queries.living(task_id)
    task.advance("confirm", actor=SYSTEM)
    db.session.flush()
    return _complete(task)


def expire(task_id: int) -> None:
    """Expire an open task past its deadline; no effect at other times."""
    task = queries.EXPIRY.row(task_id)
    if task is not None:
        task.advance("expire", actor=SYSTEM)
        db.session.flush()
        applications_service.pass_over_rest(task)
        publish(TaskExpired(task_id=task.id, owner_id=task.creator_id))


def dispute(user: User, task_id: int, *, reason: str = "") -> Task:
    """Dispute it, as either side; staff decide. Raises 403, 404, 409."""
    task = _moved(user, task_id, "dispute")
    task.reason = reason
    publish(TaskDisputed(**_step(task), by_id=user.id))
    return task


def cancel(user: User, task_id: int, *, reason: str = "") -> Task:
    """Cancel it, as the owner, while open or assigned; money goes back. Raises 403, 404, 409."""
    task = _moved(user, task_id, "cancel")
    task.reason = reason
    deals_payments_service.call_off(task, reason="cancelled", by_id=user.id)
    applications_service.pass_over_rest(task)
    publish(TaskCancelled(**_owned(task), worker_id=task.assigned_to_id))
    return task


def hand_over(user: User, task_id: int) -> Task:
    """Complete it on the spot, after the worker entered the owner's code."""
    return _complete(_moved(user, task_id, "hand_over"))


def settle(task_id: int, *, to_provider_minor: int | None, actor_id: int | None = None) -> Task:
    """End a dispute: this much of the escrow (before the fee) to the worker, the rest back. 0 cancels the task, more or
    None (nothing is in escrow) completes it. Raises WrongState, NotPaid (409), Invalid (422)."""
    task = queries.living(task_id)
    if to_provider_minor and payments_service.held_minor(task.deal_reference) is None:
        raise payments_service.NotPaid()
    task.advance("annul" if to_provider_minor == 0 else "settle", actor=SYSTEM, actor_id=actor_id)
    db.session.flush()
    deals_payments_service.settle(task, to_provider_minor, by_id=actor_id)
    if to_provider_minor == 0:
        publish(TaskCancelled(**_owned(task), worker_id=task.assigned_to_id))
        return task
    return _complete(task)


def reopen(task_id: int, *, actor_id: int | None = None) -> Task:
    """Put it back to work after its dispute was withdrawn. Raises WrongState (409)."""
    task = queries.living(task_id)
    task.advance("reopen", actor=SYSTEM, actor_id=actor_id)
    db.session.flush()
    return task


def take_down_of(user_id: int) -> None:
    """Cancel a person's open tasks and withdraw their applications, for a closed account; running work goes on."""
    for task in queries.open_of(user_id):
        task.advance("cancel", actor=SYSTEM)
        db.session.flush()
        applications_service.pass_over_rest(task)
        publish(TaskCancelled(**_owned(task), worker_id=task.assigned_to_id))
    applications_service.withdraw_all_of(user_id)


def forget_words_of(user_id: int) -> None:
    """Blank an erased person's words: the reasons they gave, and their offer's text in bookings."""
    execute(update(Task).where(Task.id.in_(_reasons_of(user_id))).values(reason=""))
    theirs = (Task.assigned_to_id == user_id, Task.booked)
    texts = [row.search_text for row in fetch(select(Task.search_text).where(*theirs))]
    execute(update(Task).where(*theirs).values(title="", description="", location="", search_text=""))
    full_text.forget_words(texts)


def _reasons_of(user_id: int) -> Select[int]:
    """Ids of tasks whose reason this person gave, being the last to use a verb that takes one."""
    steps = (StateChange.thing == "task", StateChange.verb.in_(("decline", "dispute", "cancel")))
    last = select(func.max(StateChange.id)).where(*steps).group_by(StateChange.thing_id)
    return select(StateChange.thing_id).where(StateChange.id.in_(last), StateChange.actor_id == user_id)


def _complete(task: Task) -> Task:
    task.completed_at = now()
    deals_payments_service.release(task)
    publish(TaskCompleted(**_both_sides(task)))
    return task


def _demand_nothing_new(application: Application, task: Task, agreed: int | None) -> None:
    """Raises PriceChanged (409) where no price was named and the budget is not what they applied for."""
    if application.proposed_price_minor is None and agreed != task.budget_minor:
        now_is = "nothing" if task.budget_minor is None else Money(task.budget_minor, task.currency).exact
        theirs = Money(agreed or 0, task.currency).exact
        raise PriceChanged(
            f"They applied for {theirs} {task.currency} and the task says {now_is} now."
            " Name the price you agree to, or change the budget back."
        )


def _moved(user: User, task_id: int, verb: str) -> Task:
    task = find(user, task_id)
    task.advance(verb, actor=policy.role_of(user, task), actor_id=user.id)
    db.session.flush()
    return task


class _Owned(TypedDict):
    task_id: int
    owner_id: int


class _BothSides(_Owned):
    worker_id: int


class _Step(_BothSides):
    version: int


def _owned(task: Task) -> _Owned:
    return {"task_id": task.id, "owner_id": task.creator_id}


def _both_sides(task: Task) -> _BothSides:
    """The fields of an event about an assigned task."""
    return {**_owned(task), "worker_id": task.assigned_to_id or 0}


def _step(task: Task) -> _Step:
    """As `_both_sides`, with the version, which tells this step from the same one taken again later."""
    return {**_both_sides(task), "version": task.version}
