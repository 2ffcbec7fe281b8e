"""The verbs of quick help, from posting to the confirmed end."""

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
from marketplace.tasks.applications import queries as applications_queries
from marketplace.tasks.applications import service as applications_service
from marketplace.tasks.models import Application, Task
from marketplace.tasks.payments import service as tasks_payments_service
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
    """A task that was never on the board: made for one provider and assigned at once."""
    task = save(draft.new(owner, booked=True, **fields))
    return assign(owner, task, worker_id=provider_id, payment_method=payment_method)


def edit(user: User, task_id: int, **changes: Any) -> Task:
    """Change what was sent, while open; raises 403, 404, 409, 422."""
    task = find(user, task_id)
    task.advance("edit", actor=policy.role_of(user, task))
    draft.change(task, changes)
    db.session.flush()
    uploads_service.use("task", task.id, task.images)
    publish(TaskChanged(task_id=task.id))
    return task


def delete(user: User, task_id: int) -> None:
    """Take it off the board, while open."""
    task = _moved(user, task_id, "delete")
    applications_service.pass_over_rest(task)
    uploads_service.use("task", task.id, [])
    publish(TaskDeleted(task_id=task.id))


def assign(
    user: User, task: Task, *, worker_id: int, price_minor: int | None = None, payment_method: str | None = None
) -> Task:
    """Give the task to one person at this price (else its budget); of two at once the second finds it taken (409).
    Where its money is to be held it is asked for in the same transaction."""
    task.advance("assign", actor=policy.role_of(user, task), actor_id=user.id)
    task.assigned_to_id, task.agreed_minor = worker_id, price_minor
    db.session.flush()
    tasks_payments_service.on_assigned(task, payment_method)
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
    """Take one applicant at the price they agreed to, which has to be the `price` that the owner names; where money is
    charged or held they have to. The others become rejected. Raises 403, 404, PriceChanged (409), Invalid (422)."""
    application, task = applications_service.find_for_owner(user, application_id, task_id)
    agreed = applications_queries.price_of(application, task.budget_minor)
    if agreed and tasks_payments_service.takes_money(task.payment, agreed, payment_method):
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
    """The worker takes the assignment up, once the money is held where it is to be."""
    task = _moved(user, task_id, "start")
    tasks_payments_service.demand(task)
    publish(TaskStarted(**_step(task)))
    return task


def decline(user: User, task_id: int, *, reason: str = "") -> Task:
    """The worker gives the assignment back: open again, or cancelled where it was a booking."""
    task = find(user, task_id)
    worker_id = user.id
    task.advance("decline", actor=policy.role_of(user, task), actor_id=user.id)
    task.reason = reason
    if not task.booked:
        task.assigned_to_id = task.agreed_minor = None
        applications_service.reopen(task, worker_id)
    tasks_payments_service.call_off(task.id, reason="declined", by_id=worker_id)
    auth_service.count_declined(worker_id)
    db.session.flush()
    publish(TaskDeclined(task_id=task.id, owner_id=task.creator_id, worker_id=worker_id, version=task.version))
    return task


def finish(user: User, task_id: int, *, note: str = "", images: list[str] | None = None) -> Task:
    """The worker says it is done; the owner confirms."""
    task = _moved(user, task_id, "finish")
    tasks_payments_service.demand(task)
    task.done_note, task.done_images = note, images or []
    uploads_service.use("task", task.id, [*task.images, *task.done_images])
    publish(TaskDone(**_step(task)))
    return task


def confirm(user: User, task_id: int) -> Task:
    """The owner is content: completed."""
    return _complete(_moved(user, task_id, "confirm"))


def confirm_unanswered(task_id: int) -> None:
    """The owner has said nothing for CONFIRM_AFTER: it counts as confirmed. No effect where it is not so."""
    task = queries.CONFIRMATION.row(task_id)
    if task is not None:
        task.advance("confirm", actor=SYSTEM)
        db.session.flush()
        _complete(task)


def expire(task_id: int) -> None:
    """Nobody took it before its deadline. No effect where it is not so."""
    task = queries.EXPIRY.row(task_id)
    if task is not None:
        task.advance("expire", actor=SYSTEM)
        db.session.flush()
        applications_service.pass_over_rest(task)
        publish(TaskExpired(task_id=task.id, owner_id=task.creator_id))


