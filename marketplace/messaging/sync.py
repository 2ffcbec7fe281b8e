"""Changes since a client's cursors, search in one's own messages, and figures about them.

Apart from the rooms: three reads that decrypt and compute in Python, beside the plain selects of queries.py.
"""

from collections import Counter
from datetime import timedelta
from statistics import median
from typing import Any, Protocol

from sqlalchemy import Select, and_, func, or_, select

from marketplace.auth.models import User
from marketplace.core.database.db import fetch, fetch_as
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.kit.text import Term, search_text, terms
from marketplace.messaging import queries
from marketplace.messaging.models import Conversation, Membership, Message

MOST_AT_ONCE, CONVERSATIONS_AT_ONCE = 200, 50
LOOKED_AT, BATCH, SHOWN, MOST_SEEN = 5_000, 500, 50, 1_000
MONTH = timedelta(days=30)


def sync(user: User, cursors: dict[int, int], most: int = MOST_AT_ONCE, *, only: bool = False) -> JsonObject:
    """What was said or changed since the client's cursors (conversation → the highest `rev` it has, none is 0):
    at most so many messages, conversation by conversation and oldest change first. `rev` is the cursor to go on with,
    `has_more` says to ask again, `seen` how far all the others are, `gone` where one is no longer."""
    mine = (Membership.conversation_id == Conversation.id) & (Membership.user_id == user.id)
    states = select(Conversation.id, Conversation.last_rev, Membership.since_seq).join(Membership, mine)
    states = states.where(Membership.left_at.is_(None)).order_by(Conversation.id)
    present = fetch(states.where(Conversation.id.in_(list(cursors))) if only else states)
    behind = [row for row in present if row.last_rev > cursors.get(row.id, 0)]
    asked, left = behind[:CONVERSATIONS_AT_ONCE], behind[CONVERSATIONS_AT_ONCE:]
    rows = _changed_since([(row.id, cursors.get(row.id, 0), row.since_seq) for row in asked], most + 1)
    is_cut, rows = len(rows) > most, rows[:most]
    by_id = {item["id"]: item for item in queries.views([row.id for row in rows])} if rows else {}
    answers = []
    for row in asked:
        changed = [one for one in rows if one.conversation_id == row.id]
        is_last = is_cut and bool(changed) and changed[-1] is rows[-1]
        if is_cut and not is_last and row.id > rows[-1].conversation_id:
            continue  # did not fit any more
        # Numbers are given under the conversation's lock: whoever sees one sees all before it.
        rev = changed[-1].rev if is_last else max([row.last_rev, *(one.rev for one in changed)])
        messages = [by_id[one.id] for one in changed]
        answers.append({"conversation_id": row.id, "rev": rev, "has_more": is_last, "messages": messages})
    return {
        "conversations": answers,
        "has_more": is_cut or bool(left),
        "unread_count": queries.unread_count(user),
        "seen": _seen(user, [row.id for row in present if row.id in cursors or row in asked]),
        "gone": sorted(set(cursors) - {row.id for row in present}),
    }


def search(user: User, q: str, *, conversation_id: int | None = None, before_id: int | None = None) -> JsonObject:
    """One's own messages that have all these words or beginnings of words, newest first.

    Texts are encrypted, so they are read here: the LOOKED_AT newest before `before_id`, some 30 µs each;
    `next_before_id` goes on where this stopped.
    """
    wanted = terms(q)
    found: list[int] = []
    looked, last, is_over = 0, before_id, not wanted
    while not is_over and looked < LOOKED_AT and len(found) < SHOWN:
        rows = fetch(_readable(user, conversation_id, last))
        looked, is_over = looked + len(rows), len(rows) < BATCH
        last = rows[-1].id if rows else last
        found += [row.id for row in rows if _has(row.content, wanted)]
    if len(found) > SHOWN:
        found, last, is_over = found[:SHOWN], found[SHOWN - 1], False
    items = queries.views(found)[::-1] if found else []
    return {"messages": items, "has_more": not is_over, "next_before_id": None if is_over else last}


