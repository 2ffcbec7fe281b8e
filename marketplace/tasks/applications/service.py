"""Apply, withdraw, accept, reject."""

from typing import Any

from sqlalchemy import select, update

from marketplace.auth.models import User
from marketplace.core.database.db import db, execute, save
from marketplace.core.database.prices import minor_units
from marketplace.core.queues.outbox import publish
from marketplace.events.tasks import ApplicationRejected, ApplicationSent, ApplicationWithdrawn
from marketplace.kit.errors import NotAllowed
from marketplace.kit.lifecycle import WrongState
from marketplace.tasks import policy
from marketplace.tasks import queries as tasks_queries
from marketplace.tasks.applications import queries as applications_queries
from marketplace.tasks.lifecycle import ApplicationStatus, TaskStatus
from marketplace.tasks.models import Application, AppliedAlready, Task

SYSTEM = frozenset({"system"})


def apply(user: User, task_id: int, *, message: str = "", proposed_price: Any = None) -> Application:
    """Apply for a task; raises 403 for one's own, 409 where one has applied or it is not open."""
    task = tasks_queries.find(user, task_id)
    if task.creator_id == user.id:
        raise NotAllowed("This is your own task.")
    _refuse_second(user, task)
    task.lifecycle.pick("apply", task.status, policy.role_of(user, task))
    price = minor_units("proposed_price", proposed_price, task.currency)
    application = _again_or_new(user, task)
    application.message, application.proposed_price_minor, application.currency = message, price, task.currency
    application.budget_minor = task.budget_minor if price is None else None
    db.session.flush()
    _count_response(task, 1)
    publish(ApplicationSent(owner_id=task.creator_id, **_told(application)))
    return application


def withdraw(user: User, application_id: int, task_id: int) -> Application:
    """Take one's pending application back; raises 403, 404, 409."""
    application, task = applications_queries.find(user, application_id, task_id)
    roles = policy.application_role_of(user, application, task.creator_id)
    application.lifecycle.pick("withdraw", application.status, roles)
    _withdraw(application, task, roles, user.id)
    return application


def withdraw_all_of(applicant_id: int) -> None:
    """Withdraw a person's pending applications, for an account that was closed."""
    waiting = applications_queries.waiting_of(applicant_id)
    for application, task in waiting:
        _withdraw(application, task, SYSTEM)


def reject(user: User, application_id: int, task_id: int) -> Application:
    """Reject as the task's owner; raises 403, 404, 409."""
    application, task = applications_queries.find(user, application_id, task_id)
    _advance(application, "reject", user, task)
    _tell_rejected(application)
    return application


def find_for_owner(user: User, application_id: int, task_id: int) -> tuple[Application, Task]:
    """The application and one's own task; raises NotFound, NotAllowed (403)."""
    task = tasks_queries.find(user, task_id)
    if "owner" not in policy.role_of(user, task):
        raise NotAllowed("Only the owner of this task can choose who does it.")
    return applications_queries.find(user, application_id, task_id)


def accept(application: Application, owner: User) -> None:
    """Move the application to accepted; the task itself is assigned by tasks/service.py."""
    application.advance("accept", actor=policy.OWNER, actor_id=owner.id)
    db.session.flush()


def pass_over_rest(task: Task) -> None:
    """Reject every pending application of a task that was assigned, marked so that `reopen` can bring them back."""
    waiting = select(Application).where(Application.task_id == task.id, Application.status == ApplicationStatus.PENDING)
    for application in db.session.scalars(waiting.order_by(Application.id)):
        application.advance("pass_over", actor=SYSTEM)
        application.passed_over = True
        db.session.flush()
        _tell_rejected(application)


def reopen(task: Task, worker_id: int) -> None:
    """End the accepted application of a worker who gave the task back; those passed over are pending again."""
    ended = select(Application).where(Application.task_id == task.id).order_by(Application.id)
    for application in db.session.scalars(ended):
        if application.applicant_id == worker_id and application.status == ApplicationStatus.ACCEPTED:
            application.advance("release", actor=SYSTEM)
            _one_response_less(task)
        elif application.passed_over and application.status == ApplicationStatus.REJECTED:
            application.advance("reconsider", actor=SYSTEM)
            application.passed_over = False
    db.session.flush()


def _withdraw(application: Application, task: Task, roles: frozenset[str], by_id: int | None = None) -> None:
    """Withdraw under the task's lock, taken first as by who accepts: else the two would deadlock."""
    _count_response(task, -1)
    application.advance("withdraw", actor=roles, actor_id=by_id)
    db.session.flush()
    publish(ApplicationWithdrawn(owner_id=task.creator_id, **_told(application)))


def _refuse_second(user: User, task: Task) -> None:
    mine = select(Application.status).where(Application.task_id == task.id, Application.applicant_id == user.id)
    status = db.session.scalar(mine)
    if status is not None and status != ApplicationStatus.WITHDRAWN:
        raise AppliedAlready()


def _again_or_new(user: User, task: Task) -> Application:
    mine = select(Application).where(Application.task_id == task.id, Application.applicant_id == user.id)
    earlier = db.session.scalar(mine)
    if earlier is None:
        return save(Application(task_id=task.id, applicant_id=user.id, currency=task.currency))
    earlier.advance("apply_again", actor={"applicant"}, actor_id=user.id)
    return earlier


def _advance(application: Application, verb: str, user: User, task: Task) -> None:
    roles = policy.application_role_of(user, application, task.creator_id)
    application.advance(verb, actor=roles, actor_id=user.id)
    db.session.flush()


def _count_response(task: Task, step: int) -> None:
    """Add to the task's count of applications; raises WrongState (409) where it is not open any more."""
    still_open = update(Task).where(Task.id == task.id, Task.status == TaskStatus.OPEN)
    if execute(still_open.values(responses_count=Task.responses_count + step)) == 0:
        raise WrongState("This task is not open any more.")


def _one_response_less(task: Task) -> None:
    execute(update(Task).where(Task.id == task.id).values(responses_count=Task.responses_count - 1))


def _tell_rejected(application: Application) -> None:
    publish(ApplicationRejected(**_told(application)))


def _told(application: Application) -> dict[str, int]:
    """The fields that every event about an application has."""
    names = ("task_id", "applicant_id", "version")
    return {"application_id": application.id, **{name: getattr(application, name) for name in names}}
