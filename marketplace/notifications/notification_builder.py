"""What each kind of notification says: values read from the slices below, at the time it is told.

Apart from the rooms: it stands between subscribers and service.py, so that service.py knows no trade.
"""

from datetime import datetime, timedelta
from typing import Any, Protocol, TypedDict

from sqlalchemy import ColumnElement, or_, select, update

from marketplace.auth import queries as auth_queries
from marketplace.auth.email import tokens as email_tokens
from marketplace.auth.models import User
from marketplace.core.database.db import execute, fetch, first_as
from marketplace.core.manifest import deal_kinds
from marketplace.core.queues.jobs import enqueue
from marketplace.core.realtime import connections
from marketplace.deals import queries as deals_queries
from marketplace.deals.models import Deal
from marketplace.kit.clock import now
from marketplace.kit.geo import Box, boxes_around, distance_km
from marketplace.kit.money import Money
from marketplace.listings import queries as listings_queries
from marketplace.messaging import queries as messaging_queries
from marketplace.notifications import kinds, renderer, service
from marketplace.notifications.models import JobAlert, Notification
from marketplace.payments import queries as payments_queries
from marketplace.payments.subscriptions import plans
from marketplace.search.policy import searchable
from marketplace.search.saved_searches import service as saved_searches_service
from marketplace.tasks import queries as tasks_queries

FARTHEST_ALERT_KM = 100.0
TIME_TO_READ = timedelta(minutes=1)


def tell(
    user_id: int, kind: str, key: str, related_id: int | None, *, named_id: int | None = None, **values: Any
) -> None:
    """Notify a person once per `key`. `named_id` is the person whose words or name it repeats."""
    service.notify_once(user_id, kind, key, related_id=related_id, named_id=named_id, **values)


def by_letter(user_id: int, kind: str, token_id: int, **values: Any) -> None:
    """Mail a one-time link; the link itself is made when the mail is written."""
    user = auth_queries.reachable(user_id, closed=kinds.KINDS[kind].closed)
    if user is not None:
        service.send(user, kind, f"token:{token_id}", ["email"], related_id=token_id, data=values)


def code(user_id: int, kind: str, channel: str, code_id: int) -> None:
    """Send a code by `channel`; the code itself is made when the message is written."""
    user = auth_queries.reachable(user_id)
    if user is not None:
        service.send(user, kind, f"code:{code_id}", [channel], related_id=code_id, data={})


def by_mail(user_id: int, kind: str, key: str, related_id: int) -> None:
    """Mail what was asked for; its link is made when the mail is written."""
    user = auth_queries.reachable(user_id)
    if user is not None:
        service.send(user, kind, key, ["email"], related_id=related_id, data={})


def values_of_token(token_id: int) -> dict[str, str]:
    """The values of a link's mail: the username it confirms, or the address to change to."""
    token = email_tokens.find(token_id)
    if token is not None and token.purpose == email_tokens.VERIFY:
        return {"username": auth_queries.username_of(token.user_id)}
    if token is None or not token.purpose.startswith("change"):
        return {}
    new = email_tokens.partner_of(token) if token.purpose == email_tokens.CHANGE_OLD else token
    return {"new_email": new.email}


def of_task(user_id: int, kind: str, key: str, task_id: int, **names: int) -> None:
    """About a task; `names` maps a value of the text to the id of the person it names."""
    title, owner_id = tasks_queries.title_of(task_id)
    values = {name: auth_queries.name_of(person_id) for name, person_id in names.items()}
    named_id = next(iter(names.values()), owner_id if owner_id != user_id else None)
    tell(user_id, kind, key, task_id, named_id=named_id, task_title=title, **values)


class PaymentPart(TypedDict):
    """The share of a payment that a notification is about; the same `key` is told once."""

    key: str
    payment_id: int
    share_id: int


def of_payment(user_id: int, kind: str, key: str, payment_id: int, share_id: int, **values: Any) -> None:
    """About a share of a payment, to one of its sides, with the other side's name."""
    payment = payments_queries.sides_of(share_id)
    is_payer = user_id == payment.payer_id
    side, other_id = ("payee_name", payment.payee_id) if is_payer else ("payer_name", payment.payer_id)
    values |= {"title": payment.title, side: auth_queries.name_of(other_id)}
    tell(user_id, kind, key, payment_id, named_id=other_id, **values)


def of_payout(user_id: int, kind: str, payout_id: int, minor: int, currency: str) -> None:
    """About a payout, each kind once."""
    tell(user_id, kind, str(payout_id), payout_id, amount=said(minor, currency))


def said(minor: int, currency: str) -> str:
    """An amount as text: 36.00 EUR."""
    return f"{Money(minor, currency).exact} {currency}"


def of_match(user_id: int, search_id: int, kind: str, thing_id: int) -> None:
    """About a thing that fits a saved search; nothing where either is gone."""
    thing, name = searchable()[kind].new(thing_id), saved_searches_service.name_of(search_id)
    if thing is not None and name:
        about = {"search_name": name, "thing_title": thing.title, "thing_type": kind, "thing_id": thing_id}
        key = f"{search_id}:{kind}:{thing_id}"
        tell(user_id, "saved_search_match", key, search_id, named_id=thing.owner_id, **about)


def of_dispute(user_id: int, kind: str, key: str, dispute_id: int, reference: str, *, by_id: int | None = None) -> None:
    """About a dispute, with the name of `by_id` where the other side did it."""
    title, owner_id = deals_queries.title_of(reference)
    values = {} if by_id is None else {"other_name": auth_queries.name_of(by_id)}
    named_id = owner_id if by_id is None and owner_id != user_id else by_id
    tell(user_id, kind, key, dispute_id, named_id=named_id, task_title=title, **values)