def dispute(user: User, task_id: int, *, reason: str = "") -> Task:
    """One side does not agree; staff will decide."""
    task = _moved(user, task_id, "dispute")
    task.reason = reason
    publish(TaskDisputed(**_step(task), by_id=user.id))
    return task


def cancel(user: User, task_id: int, *, reason: str = "") -> Task:
    """The owner does not want it any more, while open or assigned."""
    task = _moved(user, task_id, "cancel")
    task.reason = reason
    tasks_payments_service.call_off(task.id, reason="cancelled", by_id=user.id)
    applications_service.pass_over_rest(task)
    publish(TaskCancelled(**_owned(task), worker_id=task.assigned_to_id))
    return task


def hand_over(user: User, task_id: int) -> Task:
    """The worker has shown the owner's code: completed on the spot."""
    return _complete(_moved(user, task_id, "hand_over"))


def settle(task_id: int, *, to_worker_minor: int | None, actor_id: int | None = None) -> Task:
    """A dispute is over: so much of what is held (before the fee) to the worker, the rest back to the owner. With
    nothing for the worker the task is cancelled, else completed. None, where nothing is held, completes it.
    Raises WrongState, NotPaid (409), Invalid (422)."""
    task = queries.living(task_id)
    held = payments_service.held_minor(tasks_payments_service.reference(task_id))
    if held is None and to_worker_minor:
        raise payments_service.NotPaid()
    task.advance("annul" if to_worker_minor == 0 else "settle", actor=SYSTEM, actor_id=actor_id)
    db.session.flush()
    if held is not None:
        amount = held[0] if to_worker_minor is None else to_worker_minor
        payments_service.split(
            tasks_payments_service.reference(task_id), amount, reason="dispute decided", by_id=actor_id
        )
    if to_worker_minor == 0:
        tasks_payments_service.call_off(task_id, reason="dispute decided", by_id=actor_id)
        publish(TaskCancelled(**_owned(task), worker_id=task.assigned_to_id))
        return task
    return _complete(task)


def reopen(task_id: int, *, actor_id: int | None = None) -> Task:
    """A dispute was withdrawn: the work goes on where it is not done. Raises WrongState (409)."""
    task = queries.living(task_id)
    task.advance("reopen", actor=SYSTEM, actor_id=actor_id)
    db.session.flush()
    return task


def take_down_of(user_id: int) -> None:
    """The account was closed: open tasks are cancelled, waiting applications withdrawn; running work goes on."""
    for task in queries.open_of(user_id):
        task.advance("cancel", actor=SYSTEM)
        db.session.flush()
        applications_service.pass_over_rest(task)
        publish(TaskCancelled(**_owned(task), worker_id=task.assigned_to_id))
    applications_service.withdraw_all_of(user_id)


def forget_words_of(user_id: int) -> None:
    """A person has left: the reasons they gave and, in bookings of what they offered, the words of their offer."""
    execute(update(Task).where(Task.id.in_(_reasons_of(user_id))).values(reason=""))
    theirs = (Task.assigned_to_id == user_id, Task.booked)
    texts = [row.search_text for row in fetch(select(Task.search_text).where(*theirs))]
    execute(update(Task).where(*theirs).values(title="", description="", location="", search_text=""))
    full_text.forget_words(texts)


def _reasons_of(user_id: int) -> Select[int]:
    """Tasks whose reason this person gave: the last verb that takes one was theirs."""
    steps = (StateChange.thing == "task", StateChange.verb.in_(("decline", "dispute", "cancel")))
    last = select(func.max(StateChange.id)).where(*steps).group_by(StateChange.thing_id)
    return select(StateChange.thing_id).where(StateChange.id.in_(last), StateChange.actor_id == user_id)


def _complete(task: Task) -> Task:
    task.completed_at = now()
    tasks_payments_service.release(task.id)
    auth_service.count_completed(task.assigned_to_id or 0)
    publish(TaskCompleted(**_both_sides(task)))
    return task


def _demand_nothing_new(application: Application, task: Task, agreed: int | None) -> None:
    """Nobody named a price: then it is the one that the task shows."""
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
    """Of a task that somebody does."""
    return {**_owned(task), "worker_id": task.assigned_to_id or 0}


def _step(task: Task) -> _Step:
    """The version tells this step from the same one taken again later."""
    return {**_both_sides(task), "version": task.version}