def stats(user: User) -> JsonObject:
    """Counts of one's conversations, the last thirty days, and the median seconds until one answers."""
    mine = (Membership.user_id == user.id) & Membership.left_at.is_(None)
    counts = select(func.count().label("kept"), func.count(Membership.archived_at).label("archived"))
    kept = fetch(counts.select_from(Membership).where(mine))[0]
    written = func.count().filter(Message.sender_id == user.id).label("sent")
    others = func.count().filter(Message.sender_id != user.id).label("received")
    here = (Message.conversation_id == Membership.conversation_id) & (Message.seq > Membership.since_seq)
    totals = fetch(select(written, others).select_from(Membership).join(Message, here).where(mine))[0]
    lately = fetch(select(Message.created_at).where(Message.sender_id == user.id, Message.created_at > now() - MONTH))
    days = Counter(row.created_at.date().isoformat() for row in lately)
    return {
        "conversations": kept.kept,
        "archived": kept.archived,
        "unread": queries.unread_count(user),
        "sent": totals.sent,
        "received": totals.received,
        "sent_by_day": [{"date": day, "count": count} for day, count in sorted(days.items())],
        "answers_within_seconds": _usual_pause(user),
    }


class ChangedMessage(Protocol):
    """A message's id and revision."""

    id: int
    conversation_id: int
    rev: int


def _changed_since(cursors: list[tuple[int, int, int]], most: int) -> list[ChangedMessage]:
    if not cursors:
        return []
    newer = [
        and_(Message.conversation_id == conversation_id, Message.rev > rev, Message.seq > since_seq)
        for conversation_id, rev, since_seq in cursors
    ]
    changed = select(Message.id, Message.conversation_id, Message.rev).where(or_(*newer))
    return fetch_as(ChangedMessage, changed.order_by(Message.conversation_id, Message.rev).limit(most))


def _seen(user: User, ids: list[int]) -> list[dict[str, int]]:
    reached = (
        func.min(Membership.delivered_seq).label("delivered_seq"),
        func.min(Membership.read_seq).label("read_seq"),
    )
    others = select(Membership.conversation_id, *reached).where(Membership.conversation_id.in_(ids[:MOST_SEEN]))
    others = others.where(Membership.user_id != user.id, Membership.left_at.is_(None))
    return [row._asdict() for row in fetch(others.group_by(Membership.conversation_id))]


def _readable(user: User, conversation_id: int | None, before_id: int | None) -> Select[int, str]:
    seen = and_(Membership.user_id == user.id, Membership.left_at.is_(None), Message.seq > Membership.since_seq)
    here = (Membership.conversation_id == Message.conversation_id) & seen
    some = select(Message.id, Message.content).join(Membership, here).where(Message.deleted_at.is_(None))
    if conversation_id is not None:
        some = some.where(Message.conversation_id == conversation_id)
    if before_id is not None:
        some = some.where(Message.id < before_id)
    return some.order_by(Message.id.desc()).limit(BATCH)


def _has(content: str, wanted: list[Term]) -> bool:
    said = f" {search_text(content)}"
    return all(term.stands_in(said) for term in wanted)


def _usual_pause(user: User) -> int | None:
    """Median seconds from others' first unanswered message to one's next, over the latest five hundred messages; None
    without any."""
    pair = or_(Conversation.participant_1_id == user.id, Conversation.participant_2_id == user.id)
    latest = select(Message.conversation_id, Message.sender_id, Message.created_at).join(Conversation).where(pair)
    rows = fetch(latest.order_by(Message.id.desc()).limit(BATCH))[::-1]
    waiting: dict[int, Any] = {}
    pauses = []
    for row in rows:
        if row.sender_id != user.id:
            waiting.setdefault(row.conversation_id, row.created_at)
        elif (asked := waiting.pop(row.conversation_id, None)) is not None:
            pauses.append((row.created_at - asked).total_seconds())
    return int(median(pauses)) if pauses else None
