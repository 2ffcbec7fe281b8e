"""Lists of conversations and messages, and what the verbs need of them."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Table, bindparam, func, or_, select

from marketplace.auth.models import User
from marketplace.core.database.db import counted, fetch, one
from marketplace.core.lists.list_query import ListQuery, equal_to
from marketplace.core.lists.pagination import Page
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.messaging import policy, subjects
from marketplace.messaging.models import Conversation, Membership, Message, Reaction
from marketplace.uploads import addresses

CONVERSATIONS: Table = Conversation.metadata.tables["conversations"]
MEMBERSHIPS: Table = Conversation.metadata.tables["memberships"]
MESSAGES: Table = Conversation.metadata.tables["messages"]
USERS: Table = User.metadata.tables["users"]
PERSON = ("id", "username", "first_name", "last_name", "avatar_url", "is_verified")
OF_MINE = ("read_seq", "archived_at", "muted_at", "since_seq")
MINE = MEMBERSHIPS.alias("mine")

CONVERSATIONS_LIST = ListQuery(
    name="conversations",
    table=CONVERSATIONS,
    columns=[*CONVERSATIONS.c, *(MINE.c[name].label(f"my_{name}") for name in OF_MINE)],
    joined=CONVERSATIONS.join(
        MINE, (MINE.c.conversation_id == CONVERSATIONS.c.id) & (MINE.c.user_id == bindparam("me"))
    ),
    filters={
        "me": CONVERSATIONS.c.id.in_(
            select(MEMBERSHIPS.c.conversation_id).where(
                MEMBERSHIPS.c.user_id == bindparam("me"), MEMBERSHIPS.c.left_at.is_(None)
            )
        ),
        "shelf": CONVERSATIONS.c.id.in_(
            select(MEMBERSHIPS.c.conversation_id).where(
                MEMBERSHIPS.c.user_id == bindparam("me"),
                MEMBERSHIPS.c.archived_at.is_not(None) == bindparam("shelf"),
            )
        ),
        **equal_to(CONVERSATIONS.c, "id", "subject_kind", "subject_id"),
    },
    sorts={"updated_at": CONVERSATIONS.c.updated_at},
    default_sort="-updated_at",
)

MESSAGES_LIST = ListQuery(
    name="messages",
    table=MESSAGES,
    columns=[*MESSAGES.c, *(USERS.c[name].label(f"sender_{name}") for name in PERSON if name != "id")],
    joined=MESSAGES.join(USERS, USERS.c.id == MESSAGES.c.sender_id),
    filters={
        **equal_to(MESSAGES.c, "id", "conversation_id"),
        "after_seq": MESSAGES.c.seq > bindparam("after_seq"),
        "before_seq": MESSAGES.c.seq < bindparam("before_seq"),
        "since_seq": MESSAGES.c.seq > bindparam("since_seq"),
    },
    sorts={"seq": MESSAGES.c.seq},
    default_sort="-seq",
)


def of(user: User, *, archived: bool = False, **query: Any) -> Page:
    """One's conversations, latest activity first, each with the other side and its last message."""
    page = CONVERSATIONS_LIST.page({**query, "me": user.id, "shelf": archived}, lambda row: _bare(user, row))
    return _filled(user, page)


def detail(user: User, conversation_id: int) -> JsonObject:
    """One of one's conversations, as `of` shows it; raises NotFound."""
    page = CONVERSATIONS_LIST.page({"id": conversation_id, "me": user.id}, lambda row: _bare(user, row))
    if not page.items:
        raise NotFound.of("conversation")
    return _filled(user, page).items[0]


def find(user: User, conversation_id: int) -> Conversation:
    """One of one's conversations, to change; raises NotFound."""
    return one(policy.visible_to(user).where(Conversation.id == conversation_id), "conversation")


def membership(user: User, conversation_id: int) -> Membership:
    """One's own membership of a conversation; raises NotFound."""
    mine = select(Membership).where(Membership.user_id == user.id, Membership.left_at.is_(None))
    return one(mine.where(Membership.conversation_id == conversation_id), "conversation")


def find_message(user: User, message_id: int) -> Message:
    """One visible message to change; raises NotFound."""
    seen = (Membership.user_id == user.id) & Membership.left_at.is_(None) & (Message.seq > Membership.since_seq)
    same = (Membership.conversation_id == Message.conversation_id) & seen
    return one(select(Message).join(Membership, same).where(Message.id == message_id), "message")


