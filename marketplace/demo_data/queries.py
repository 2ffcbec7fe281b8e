"""Finding demo people and things again, by the keys the data files give them."""

from datetime import datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import ColumnElement, select, update

from marketplace.auth.models import User
from marketplace.core.database.db import db, execute, fetch
from marketplace.core.database.lifecycle import StateChange
from marketplace.deals.models import Deal, task_reference
from marketplace.demo_data.dataset import dataset
from marketplace.demo_data.timestamps import SEED, Rows
from marketplace.disputes.lifecycle import ANSWER_AFTER
from marketplace.disputes.models import Dispute
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.listings.models import Listing
from marketplace.messaging.models import Conversation
from marketplace.offerings.models import Offering
from marketplace.reviews.models import Review
from marketplace.tasks.models import Application, Task

KINDS: dict[str, Any] = {"listing": Listing, "task": Task, "offering": Offering}


def ref(key: str) -> str:
    """What a row is known by; the prefix stands in databases since the first version."""
    return f"town:{key}"


def is_there(model: Any, key: str) -> bool:
    """Whether the row of this key was written before."""
    return bool(fetch(select(model.id).where(model.import_ref == ref(key))))


def id_of(thing: str) -> int:
    """The id of "listing:green-sofa"."""
    model = KINDS[thing.partition(":")[0]]
    return int(fetch(select(model.id).where(model.import_ref == ref(thing)))[0][0])


def subject_of(about: str) -> dict[str, str | int]:
    """What a conversation is about, as its service wants to hear it."""
    return {"subject_kind": about.partition(":")[0], "subject_id": id_of(about)} if about else {}


def person_of(key: str) -> User:
    """By key."""
    return db.session.scalars(select(User).where(User.import_ref == ref(key))).one()


def has_avatar(key: str) -> bool:
    """Somebody's."""
    return bool(fetch(select(User.id).where(User.import_ref == ref(key), User.avatar_url != "")))


def user_of(user_id: int | None) -> User:
    """By id."""
    return db.session.get_one(User, user_id)


def application_of(key: str, task: Task) -> int:
    """Somebody's application for a task."""
    mine = select(Application.id).where(Application.task_id == task.id, Application.applicant_id == person_of(key).id)
    return int(fetch(mine)[0][0])


def district_of(key: str) -> str:
    """Where somebody lives."""
    return next(person.district for person in dataset().people if person.key == key)


def place_in(key: str, district: str) -> JsonObject:
    """Some street of the district, the same at every run."""
    middle, chance = dataset().districts[district], Random(f"{SEED}:{key}:{district}")
    return {
        "location": middle.name,
        "latitude": round(middle.latitude + chance.uniform(-0.005, 0.005), 5),
        "longitude": round(middle.longitude + chance.uniform(-0.008, 0.008), 5),
    }


def due_in(days: int | None) -> datetime | None:
    """Three in the afternoon of a day to come."""
    return None if days is None else datetime.combine(now() + timedelta(days=days), time(13), now().tzinfo)


def rows_of(kind: str, thing_id: int) -> tuple[Rows, ...]:
    """Where the times of a thing and of its history stand."""
    model = KINDS[kind]
    return (model.__tablename__, model.id == thing_id), ("state_changes", _history(kind, thing_id))


def rows_of_task(task_id: int) -> tuple[Rows, ...]:
    """Those of its applications and reviews too."""
    applications = select(Application.id).where(Application.task_id == task_id)
    theirs = (StateChange.thing == "application") & StateChange.thing_id.in_(applications)
    return (
        *rows_of("task", task_id),
        ("applications", Application.task_id == task_id),
        ("state_changes", theirs),
        ("deals", _deal_of(task_id)),
        ("reviews", Review.deal_id.in_(select(Deal.id).where(_deal_of(task_id)))),
        ("disputes", Dispute.deal_id.in_(select(Deal.id).where(_deal_of(task_id)))),
    )


def _deal_of(task_id: int) -> ColumnElement[bool]:
    return Deal.reference == task_reference(task_id)


def let_time_pass_in_dispute(task_id: int, days: float) -> None:
    """It was opened so many days ago, so the answer was due that much earlier too."""
    due = update(Dispute).where(Dispute.deal_id.in_(select(Deal.id).where(_deal_of(task_id))))
    execute(due.values(response_due_at=now() + ANSWER_AFTER - timedelta(days=days)))


def age_of(thing: str) -> float:
    """Days since it was put up."""
    posted_at = created_at(KINDS[thing.partition(":")[0]], id_of(thing))
    return float((now() - posted_at) / timedelta(days=1))


def created_at(model: Any, row_id: int) -> datetime:
    """As it was dated; an object in the session may still say when it was written."""
    moment: datetime = fetch(select(model.created_at).where(model.id == row_id))[0][0]
    return moment


def have_talked(one: User, other: User, subject: dict[str, str | int]) -> bool:
    """Whether the two have a conversation about this."""
    first, second = sorted((one.id, other.id))
    between = (Conversation.participant_1_id == first) & (Conversation.participant_2_id == second)
    key = ":".join(map(str, subject.values()))
    return bool(fetch(select(Conversation.id).where(between, Conversation.subject == key)))


def _history(kind: str, thing_id: int) -> ColumnElement[bool]:
    return (StateChange.thing == kind) & (StateChange.thing_id == thing_id)
