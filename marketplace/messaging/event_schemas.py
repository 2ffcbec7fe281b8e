"""What socket events carry.

Apart from the rooms: schemas.py of the socket events.
"""

from typing import Any

from marshmallow import ValidationError, fields, validate

from marketplace.core.http.fields import MAX_ID, Choice, Int, Str, link
from marketplace.core.http.schemas import Input
from marketplace.messaging.models import ATTACHMENT_TYPES
from marketplace.messaging.schemas import LONGEST

MOST_CURSORS, MOST_PEOPLE, LONGEST_ID = 2_000, 100, 19


class Cursors(fields.Field[dict[int, int]]):
    """{conversation id: the highest rev the client has}."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[int, int]:
        if not isinstance(value, dict) or len(value) > MOST_CURSORS:
            raise ValidationError(f"An object of at most {MOST_CURSORS} conversation ids and numbers.")
        if not all(_is_id(key) and type(rev) is int and 0 <= rev <= MAX_ID for key, rev in value.items()):
            raise ValidationError("Conversation ids and whole numbers, please.")
        return {int(key): rev for key, rev in value.items()}


def _is_id(key: Any) -> bool:
    return str(key).isascii() and str(key).isdecimal() and len(str(key)) <= LONGEST_ID and int(key) <= MAX_ID


class ConversationEvent(Input):
    """Which conversation."""

    conversation_id = Int(required=True)


class TypingEvent(ConversationEvent):
    """Typing, or not any more."""

    is_typing = fields.Boolean(load_default=True)


class SeenEvent(ConversationEvent):
    """Up to which number."""

    seq = Int(required=True)


class SendEvent(ConversationEvent):
    """A message."""

    content = Str(longest=LONGEST)
    client_message_id = Str(shortest=1, longest=100)
    reply_to_id = Int()
    attachment_url = link()
    attachment_type = Choice(*ATTACHMENT_TYPES)


class SyncEvent(Input):
    """What the client has, and how much it takes at once."""

    cursors = Cursors(load_default=dict)
    limit = Int(least=1, most=500, load_default=200)
    only_these = fields.Boolean(load_default=False)


class PersonEvent(Input):
    """Who."""

    user_id = Int(required=True)


class PeopleEvent(Input):
    """Who, several."""

    user_ids = fields.List(Int(), required=True, validate=validate.Length(max=MOST_PEOPLE))