def member_ids(conversation_id: int, seq: int | None = None) -> list[int]:
    """Ids of the members, or only of those who see the message numbered `seq`."""
    present = select(Membership.user_id).where(Membership.conversation_id == conversation_id)
    if seq is not None:
        present = present.where(Membership.since_seq < seq)
    return [row.user_id for row in fetch(present.where(Membership.left_at.is_(None)))]


def members(user: User, conversation_id: int) -> list[JsonObject]:
    """The members with role and read position, in the order they joined; raises NotFound."""
    find(user, conversation_id)
    columns = (MEMBERSHIPS.c.role, MEMBERSHIPS.c.joined_at, MEMBERSHIPS.c.read_seq, MEMBERSHIPS.c.delivered_seq)
    people = MEMBERSHIPS.join(USERS, USERS.c.id == MEMBERSHIPS.c.user_id)
    present = select(*(USERS.c[name] for name in PERSON), *columns).select_from(people)
    present = present.where(MEMBERSHIPS.c.conversation_id == conversation_id, MEMBERSHIPS.c.left_at.is_(None))
    return [dict(row._mapping) for row in fetch(present.order_by(MEMBERSHIPS.c.id))]


def messages(user: User, conversation_id: int, **query: Any) -> Page:
    """A page of messages, oldest first; page 1 is the latest part, or what follows `after_seq`."""
    since = membership(user, conversation_id).since_seq or None
    forward = query.get("after_seq") is not None
    sort = "seq" if forward else "-seq"
    params = {**query, "conversation_id": conversation_id, "since_seq": since, "sort": sort}
    page = MESSAGES_LIST.page(params, message_view)
    if not forward:
        page.items.reverse()
    _add_reactions(page.items)
    return page


def message(message_id: int) -> JsonObject:
    """A message as JSON, whoever asks."""
    return views([message_id])[0]


def views(ids: list[int]) -> list[JsonObject]:
    """These messages as JSON, however many, oldest first."""
    assert MESSAGES_LIST.joined is not None
    rows = select(*MESSAGES_LIST.columns).select_from(MESSAGES_LIST.joined).where(MESSAGES.c.id.in_(ids))
    found = [message_view(row) for row in fetch(rows.order_by(MESSAGES.c.id))]
    _add_reactions(found)
    return found


def still_members(user_ids: set[int]) -> set[tuple[int, int]]:
    """(conversation id, user id) of every membership these people have."""
    ids, found = sorted(user_ids), set()
    for start in range(0, len(ids), 500):
        some = select(Membership.conversation_id, Membership.user_id).where(Membership.left_at.is_(None))
        found |= {
            (row.conversation_id, row.user_id)
            for row in fetch(some.where(Membership.user_id.in_(ids[start : start + 500])))
        }
    return found


def to_be_told(conversation_id: int, sender_id: int) -> list[int]:
    """Ids of the members that a message of this sender is announced to: those who have not muted it."""
    others = select(Membership.user_id).where(Membership.conversation_id == conversation_id)
    present = others.where(Membership.user_id != sender_id, Membership.left_at.is_(None), Membership.muted_at.is_(None))
    return [row.user_id for row in fetch(present)]


def is_read(message_id: int, user_id: int) -> bool:
    """Whether somebody has read the message, or one of the two is gone."""
    mine = (Membership.conversation_id == Message.conversation_id) & (Membership.user_id == user_id)
    unseen = select(Message.id).join(Membership, mine & (Membership.read_seq < Message.seq))
    return not fetch(unseen.where(Message.id == message_id, Message.deleted_at.is_(None), Membership.left_at.is_(None)))


def unread_count(user: User) -> int:
    """Number of others' messages one has not read."""
    return sum(_unread(user, None).values())


def contacts(user_id: int, most: int = 200) -> list[int]:
    """Ids of whom one has pair conversations with, latest first, without blocked ones."""
    mine = or_(Conversation.participant_1_id == user_id, Conversation.participant_2_id == user_id)
    latest = select(Conversation.participant_1_id, Conversation.participant_2_id).where(mine)
    rows = fetch(latest.order_by(Conversation.updated_at.desc()).limit(most))
    others = dict.fromkeys(policy.other_side(user_id, row) for row in rows)
    blocked = policy.blocked_with(user_id)
    return [other for other in others if other is not None and other not in blocked]


def new_view(message: Any, sender: User) -> JsonObject:
    """A message just stored as JSON, without a statement."""
    return message_view(message, {name: getattr(sender, name) for name in PERSON})


