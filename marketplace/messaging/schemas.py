"""Conversations and messages in and out."""

from typing import ClassVar

from marshmallow import Schema, fields

from marketplace.core.http.fields import Choice, ChoiceOf, Int, Str, link
from marketplace.core.http.schemas import Input, PageQuery, Query
from marketplace.core.manifest import conversation_subjects
from marketplace.messaging.models import ATTACHMENT_TYPES

LONGEST = 5000


class ConversationsQuery(PageQuery):
    """One's own, or those one has put away."""

    archived = fields.Boolean(load_default=False, metadata={"example": False})
    subject_kind = ChoiceOf(conversation_subjects, example="listing")
    subject_id = Int(example=3)


class MessagesQuery(PageQuery):
    """Pages from the end, or everything after a number."""

    per_page = Int(least=1, load_default=50, example=50)
    after_seq = Int(example=12)
    before_seq = Int(example=40)


class ConversationInputSchema(Input):
    """With whom, about what, and perhaps the first message. `listing_id: 3` is `subject_kind: "listing"`,
    `subject_id: 3`."""

    input_aliases: ClassVar[dict[str, str]] = {"participant_id": "user_id", "initial_message": "message"}

    user_id = Int(required=True, example=2)
    message = Str(longest=LONGEST, example="Is the bicycle still there?")
    subject_kind = ChoiceOf(conversation_subjects, example="listing")
    subject_id = Int(example=3)
    task_id = Int(example=None)
    offering_id = Int(example=None)
    listing_id = Int(example=3)


class MessageInputSchema(Input):
    """A message; the same client_message_id again answers the first one."""

    content = Str(longest=LONGEST, example="Can I come by at six?")
    client_message_id = Str(shortest=1, longest=100, example="c0ffee-1")
    reply_to_id = Int(example=None, metadata={"description": "A message of the same conversation"})
    attachment_url = link()
    attachment_type = Choice(*ATTACHMENT_TYPES)


class MessageEditSchema(Input):
    """Other words."""

    content = Str(required=True, shortest=1, longest=LONGEST, example="Can I come by at seven?")


class RoomChangesSchema(Input):
    """How the room is called."""

    title = Str(required=True, shortest=1, longest=100, example="Moving day")


class RoomInputSchema(RoomChangesSchema):
    """A room and who is in it."""

    member_ids = fields.List(Int(least=1), required=True, metadata={"example": [2]})


class MemberInputSchema(Input):
    """Who."""

    user_id = Int(required=True, least=1, example=2)


class MessageSearchQuery(Query):
    """Words, perhaps in one conversation; `before_id` goes on where the last answer stopped."""

    q = Str(required=True, shortest=1, longest=200, example="bicycle")
    conversation_id = Int(example=None)
    before_id = Int(example=None)


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


class ReactionSchema(Schema):
    """One emoji and whose it is."""

    emoji = Str(required=True, example="👍")
    user_ids = fields.List(Int(), required=True, metadata={"example": [2]})


class ChatMessageSchema(Schema):
    """A message."""

    documented_as = "Message"
    id = Int(required=True, example=1)
    conversation_id = Int(required=True, example=1)
    seq = Int(required=True, example=1)
    sender_id = Int(required=True, example=1)
    sender = fields.Nested(ParticipantSchema, required=True)
    rev = Int(required=True, example=1)
    content = Str(required=True, longest=LONGEST, example="Can I come by at six?")
    is_read = fields.Boolean(required=True, metadata={"example": False})
    delivered_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    read_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    edited_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    deleted_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    reply_to_id = Int(required=True, allow_none=True, example=None)
    reactions = fields.List(fields.Nested(ReactionSchema), required=True)
    attachment_url = Str(required=True, allow_none=True, example=None)
    attachment_type = Str(required=True, allow_none=True, example=None)
    client_message_id = Str(required=True, allow_none=True, example="c0ffee-1")
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})


class SubjectSchema(Schema):
    """What a conversation is about, where it can be seen."""

    title = Str(required=True, example="City bicycle")
    link = Str(required=True, example="/api/listings/3")


class ConversationSchema(Schema):
    """A conversation as somebody in it sees it; a room has a title and no participants of its own."""

    id = Int(required=True, example=1)
    participant_1_id = Int(required=True, allow_none=True, example=1)
    participant_2_id = Int(required=True, allow_none=True, example=2)
    title = Str(required=True, example="")
    subject_kind = Str(required=True, allow_none=True, example="offering")
    subject_id = Int(required=True, allow_none=True, example=1)
    subject = fields.Nested(
        SubjectSchema,
        required=True,
        allow_none=True,
        metadata={"description": "null where it is gone, or not to be seen any more"},
    )
    task_id = Int(required=True, allow_none=True, example=None)
    offering_id = Int(required=True, allow_none=True, example=1)
    listing_id = Int(required=True, allow_none=True, example=None)
    other_participant = fields.Nested(ParticipantSchema, required=True, allow_none=True)
    last_seq = Int(required=True, example=1)
    last_rev = Int(required=True, example=1)
    is_archived = fields.Boolean(required=True, metadata={"example": False})
    is_muted = fields.Boolean(required=True, metadata={"example": False})
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


class MemberSchema(ParticipantSchema):
    """Somebody in a conversation, and how far they are."""

    role = Choice("owner", "member", required=True)
    joined_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    read_seq = Int(required=True, example=3)
    delivered_seq = Int(required=True, example=3)


class MembersSchema(Schema):
    """Everybody in it."""

    members = fields.List(fields.Nested(MemberSchema), required=True)
    total = Int(required=True, example=2)


class FoundMessagesSchema(Schema):
    """What was found, the newest first."""

    messages = fields.List(fields.Nested(ChatMessageSchema), required=True)
    has_more = fields.Boolean(required=True, metadata={"example": False})
    next_before_id = Int(required=True, allow_none=True, example=None)


class DayCountSchema(Schema):
    """A day and how many."""

    date = Str(required=True, example="2026-01-31")
    count = Int(required=True, example=4)


class ChatStatsSchema(Schema):
    """How one's conversations go."""

    conversations = Int(required=True, example=3)
    archived = Int(required=True, example=0)
    unread = Int(required=True, example=2)
    sent = Int(required=True, example=40)
    received = Int(required=True, example=38)
    sent_by_day = fields.List(fields.Nested(DayCountSchema), required=True)
    answers_within_seconds = Int(required=True, allow_none=True, example=540)


class BlockSchema(Schema):
    """Whom one has blocked."""

    user_id = Int(required=True, example=2)
    username = Str(required=True, example="spammer")
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})


class BlocksSchema(Schema):
    """All of them."""

    blocks = fields.List(fields.Nested(BlockSchema), required=True)
    total = Int(required=True, example=1)
