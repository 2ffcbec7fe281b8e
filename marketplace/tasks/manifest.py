"""Quick help: tasks, who applies for them, and paying for them."""

from pathlib import Path

from marketplace.core.manifest import Manifest, Searchable, Subject
from marketplace.events import disputes
from marketplace.events import tasks as events
from marketplace.tasks import application_routes, jobs, payment_routes, queries, routes, service, subscribers
from marketplace.tasks.invariants import INVARIANTS
from marketplace.tasks.models import Application, Task

TASKS = Manifest(
    name="tasks",
    floor=5,
    blueprints=(routes.bp, application_routes.bp, payment_routes.bp, payment_routes.tasks_bp),
    events=(events,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    topics={
        "tasks": (
            *(events.TaskPosted, events.TaskChanged, events.TaskDeleted, events.TaskAssigned, events.TaskDeclined),
            *(events.TaskCancelled, events.TaskExpired, events.TaskStarted, events.TaskDone, events.TaskCompleted),
            *(events.TaskDisputed, events.ApplicationSent, events.ApplicationWithdrawn, disputes.DisputeResolved),
        ),
    },
    stateful=(Task, Application),
    invariants=INVARIANTS,
    subjects=(
        Subject(
            "task",
            queries.by_ids,
            search=Searchable(queries.best, queries.newest, queries.facets, queries.newly_posted),
            posted=events.TaskPosted,
            deleted=events.TaskDeleted,
        ),
    ),
    personal=Path(__file__).with_name("personal.toml"),
    waits_for=(queries.has_running,),
    erase=(service.take_down_of, service.forget_words_of),
)
