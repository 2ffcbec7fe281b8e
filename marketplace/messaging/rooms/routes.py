"""/api/messages/rooms, how one keeps a conversation, and /api/blocks."""

from typing import Any

from marketplace.core.http.access import SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, Created
from marketplace.core.http.schemas import MessageSchema
from marketplace.kit.json_types import JsonObject
from marketplace.messaging import queries
from marketplace.messaging.rooms import service
from marketplace.messaging.schemas import (
    BlocksSchema,
    ConversationAnswerSchema,
    ConversationOpenedSchema,
    MemberInputSchema,
    MembersSchema,
    RoomChangesSchema,
    RoomInputSchema,
)

bp = Blueprint("rooms", __name__, url_prefix="/api/messages", access=SIGNED_IN, area="messages", description="Rooms")
blocks_bp = Blueprint(
    "blocks", __name__, url_prefix="/api/blocks", access=SIGNED_IN, area="messages", description="Whom one blocks"
)
KEEPING = {"archive": {"archived_at": True}, "unarchive": {"archived_at": False}}
KEEPING |= {"mute": {"muted_at": True}, "unmute": {"muted_at": False}}


@bp.post("/rooms")
@bp.arguments(RoomInputSchema)
@bp.response(201, ConversationOpenedSchema)
def create_room(data: dict[str, Any]) -> Answer:
    """Open a room with people one talks with."""
    room = service.create(current_user(), **data)
    body = queries.detail(current_user(), room.id)
    return Created("conversation", body, "/api/messages/conversations", "The room is open.", existing=False)


@bp.put("/conversations/<int:conversation_id>")
@bp.arguments(RoomChangesSchema)
@bp.response(200, ConversationAnswerSchema)
def rename_room(data: dict[str, Any], conversation_id: int) -> Answer:
    """Give a room of one's own another title."""
    service.rename(current_user(), conversation_id, **data)
    return {"conversation": queries.detail(current_user(), conversation_id)}


@bp.get("/conversations/<int:conversation_id>/members")
@bp.response(200, MembersSchema)
def list_members(conversation_id: int) -> Answer:
    """List who is in a conversation and how far they have read."""
    people = queries.members(current_user(), conversation_id)
    return {"members": people, "total": len(people)}


@bp.post("/conversations/<int:conversation_id>/members")
@bp.arguments(MemberInputSchema)
@bp.response(200, MessageSchema)
def add_member(data: dict[str, Any], conversation_id: int) -> Answer:
    """Bring somebody into a room of one's own."""
    service.add(current_user(), conversation_id, **data)
    return {"message": "They are in the room and see what is said from now on."}


@bp.delete("/conversations/<int:conversation_id>/members/<int:user_id>")
@bp.response(200, MessageSchema)
def remove_member(conversation_id: int, user_id: int) -> Answer:
    """Leave a room, or send somebody out of a room of one's own."""
    service.remove(current_user(), conversation_id, user_id)
    return {"message": "Done."}


@bp.post("/conversations/<int:conversation_id>/archive")
@bp.response(200, MessageSchema)
def archive_conversation(conversation_id: int) -> Answer:
    """Put a conversation away until something new is said; the others lose nothing."""
    return _keep(conversation_id, "archive")


@bp.post("/conversations/<int:conversation_id>/unarchive")
@bp.response(200, MessageSchema)
def unarchive_conversation(conversation_id: int) -> Answer:
    """Take it out again."""
    return _keep(conversation_id, "unarchive")


@bp.post("/conversations/<int:conversation_id>/mute")
@bp.response(200, MessageSchema)
def mute_conversation(conversation_id: int) -> Answer:
    """Get no news of it."""
    return _keep(conversation_id, "mute")


@bp.post("/conversations/<int:conversation_id>/unmute")
@bp.response(200, MessageSchema)
def unmute_conversation(conversation_id: int) -> Answer:
    """Get news of it again."""
    return _keep(conversation_id, "unmute")


@blocks_bp.get("")
@blocks_bp.response(200, BlocksSchema)
def list_blocks() -> Answer:
    """List whom I have blocked."""
    found = service.blocked_by(current_user())
    return {"blocks": found, "total": len(found)}


@blocks_bp.post("")
@blocks_bp.arguments(MemberInputSchema)
@blocks_bp.response(200, MessageSchema)
def block_user(data: dict[str, Any]) -> Answer:
    """Hear no more of somebody."""
    service.block(current_user(), **data)
    return {"message": "You hear no more of this person."}


@blocks_bp.delete("/<int:user_id>")
@blocks_bp.response(200, MessageSchema)
def unblock_user(user_id: int) -> Answer:
    """Hear of them again."""
    service.unblock(current_user(), user_id)
    return {"message": "You can write to each other again."}


def _keep(conversation_id: int, how: str) -> JsonObject:
    service.keep(current_user(), conversation_id, **KEEPING[how])
    return {"message": "Done."}
