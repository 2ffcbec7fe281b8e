"""Lists of deals, one in full, and what happened in it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, literal, or_, select

from marketplace.auth.models import User
from marketplace.auth.queries import name_in, person_columns
from marketplace.core.database.db import AnyRow, db, fetch, fetch_as, one
from marketplace.core.database.lifecycle import StateChange
from marketplace.core.database.timers import Timer
from marketplace.core.lists.list_query import ListQuery, equal_to
from marketplace.core.lists.pagination import Page
from marketplace.core.manifest import deal_kinds
from marketplace.core.queues.work_queue import table_of
from marketplace.deals import policy
from marketplace.deals.lifecycle import CLIENT, RUNNING, DealStage
from marketplace.deals.models import Deal
from marketplace.kit.clock import now
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.payments import queries as payments_queries
from marketplace.payments.models import Payment

DEALS, USERS, CHANGES = table_of(Deal), table_of(User), table_of(StateChange)
CLIENTS, PROVIDERS = USERS.alias("client"), USERS.alias("provider")
COLUMNS = [*DEALS.c, *person_columns(CLIENTS, "client"), *person_columns(PROVIDERS, "provider")]
JOINED = DEALS.join(CLIENTS, CLIENTS.c.id == DEALS.c.client_id).join(PROVIDERS, PROVIDERS.c.id == DEALS.c.provider_id)
SAME = ("reference", "kind", "subject_id", "title", "client_id", "provider_id", "currency", "price_minor", "category")
MOMENTS = ("agreed_at", "delivered_at", "completed_at", "cancelled_at", "updated_at")
BEGUN = (DealStage.ACTIVE, DealStage.DELIVERED, DealStage.DISPUTED, DealStage.COMPLETED)

BROWSE = ListQuery(
    name="deals",
    table=DEALS,
    columns=COLUMNS,
    joined=JOINED,
    filters={
        **equal_to(DEALS.c, "kind", "stage", "client_id", "provider_id"),
        "seen_by": policy.seen_by(DEALS.c, bindparam("seen_by")),
    },
    sorts={"agreed_at": DEALS.c.agreed_at},
    default_sort="-agreed_at",
)
DELIVERED = literal(str(DealStage.DELIVERED), literal_execute=True)  # as the index of delivered deals says it


def _unconfirmed() -> ColumnElement[bool]:
    timers = [(kind.name, kind.confirm_after.time) for kind in deal_kinds().values() if kind.confirm_after]
    late = [(Deal.kind == name) & (Deal.delivered_at < now() - time) for name, time in timers]
    return and_(Deal.stage == DELIVERED, or_(false(), *late))


UNCONFIRMED = Timer(Deal, _unconfirmed)


def of(user: User, *, side: str | None = None, **query: Any) -> Page:
    """The deals one is a side of, the latest agreed first; `side` narrows to those as client or as provider."""
    mine = {"seen_by" if side is None else f"{side}_id": user.id}
    return BROWSE.page({**query, **mine}, lambda row: view(user, row))


def find(user: User, reference: str) -> Deal:
    """One visible deal; raises NotFound."""
    return one(policy.visible_to(user).where(Deal.reference == reference), "deal")


def by_id(deal_id: int) -> Deal:
    """The deal of this id, whoever asks."""
    return db.session.get_one(Deal, deal_id)


def by_reference(reference: str) -> Deal:
    """The deal of this name, whoever asks."""
    return db.session.scalars(select(Deal).where(Deal.reference == reference)).one()


def has_running(user_id: int) -> bool:
    """Whether the person is a side of a deal that is not over."""
    theirs = policy.seen_by(Deal, user_id)
    return bool(fetch(select(Deal.id).where(theirs, Deal.stage.in_(RUNNING)).limit(1)))


def have_begun(one_id: int, other_id: int) -> bool:
    """As `have_a_deal`, once both have agreed: of a one-sided kind, once the work has begun."""
    one_sided = [kind.name for kind in deal_kinds().values() if kind.is_one_sided]
    agreed = (Deal.stage == DealStage.AGREED) & Deal.kind.not_in(one_sided)
    return _are_paired(one_id, other_id, or_(Deal.stage.in_(BEGUN), agreed))


def have_a_deal(one_id: int, other_id: int) -> bool:
    """Whether one of the two works or has worked for the other, so that they may exchange addresses."""
    return _are_paired(one_id, other_id, Deal.stage.in_((*RUNNING, DealStage.COMPLETED)))


def _are_paired(one_id: int, other_id: int, how: ColumnElement[bool]) -> bool:
    pair = or_(
        (Deal.client_id == one_id) & (Deal.provider_id == other_id),
        (Deal.client_id == other_id) & (Deal.provider_id == one_id),
    )
    return bool(fetch(select(Deal.id).where(pair, how).limit(1)))


def title_of(reference: str) -> tuple[str, int]:
    """What a deal is called, and its client; for a notification."""
    row = fetch(select(DEALS.c.title, DEALS.c.client_id).where(DEALS.c.reference == reference))[0]
    return row.title, row.client_id


def talked_about(kind: str) -> Callable[[User], Select[int, str, int]]:
    """`visible_to` of a `ConversationSubject` whose things are seen by the two sides of their deals alone; a thing is
    the client's."""
    columns = (Deal.subject_id.label("id"), Deal.title, Deal.client_id.label("owner_id"))
    return lambda user: policy.visible_to(user).where(Deal.kind == kind).with_only_columns(*columns)


