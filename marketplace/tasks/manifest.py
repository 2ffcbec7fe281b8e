"""Tasks: quick help, its applications and its payment."""

from dataclasses import replace
from pathlib import Path

from marketplace.core.manifest import (
    ConfirmAfter,
    ConversationSubject,
    DealKind,
    HandOver,
    Manifest,
    Searchable,
    Settlement,
    Subject,
)
from marketplace.events import disputes as events_disputes
from marketplace.events import tasks
from marketplace.tasks import handover_codes, jobs, queries, routes, service, subscribers
from marketplace.tasks.admin import routes as tasks_admin_routes
from marketplace.tasks.applications import routes as applications_routes
from marketplace.tasks.invariants import INVARIANTS
from marketplace.tasks.lifecycle import CONFIRM_AFTER
from marketplace.tasks.models import Application, Task
from marketplace.tasks.payments import routes as tasks_payments_routes

LINK = "/api/tasks/{id}"
HAND_OVER = HandOver(handover_codes.code_of, handover_codes.hand_over)
SETTLEMENT = Settlement(service.dispute, service.settle, service.reopen, queries.reason_of)
CONFIRMATION = ConfirmAfter(CONFIRM_AFTER, service.confirm_unanswered)
TASK = DealKind("task", LINK, SETTLEMENT, hand_over=HAND_OVER, confirm_after=CONFIRMATION)
TASKS = Manifest(
    name="tasks",
    floor=5,
    blueprints=(
        *(routes.bp, applications_routes.bp, tasks_payments_routes.bp, tasks_payments_routes.tasks_bp),
        tasks_admin_routes.bp,
    ),
    events=(tasks,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    topics={
        "tasks": (
            *(tasks.TaskPosted, tasks.TaskChanged, tasks.TaskDeleted, tasks.TaskAssigned, tasks.TaskDeclined),
            *(tasks.TaskCancelled, tasks.TaskExpired, tasks.TaskStarted, tasks.TaskDone, tasks.TaskCompleted),
            *(tasks.TaskDisputed, tasks.ApplicationSent, tasks.ApplicationWithdrawn, events_disputes.DisputeResolved),
        ),
    },
    stateful=(Task, Application),
    invariants=INVARIANTS,
    conversation_subjects=(ConversationSubject("task", LINK, queries.talked_about, Task),),
    deal_kinds=(TASK, replace(TASK, name="booking", is_titled_by_provider=True, is_one_sided=True)),
    subjects=(
        Subject(
            "task",
            queries.by_ids,
            search=Searchable(queries.best, queries.latest, queries.facets, queries.newly_posted),
            posted=tasks.TaskPosted,
            deleted=tasks.TaskDeleted,
            delete=service.delete,
        ),
    ),
    personal=Path(__file__).with_name("personal.toml"),
    erase=(service.take_down_of, service.forget_words_of),
)
