"""Conversations and messages to read."""

from typing import Any

from sqlalchemy import Table, bindparam, func, or_, select

from marketplace.auth.models import User
from marketplace.core.db import counted, fetch, one
from marketplace.core.lists import ListQuery
from marketplace.core.pagination import Page
from marketplace.kit.errors import NotFound
from marketplace.messaging import policy
from marketplace.messaging.models import Conversation, Message

CONVERSATIONS: Table = Conversation.metadata.tables["conversations"]
MESSAGES: Table = Conversation.metadata.tables["messages"]
USERS: Table = User.metadata.tables["users"]
PERSON = ("id", "username", "first_name", "last_name", "avatar_url", "is_verified")

CONVERSATIONS_LIST = ListQuery(
    name="conversations",
    table=CONVERSATIONS,
    columns=list(CONVERSATIONS.c),
    filters={
        "me": or_(
            CONVERSATIONS.c.participant_1_id == bindparam("me"), CONVERSATIONS.c.participant_2_id == bindparam("me")
        ),
        "id": CONVERSATIONS.c.id == bindparam("id"),
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
        "id": MESSAGES.c.id == bindparam("id"),
        "conversation_id": MESSAGES.c.conversation_id == bindparam("conversation_id"),
        "after_seq": MESSAGES.c.seq > bindparam("after_seq"),
        "before_seq": MESSAGES.c.seq < bindparam("before_seq"),
    },
    sorts={"seq": MESSAGES.c.seq},
    default_sort="-seq",
)


def of(user: User, **query: Any) -> Page:
    """One's conversations, the liveliest first, each with the other side and the last message."""
    page = CONVERSATIONS_LIST.page({**query, "me": user.id}, lambda row: _bare(user, row))
    return _filled(user, page)


def detail(user: User, conversation_id: int) -> dict[str, Any]:
    """One of one's conversations; raises NotFound."""
    page = CONVERSATIONS_LIST.page({"id": conversation_id, "me": user.id}, lambda row: _bare(user, row))
    if not page.items:
        raise NotFound.of("conversation")
    return _filled(user, page).items[0]


def find(user: User, conversation_id: int) -> Conversation:
    """One of one's conversations to write in; raises NotFound."""
    return one(policy.visible_to(user).where(Conversation.id == conversation_id), "conversation")


def messages(user: User, conversation_id: int, **query: Any) -> Page:
    """Oldest first on the page; page 1 is the latest part, or what came after `after_seq`."""
    find(user, conversation_id)
    forward = query.get("after_seq") is not None
    params = {**query, "conversation_id": conversation_id, "sort": "seq" if forward else "-seq"}
    page = MESSAGES_LIST.page(params, message_view)
    if not forward:
        page.items.reverse()
    return page


def message(message_id: int) -> dict[str, Any]:
    """One stored message."""
    return MESSAGES_LIST.page({"id": message_id}, message_view).items[0]


def is_read(message_id: int) -> bool:
    """Whether its recipient has seen it, or it is gone."""
    rows = fetch(select(Message.read_at).where(Message.id == message_id))
    return not rows or rows[0].read_at is not None


def unread_count(user: User) -> int:
    """Messages of others one has not read."""
    mine = policy.visible_to(user).with_only_columns(Conversation.id)
    unread = select(func.count()).where(
        Message.conversation_id.in_(mine), Message.sender_id != user.id, Message.read_at.is_(None)
    )
    return int(fetch(unread)[0][0])


def message_view(row: Any) -> dict[str, Any]:
    """A message as the contract names its fields."""
    return {
        "id": row.id,
        "conversation_id": row.conversation_id,
        "seq": row.seq,
        "sender_id": row.sender_id,
        "sender": {"id": row.sender_id, **{n: getattr(row, f"sender_{n}") for n in PERSON if n != "id"}},
        "content": row.content,
        "is_read": row.read_at is not None,
        "delivered_at": row.delivered_at,
        "read_at": row.read_at,
        "attachment_url": row.attachment_url,
        "attachment_type": row.attachment_type,
        "client_message_id": row.client_message_id,
        "created_at": row.created_at,
    }


def _bare(user: User, row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "participant_1_id": row.participant_1_id,
        "participant_2_id": row.participant_2_id,
        "task_id": row.task_id,
        "offering_id": row.offering_id,
        "listing_id": row.listing_id,
        "other_participant": policy.other_side(user.id, row),
        "unread_count": 0,
        "last_message": row.last_seq,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _filled(user: User, page: Page) -> Page:
    """Three statements for the whole page: people, last messages, unread counts."""
    ids = [item["id"] for item in page.items]
    others = _people([item["other_participant"] for item in page.items])
    last = _last_messages(ids)
    unread = _unread(user, ids)
    for item in page.items:
        item["other_participant"] = others[item["other_participant"]]
        item["unread_count"] = unread.get(item["id"], 0)
        item["last_message"] = last.get(item["id"])
    return page


def _people(ids: list[int]) -> dict[int, dict[str, Any]]:
    rows = fetch(select(*(USERS.c[name] for name in PERSON)).where(USERS.c.id.in_(ids)))
    return {row.id: dict(row._mapping) for row in rows}


def _last_messages(ids: list[int]) -> dict[int, dict[str, Any]]:
    joined = MESSAGES_LIST.joined
    assert joined is not None
    ends = joined.join(
        CONVERSATIONS,
        (CONVERSATIONS.c.id == MESSAGES.c.conversation_id) & (CONVERSATIONS.c.last_seq == MESSAGES.c.seq),
    )
    rows = fetch(select(*MESSAGES_LIST.columns).select_from(ends).where(CONVERSATIONS.c.id.in_(ids)))
    return {row.conversation_id: message_view(row) for row in rows}


def _unread(user: User, ids: list[int]) -> dict[int, int]:
    grouped = select(MESSAGES.c.conversation_id, func.count()).where(
        MESSAGES.c.conversation_id.in_(ids), MESSAGES.c.sender_id != user.id, MESSAGES.c.read_at.is_(None)
    )
    return counted(grouped.group_by(MESSAGES.c.conversation_id))
