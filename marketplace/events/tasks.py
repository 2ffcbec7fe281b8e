"""Facts about quick help."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPosted(Event):
    """A task went live."""

    task_id: int
    owner_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanged(Event):
    """Fields of a task changed."""

    task_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDeleted(Event):
    """A task is gone for everybody."""

    task_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSent(Event):
    """Somebody offered to do a task."""

    application_id: int
    task_id: int
    owner_id: int
    applicant_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationWithdrawn(Event):
    """An applicant took the offer back."""

    application_id: int
    task_id: int
    owner_id: int
    applicant_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRejected(Event):
    """The owner said no, or took somebody else."""

    application_id: int
    task_id: int
    applicant_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAssigned(Event):
    """A task has its one worker: an applicant, or who was booked."""

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
    """The owner confirmed."""

    task_id: int
    owner_id: int
    worker_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDisputed(Event):
    """One side does not agree."""

    task_id: int
    owner_id: int
    worker_id: int
    by_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCancelled(Event):
    """A task ended without work."""

    task_id: int
    owner_id: int
    worker_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExpired(Event):
    """Nobody took it before its deadline."""

    task_id: int
    owner_id: int
