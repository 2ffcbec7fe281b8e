"""Conversations and messages in and out."""

from marshmallow import Schema, fields

from marketplace.core.fields import Choice, Int, Str, link
from marketplace.core.schemas import Input, PageQuery
from marketplace.messaging.models import ATTACHMENT_TYPES

LONGEST = 5000


class ConversationsQuery(PageQuery):
    """How conversations are paged."""


class MessagesQuery(PageQuery):
    """Pages from the end, or everything after a number."""

    per_page = Int(least=1, load_default=50, example=50)
    after_seq = Int(example=12)
    before_seq = Int(example=40)


class ConversationInputSchema(Input):
    """With whom, about what, and perhaps the first message."""

    user_id = Int(required=True, example=2)
    message = Str(longest=LONGEST, example="Is the bicycle still there?")
    task_id = Int(example=1)
    offering_id = Int(example=1)
    listing_id = Int(example=3)


class MessageInputSchema(Input):
    """A message; the same client_message_id again answers the first one."""

    content = Str(longest=LONGEST, example="Can I come by at six?")
    client_message_id = Str(shortest=1, longest=100, example="c0ffee-1")
    attachment_url = link()
    attachment_type = Choice(*ATTACHMENT_TYPES)


class ContactSchema(Input):
    """The first words to a provider."""

    message = Str(required=True, shortest=1, longest=LONGEST, example="Do you repair cargo bikes too?")


class ParticipantSchema(Schema):
    """The other side."""

    id = Int(required=True, example=2)
    username = Str(required=True, example="juris_b")
    first_name = Str(required=True, example="Juris")
    last_name = Str(required=True, example="Bērziņš")
    avatar_url = Str(required=True, example="https://example.com/juris.jpg")
    is_verified = fields.Boolean(required=True, metadata={"example": True})


class ChatMessageSchema(Schema):
    """A message."""

    id = Int(required=True, example=1)
    conversation_id = Int(required=True, example=1)
    seq = Int(required=True, example=1)
    sender_id = Int(required=True, example=1)
    sender = fields.Nested(ParticipantSchema, required=True)
    content = Str(required=True, longest=LONGEST, example="Can I come by at six?")
    is_read = fields.Boolean(required=True, metadata={"example": False})
    delivered_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    read_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    attachment_url = Str(required=True, allow_none=True, example=None)
    attachment_type = Str(required=True, allow_none=True, example=None)
    client_message_id = Str(required=True, allow_none=True, example="c0ffee-1")
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})


class ConversationSchema(Schema):
    """A conversation as one of its two sees it."""

    id = Int(required=True, example=1)
    participant_1_id = Int(required=True, example=1)
    participant_2_id = Int(required=True, example=2)
    task_id = Int(required=True, allow_none=True, example=None)
    offering_id = Int(required=True, allow_none=True, example=1)
    listing_id = Int(required=True, allow_none=True, example=None)
    other_participant = fields.Nested(ParticipantSchema, required=True)
    unread_count = Int(required=True, example=0)
    last_message = fields.Nested(ChatMessageSchema, required=True, allow_none=True)
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    updated_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})


class ConversationAnswerSchema(Schema):
    """One conversation in its envelope."""

    conversation = fields.Nested(ConversationSchema, required=True)


class ConversationOpenedSchema(ConversationAnswerSchema):
    """`existing` says whether it was there already."""

    id = Int(required=True, example=1)
    message = fields.String(required=True, metadata={"example": "The conversation is open."})
    existing = fields.Boolean(required=True, metadata={"example": False})


class MessageStoredSchema(Schema):
    """The stored message."""

    id = Int(required=True, example=1)
    message = fields.Nested(ChatMessageSchema, required=True)


class ContactedSchema(Schema):
    """Where the conversation goes on."""

    message = fields.String(required=True, metadata={"example": "Your message is sent."})
    id = Int(required=True, example=1)
    conversation_id = Int(required=True, example=1)


class ReadAllSchema(Schema):
    """How many were new."""

    success = fields.Boolean(required=True, metadata={"example": True})
    messages_marked_read = Int(required=True, example=3)


class UnreadSchema(Schema):
    """Messages of others one has not read."""

    unread_count = Int(required=True, example=3)