def message_view(row: Any, sender: dict[str, Any] | None = None) -> JsonObject:
    """A message as the contract names its fields."""
    return {
        "id": row.id,
        "conversation_id": row.conversation_id,
        "seq": row.seq,
        "rev": row.rev,
        "sender_id": row.sender_id,
        "sender": sender or {"id": row.sender_id, **{n: getattr(row, f"sender_{n}") for n in PERSON if n != "id"}},
        "content": row.content,
        "is_read": row.read_at is not None,
        "delivered_at": row.delivered_at,
        "read_at": row.read_at,
        "edited_at": row.edited_at,
        "deleted_at": row.deleted_at,
        "reply_to_id": row.reply_to_id,
        "attachment_url": addresses.opened(row.attachment_url),
        "attachment_type": row.attachment_type,
        "client_message_id": row.client_message_id,
        "reactions": [],
        "created_at": row.created_at,
    }


def _add_reactions(items: list[dict[str, Any]]) -> None:
    by_message: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    ids = [item["id"] for item in items]
    given = select(Reaction.message_id, Reaction.emoji, Reaction.user_id).where(Reaction.message_id.in_(ids))
    for row in fetch(given.order_by(Reaction.id)) if ids else ():
        by_message[row.message_id][row.emoji].append(row.user_id)
    for item in items:
        item["reactions"] = [{"emoji": emoji, "user_ids": who} for emoji, who in by_message[item["id"]].items()]


def _bare(user: User, row: Any) -> JsonObject:
    about = subjects.Reference(row.subject_kind, row.subject_id) if row.subject_kind else None
    return {
        "id": row.id,
        "participant_1_id": row.participant_1_id,
        "participant_2_id": row.participant_2_id,
        "title": row.title,
        "subject_kind": row.subject_kind,
        "subject_id": row.subject_id,
        "subject": about,
        **subjects.aliases(about),
        "other_participant": policy.other_side(user.id, row),
        "unread_count": 0,
        "last_message": row.last_seq,
        "last_seq": row.last_seq,
        "last_rev": row.last_rev,
        "is_archived": row.my_archived_at is not None,
        "is_muted": row.my_muted_at is not None,
        "since_seq": row.my_since_seq,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _filled(user: User, page: Page) -> Page:
    """Add other sides, subjects, last messages and unread counts to a page, in four statements and one for each kind of
    subject, however long it is."""
    ids = [item["id"] for item in page.items]
    others = _people([item["other_participant"] for item in page.items if item["other_participant"]])
    last = _last_messages(ids)
    unread = _unread(user, ids)
    seen = subjects.views(user, [item["subject"] for item in page.items if item["subject"]])
    for item in page.items:
        item["other_participant"] = others.get(item["other_participant"])
        item["subject"] = seen.get(item["subject"])
        item["unread_count"] = unread.get(item["id"], 0)
        newest, since = last.get(item["id"]), item.pop("since_seq")
        item["last_message"] = newest if newest and newest["seq"] > since else None
    return page


def _people(ids: list[int]) -> dict[int, JsonObject]:
    rows = fetch(select(*(USERS.c[name] for name in PERSON)).where(USERS.c.id.in_(ids)))
    return {row.id: dict(row._mapping) for row in rows}


def _last_messages(ids: list[int]) -> dict[int, JsonObject]:
    joined = MESSAGES_LIST.joined
    assert joined is not None
    ends = joined.join(
        CONVERSATIONS,
        (CONVERSATIONS.c.id == MESSAGES.c.conversation_id) & (CONVERSATIONS.c.last_seq == MESSAGES.c.seq),
    )
    rows = fetch(select(*MESSAGES_LIST.columns).select_from(ends).where(CONVERSATIONS.c.id.in_(ids)))
    found = {row.conversation_id: message_view(row) for row in rows}
    _add_reactions(list(found.values()))
    return found


def _unread(user: User, ids: list[int] | None) -> dict[int, int]:
    mine = (Membership.user_id == user.id) & Membership.left_at.is_(None)
    newer = (Message.conversation_id == Membership.conversation_id) & (Message.seq > Membership.read_seq)
    newer &= Message.seq > Membership.since_seq
    grouped = select(Message.conversation_id, func.count()).select_from(Membership).join(Message, newer)
    grouped = grouped.where(mine, Message.sender_id != user.id, Message.deleted_at.is_(None))
    return counted(
        (grouped if ids is None else grouped.where(Message.conversation_id.in_(ids))).group_by(Message.conversation_id)
    )