def disputed_by(deal: Deal) -> int | None:
    """Id of who disputed it last, at the trade itself; None where it was the clock, or nobody."""
    thing, _, _ = deal.reference.partition(":")
    mine = (StateChange.thing == thing, StateChange.thing_id == deal.subject_id, StateChange.verb == "dispute")
    rows = fetch(select(StateChange.actor_id).where(*mine).order_by(StateChange.id.desc()).limit(1))
    return rows[0].actor_id if rows else None


def detail(user: User, reference: str) -> JsonObject:
    """One visible deal, with what is in escrow for it; raises NotFound."""
    wanted = select(*COLUMNS).select_from(JOINED).where(DEALS.c.reference == reference)
    rows = fetch_as(AnyRow, wanted if policy.sees_all(user) else wanted.where(policy.seen_by(DEALS.c, user.id)))
    if not rows:
        raise NotFound.of("deal")
    held, currency = payments_queries.held_of(reference) or (None, rows[0].currency)
    return {**view(user, rows[0]), "held": None if held is None else to_major(held, currency), "held_minor": held}


def view(user: User, row: Any) -> JsonObject:
    """A deal as lists show it; `link` is the address of what it is about."""
    kind = deal_kinds()[row.kind]
    timer = kind.confirm_after if row.stage == DealStage.DELIVERED else None
    return {
        **{name: getattr(row, name) for name in (*SAME, *MOMENTS, "stage", "payment")},
        "price": None if row.price_minor is None else to_major(row.price_minor, row.currency),
        "client_name": name_in(row, "client"),
        "provider_name": name_in(row, "provider"),
        "side": policy.side_of(user.id, row),
        "confirms_at": row.delivered_at + timer.time if timer else None,
        "link": kind.link.format(id=row.subject_id),
    }


def payments_of(user: User, reference: str, **query: Any) -> Page:
    """What was paid for a visible deal, of what one pays or receives; raises NotFound."""
    find(user, reference)
    return payments_queries.of(user, **query, reference=reference)


def timeline(user: User, reference: str) -> list[JsonObject]:
    """What happened since it was agreed on, to the trade's own thing and to the money, oldest first; raises
    NotFound."""
    deal = find(user, reference)
    payments = [row.id for row in fetch(select(Payment.id).where(Payment.reference == reference))]
    subject = and_(CHANGES.c.thing == reference.partition(":")[0], CHANGES.c.thing_id == deal.subject_id)
    money = and_(CHANGES.c.thing == "payment", CHANGES.c.thing_id.in_(payments))
    wanted = select(CHANGES).where(or_(subject, money), CHANGES.c.at > deal.agreed_at).order_by(CHANGES.c.id)
    agreed: JsonObject = {"at": deal.agreed_at, "about": "deal", "verb": "agree", "by": CLIENT}
    steps = [_step(deal, row) for row in fetch_as(AnyRow, wanted)]
    return [{**agreed, "from_state": None, "to_state": DealStage.AGREED}, *steps]


def _step(deal: Deal, row: AnyRow) -> JsonObject:
    by = policy.side_of(row.actor_id, deal) or ("system" if row.actor_id is None else "staff")
    told: JsonObject = {name: getattr(row, name) for name in ("at", "verb", "from_state", "to_state")}
    return {**told, "about": row.thing, "by": by}
