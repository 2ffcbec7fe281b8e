"""Edit, delete and react to a message after it was sent.

Apart from the rooms: verbs on a message after it was sent; those up to then fill service.py.
"""

from sqlalchemy import delete, select

from marketplace.auth.models import User
from marketplace.core.database.db import db, execute, fetch, save
from marketplace.kit.clock import now
from marketplace.kit.emoji import is_emoji, normal_emoji
from marketplace.kit.errors import Conflict, Invalid, NotAllowed
from marketplace.messaging import policy, queries, send_policy
from marketplace.messaging.models import Conversation, Message, MessageVersion, Reaction
from marketplace.messaging.queries import find, find_message
from marketplace.messaging.service import next_rev, tell
from marketplace.uploads import service as uploads_service

MOST_EMOJI = 20  # different ones under one message


class TooLate(Conflict):
    """409: a message can be edited for 15 minutes only."""

    code = "too_late"
    sentence = "A message can be edited for 15 minutes. Write a new one."


def edit(user: User, message_id: int, *, content: str) -> Message:
    """Replace the text and keep the old version; raises NotFound, NotAllowed (403), TooLate (409)."""
    message = _own(user, message_id)
    if not policy.may_edit(user, message):
        raise TooLate()
    conversation = find(user, message.conversation_id)
    send_policy.check(user, conversation)
    message.digest = send_policy.digest(user, conversation, content)
    db.session.add(MessageVersion(message_id=message.id, sender_id=user.id, content=message.content))
    message.content, message.edited_at = send_policy.screen_content(user, conversation, content), now()
    return _changed(message)


def remove(user: User, message_id: int) -> Message:
    """Blank the text and delete its versions, reactions and attachment; the row keeps its number. Raises NotFound,
    NotAllowed (403)."""
    message = _own(user, message_id)
    if message.deleted_at is not None:
        return message
    message.content, message.digest, message.deleted_at = "", None, now()
    if message.attachment_url:
        uploads_service.use("message", message.id, [])
        message.attachment_url = message.attachment_type = None
    for table in (MessageVersion, Reaction):
        execute(delete(table).where(table.message_id == message.id))
    return _changed(message)


def react(user: User, message_id: int, emoji: str) -> Message:
    """Add one's emoji, each once; raises NotFound, Invalid (422), Conflict (409) at the most a message can have."""
    message, emoji = _locked(find_message(user, message_id)), normal_emoji(emoji)
    if not is_emoji(emoji):
        raise Invalid.field("emoji", "Send one emoji.")
    if message.deleted_at is not None:
        raise Conflict("This message was deleted.")
    send_policy.check(user, find(user, message.conversation_id))
    known = fetch(select(Reaction.emoji, Reaction.user_id).where(Reaction.message_id == message.id))
    if any(row.emoji == emoji and row.user_id == user.id for row in known):
        return message
    if emoji not in {row.emoji for row in known} and len({row.emoji for row in known}) >= MOST_EMOJI:
        raise Conflict("There are enough different emoji under this message. Use one of them.")
    save(Reaction(message_id=message.id, user_id=user.id, emoji=emoji))
    return _changed(message)


def unreact(user: User, message_id: int, emoji: str) -> Message:
    """Remove one's emoji; raises NotFound."""
    message, emoji = find_message(user, message_id), normal_emoji(emoji)
    mine = (Reaction.message_id == message.id, Reaction.user_id == user.id, Reaction.emoji == emoji)
    return _changed(message) if execute(delete(Reaction).where(*mine)) else message


def _own(user: User, message_id: int) -> Message:
    message = find_message(user, message_id)
    if message.sender_id != user.id:
        raise NotAllowed("Only whoever wrote a message can change it.")
    return _locked(message)


def _locked(message: Message) -> Message:
    """The message as it is now, its conversation locked until the commit."""
    fetch(select(Conversation.id).where(Conversation.id == message.conversation_id).with_for_update())
    db.session.refresh(message)
    return message


def _changed(message: Message) -> Message:
    message.rev = next_rev(message.conversation_id)
    db.session.flush()
    tell("message_updated", queries.message(message.id))
    return message