def of_deal(user_id: int, kind: str, reference: str, *, other_id: int) -> None:
    """About a deal, once, with its title and the other side's name; it leads to what the deal is about."""
    deal = deals_queries.by_reference(reference)
    values = {"task_title": deal.title, "other_name": auth_queries.name_of(other_id), "path": _page_of(deal)}
    about = reference.partition(":")[0]
    service.notify_once(
        user_id, kind, reference, related_id=deal.subject_id, related_type=about, named_id=other_id, **values
    )


def of_listing(user_id: int, kind: str, key: str, listing_id: int, **values: Any) -> None:
    """About a listing, with its title."""
    tell(user_id, kind, key, listing_id, listing_title=listings_queries.title_of(listing_id), **values)


def of_plan(user_id: int, kind: str, key: str, subscription_id: int, plan_key: str, **more: Any) -> None:
    """About a subscription, with the plan's name in the reader's language."""
    name = plans.title_of(plan_key, auth_queries.language_of(user_id))
    tell(user_id, kind, key, subscription_id, plan_name=name, **more)


def of_message(message_id: int, sender_id: int, conversation_id: int, seq: int) -> None:
    """About a message: offline members now, online ones in a minute if it is still unread."""
    others = messaging_queries.to_be_told(conversation_id, sender_id)
    here = connections.sockets().presence.are_here(others)
    facts = {"sender_id": sender_id, "conversation_id": conversation_id, "message_id": message_id, "seq": seq}
    for user_id in others:
        if user_id in here:
            key = f"tell_of_message:{message_id}:{user_id}"
            enqueue("tell_of_message", key=key, delay=TIME_TO_READ, user_id=user_id, **facts)
        else:
            of_unread_message(user_id, **facts)


def of_unread_message(user_id: int, *, sender_id: int, conversation_id: int, message_id: int, seq: int) -> None:
    """About a message that is still unread; an unread notification of the conversation is updated instead."""
    if messaging_queries.is_read(message_id, user_id):
        return
    waiting = _waiting_about(user_id, conversation_id)
    if waiting is None:
        name = auth_queries.name_of(sender_id)
        values = {"sender_name": name, "count": 1, "seq": seq}
        tell(user_id, "new_message", f"{conversation_id}:{seq}", conversation_id, named_id=sender_id, **values)
    elif seq > waiting.data["seq"]:
        _count_one_more(waiting, seq)


def has_alerts() -> bool:
    """Whether anybody has a job alert."""
    return bool(fetch(select(JobAlert.user_id).where(JobAlert.enabled).limit(1)))


def nearby(task_id: int, after: int, batch: int) -> list[tuple[int, float | None]]:
    """(user id, km) of people with a job alert around a task, by id from `after` on; None for km where it is too far or
    of another category."""
    task = tasks_queries.place_of(task_id)
    if task is None or task.latitude is None or task.longitude is None:
        return []
    boxes = boxes_around(task.latitude, task.longitude, FARTHEST_ALERT_KM)
    columns = (User.id, User.area_latitude, User.area_longitude, JobAlert.radius_km, JobAlert.categories)
    wanted = select(*columns).join(JobAlert, JobAlert.user_id == User.id).where(or_(*map(_inside, boxes)))
    wanted = wanted.where(JobAlert.enabled, User.is_active, User.id > after, User.id != task.creator_id)
    return [(row.id, _distance(task, row)) for row in fetch(wanted.order_by(User.id).limit(batch))]


def of_new_task(user_id: int, task_id: int, km: float) -> None:
    """About a new task, with the km to it."""
    title, owner_id = tasks_queries.title_of(task_id)
    tell(user_id, "new_task_nearby", str(task_id), task_id, named_id=owner_id, task_title=title, distance_km=km)


class NotificationRow(Protocol):
    """A row of notifications."""

    id: int
    user_id: int
    type: str
    key: str
    title: str
    message: str
    data: dict[str, Any]
    related_type: str | None
    related_id: int | None
    named_id: int | None
    is_silent: bool
    for_digest: bool
    read_at: datetime | None
    created_at: datetime


def _page_of(deal: Deal) -> str:
    """The page in the client has the address of the API, without its prefix."""
    return deal_kinds()[deal.kind].link.format(id=deal.subject_id).removeprefix("/api")


def _waiting_about(user_id: int, conversation_id: int) -> NotificationRow | None:
    """The unread notification about this conversation."""
    mine = select(Notification.__table__).where(Notification.user_id == user_id, Notification.read_at.is_(None))
    same = mine.where(Notification.type == "new_message", Notification.related_id == conversation_id)
    return first_as(NotificationRow, same.order_by(Notification.id.desc()).limit(1))


def _count_one_more(waiting: NotificationRow, seq: int) -> None:
    data = {**waiting.data, "count": waiting.data["count"] + 1, "seq": seq}
    language = auth_queries.language_of(waiting.user_id)
    words = renderer.words("new_message", language, data)
    changed = update(Notification).where(Notification.id == waiting.id)
    execute(changed.values(data=data, title=words.title, message=words.message, created_at=now()))


def _inside(box: Box) -> ColumnElement[bool]:
    return User.area_latitude.between(box.south, box.north) & User.area_longitude.between(box.west, box.east)


def _distance(task: Any, person: Any) -> float | None:
    if person.categories and task.category not in person.categories:
        return None
    km = distance_km(task.latitude, task.longitude, person.area_latitude, person.area_longitude)
    return round(km, 1) if km <= person.radius_km else None
