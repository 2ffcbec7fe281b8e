"""/api/messages, and writing to a provider."""

from typing import Any

from flask import Response

from marketplace.core.http.access import SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, as_response
from marketplace.core.http.schemas import MessageSchema, ProblemSchema, page_of
from marketplace.kit.json_types import JsonObject
from marketplace.messaging import edits, queries, service, sync
from marketplace.messaging.schemas import (
    ChatMessageSchema,
    ChatStatsSchema,
    ContactedSchema,
    ContactSchema,
    ConversationAnswerSchema,
    ConversationInputSchema,
    ConversationOpenedSchema,
    ConversationSchema,
    ConversationsQuery,
    FoundMessagesSchema,
    MessageEditSchema,
    MessageInputSchema,
    MessageSearchQuery,
    MessagesQuery,
    MessageStoredSchema,
    ReadAllSchema,
    UnreadSchema,
)

bp = Blueprint(
    "messages", __name__, url_prefix="/api/messages", access=SIGNED_IN, area="messages", description="Conversations"
)
contact_bp = Blueprint(
    "contact", __name__, url_prefix="/api/offerings", access=SIGNED_IN, area="messages", description="First words"
)


@bp.get("/conversations")
@bp.arguments(ConversationsQuery, location="query")
@bp.response(200, page_of(ConversationSchema, "conversations"))
def list_conversations(query: dict[str, Any]) -> Answer:
    """List my conversations, the liveliest first."""
    return queries.of(current_user(), **query)


@bp.post("/conversations")
@bp.arguments(ConversationInputSchema)
@bp.response(201, ConversationOpenedSchema)
@bp.alt_response(200, schema=ConversationOpenedSchema, description="It was there already")
def open_conversation(data: dict[str, Any]) -> Answer:
    """Open the conversation with a person, perhaps about a thing."""
    conversation, existing = service.open_with(current_user(), **data)
    body = queries.detail(current_user(), conversation.id)
    answer = {"id": conversation.id, "message": "The conversation is open.", "conversation": body}
    return _found_or_created(
        {**answer, "existing": existing}, existing, f"/api/messages/conversations/{conversation.id}"
    )


@bp.get("/conversations/<int:conversation_id>")
@bp.response(200, ConversationAnswerSchema)
def show_conversation(conversation_id: int) -> Answer:
    """Show one of my conversations."""
    return {"conversation": queries.detail(current_user(), conversation_id)}


@bp.get("/conversations/<int:conversation_id>/messages")
@bp.arguments(MessagesQuery, location="query")
@bp.response(200, page_of(ChatMessageSchema, "messages"))
def list_messages(query: dict[str, Any], conversation_id: int) -> Answer:
    """List messages, oldest first; the first page is the latest part."""
    return queries.messages(current_user(), conversation_id, **query)


@bp.post("/conversations/<int:conversation_id>/messages")
@bp.arguments(MessageInputSchema)
@bp.response(201, MessageStoredSchema)
@bp.alt_response(200, schema=MessageStoredSchema, description="It was stored before")
def send_message(data: dict[str, Any], conversation_id: int) -> Answer:
    """Send a message; the same client_message_id again answers the first one."""
    message, before = service.send(current_user(), conversation_id, **data)
    body = {"id": message["id"], "message": message}
    return _found_or_created(body, before, f"/api/messages/conversations/{conversation_id}/messages")


@bp.put("/conversations/<int:conversation_id>/read-all")
@bp.response(200, ReadAllSchema)
def read_conversation(conversation_id: int) -> Answer:
    """Mark everything the other side wrote here as read."""
    return {"success": True, "messages_marked_read": service.read_all(current_user(), conversation_id)}


@bp.put("/messages/<int:message_id>/read")
@bp.response(200, MessageSchema)
def read_message(message_id: int) -> Answer:
    """Mark one message as read."""
    service.read_one(current_user(), message_id)
    return {"message": "Read."}


@bp.put("/messages/<int:message_id>")
@bp.arguments(MessageEditSchema)
@bp.response(200, MessageStoredSchema)
def edit_message(data: dict[str, Any], message_id: int) -> Answer:
    """Change one's own words, within 15 minutes; what they were is kept."""
    return _stored(edits.edit(current_user(), message_id, **data))


@bp.delete("/messages/<int:message_id>")
@bp.response(200, MessageSchema)
def delete_message(message_id: int) -> Answer:
    """Take back one's own words; that there was a message stays."""
    edits.remove(current_user(), message_id)
    return {"message": "The message is deleted."}


@bp.post("/messages/<int:message_id>/reactions/<emoji>")
@bp.response(200, MessageStoredSchema)
@bp.alt_response(422, schema=ProblemSchema, description="No emoji")
def add_reaction(message_id: int, emoji: str) -> Answer:
    """Put an emoji under a message."""
    return _stored(edits.react(current_user(), message_id, emoji))


@bp.delete("/messages/<int:message_id>/reactions/<emoji>")
@bp.response(200, MessageStoredSchema)
def remove_reaction(message_id: int, emoji: str) -> Answer:
    """Take one's emoji away again."""
    return _stored(edits.unreact(current_user(), message_id, emoji))


@bp.get("/search")
@bp.arguments(MessageSearchQuery, location="query")
@bp.response(200, FoundMessagesSchema)
def search_messages(query: dict[str, Any]) -> Answer:
    """Find words in the messages one can read, the newest first."""
    return sync.search(current_user(), **query)


@bp.get("/stats")
@bp.response(200, ChatStatsSchema)
def show_message_stats() -> Answer:
    """Show how my conversations go."""
    return sync.stats(current_user())


@bp.get("/unread-count")
@bp.response(200, UnreadSchema)
def count_unread_messages() -> Answer:
    """Count the messages of others I have not read."""
    return {"unread_count": queries.unread_count(current_user())}


@contact_bp.post("/<int:offering_id>/contact")
@contact_bp.arguments(ContactSchema)
@contact_bp.response(201, ContactedSchema)
def contact_provider(data: dict[str, Any], offering_id: int) -> Answer:
    """Write to whoever offers a service."""
    conversation = service.contact_owner(current_user(), "offering", offering_id, **data)
    body = {"message": "Your message is sent.", "id": conversation.id, "conversation_id": conversation.id}
    return _found_or_created(body, False, f"/api/messages/conversations/{conversation.id}")


def _stored(message: Any) -> JsonObject:
    return {"id": message.id, "message": queries.message(message.id)}


def _found_or_created(body: dict[str, Any], existing: bool, location: str) -> Response:
    response = as_response(body, 200 if existing else 201)
    if not existing:
        response.headers["Location"] = location
    return response
