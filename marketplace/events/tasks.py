"""Facts about quick help."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPosted(Event):
    """A task was put on the board."""

    task_id: int
    owner_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanged(Event):
    """Fields of a task changed."""

    task_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDeleted(Event):
    """A task was deleted and is visible to nobody."""

    task_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSent(Event):
    """Somebody applied for a task."""

    application_id: int
    task_id: int
    owner_id: int
    applicant_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationWithdrawn(Event):
    """An applicant withdrew the application."""

    application_id: int
    task_id: int
    owner_id: int
    applicant_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRejected(Event):
    """An application was rejected, or passed over as somebody else was chosen."""

    application_id: int
    task_id: int
    applicant_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAssigned(Event):
    """A task was given to one worker, an applicant or (`booked`) the provider of an offering."""

    task_id: int
    owner_id: int
    worker_id: int
    booked: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDeclined(Event):
    """The worker gave the assignment back."""

    task_id: int
    owner_id: int
    worker_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted(Event):
    """The worker took the assignment up."""

    task_id: int
    owner_id: int
    worker_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone(Event):
    """The worker says it is done."""

    task_id: int
    owner_id: int
    worker_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted(Event):
    """A task was confirmed by its owner, or by time."""

    task_id: int
    owner_id: int
    worker_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDisputed(Event):
    """A side (`by_id`) disputed a task."""

    task_id: int
    owner_id: int
    worker_id: int
    by_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCancelled(Event):
    """A task was cancelled, by a side, staff or a dispute; `worker_id` is None where it had nobody."""

    task_id: int
    owner_id: int
    worker_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExpired(Event):
    """An open task passed its deadline and nobody had it."""

    task_id: int
    owner_id: int
