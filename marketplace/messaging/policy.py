"""Which conversations one sees, and who may write to whom."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, or_, select

from marketplace.auth.models import User
from marketplace.core.database.db import fetch
from marketplace.kit.clock import now
from marketplace.messaging.models import Block, Conversation, Membership, Message

EDITABLE_FOR = timedelta(minutes=15)


def memberships_of(user_id: int) -> Select[int]:
    """Ids of the conversations somebody is a member of."""
    return select(Membership.conversation_id).where(Membership.user_id == user_id, Membership.left_at.is_(None))


def visible_to(user: User) -> Select[Conversation]:
    """The conversations one is a member of."""
    return select(Conversation).where(Conversation.id.in_(memberships_of(user.id)))


def other_side(user_id: int, conversation: Any) -> int | None:
    """The other participant's id; None in a room."""
    first, second = conversation.participant_1_id, conversation.participant_2_id
    other: int | None = second if first == user_id else first
    return other


def is_blocked(one_id: int, other_id: int) -> bool:
    """Whether either of the two blocks the other."""
    pair = or_(
        (Block.blocker_id == one_id) & (Block.blocked_id == other_id),
        (Block.blocker_id == other_id) & (Block.blocked_id == one_id),
    )
    return bool(fetch(select(Block.id).where(pair).limit(1)))


def blocked_with(user_id: int) -> set[int]:
    """Ids of all whom this person blocks or who block them."""
    pair = or_(Block.blocker_id == user_id, Block.blocked_id == user_id)
    rows = fetch(select(Block.blocker_id, Block.blocked_id).where(pair))
    return {row.blocked_id if row.blocker_id == user_id else row.blocker_id for row in rows}


def may_edit(user: User, message: Message) -> bool:
    """Whether it is one's own message and young enough."""
    return message.sender_id == user.id and message.deleted_at is None and message.created_at > now() - EDITABLE_FOR
