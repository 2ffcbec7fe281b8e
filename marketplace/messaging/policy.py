"""Who sees which conversation."""

from typing import Any

from sqlalchemy import Select, or_, select

from marketplace.auth.models import User
from marketplace.messaging.models import Conversation


def visible_to(user: User) -> Select[Conversation]:
    """The two it is between."""
    between = or_(Conversation.participant_1_id == user.id, Conversation.participant_2_id == user.id)
    return select(Conversation).where(between)


def other_side(user_id: int, conversation: Any) -> int:
    """The other participant's id."""
    first, second = conversation.participant_1_id, conversation.participant_2_id
    return int(second if first == user_id else first)
