"""Open a conversation, write, mark as read."""

from typing import Any

from sqlalchemy import select, update

from marketplace.auth import queries as people
from marketplace.auth.models import User
from marketplace.core.db import db, execute, fetch, save
from marketplace.core.outbox import publish
from marketplace.events.messaging import MessageSent
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, NotAllowed
from marketplace.listings import queries as listings
from marketplace.messaging import policy
from marketplace.messaging.models import Conversation, Message
from marketplace.messaging.queries import find
from marketplace.offerings import policy as offering_policy
from marketplace.offerings import queries as offerings
from marketplace.offerings import service as offering_service
from marketplace.tasks import queries as tasks
from marketplace.uploads import service as uploads

FINDERS = {"task_id": tasks.find, "offering_id": offerings.find, "listing_id": listings.find}


def open_with(user: User, *, user_id: int, message: str | None = None, **subject: int) -> tuple[Conversation, bool]:
    """The conversation with a person about a thing, and whether it was there already."""
    if user_id == user.id:
        raise Invalid.field("user_id", "You cannot write to yourself.")
    people.find(user, user_id)
    for name, thing_id in subject.items():
        FINDERS[name](user, thing_id)
    conversation, existing = _find_or_make(user.id, user_id, subject)
    if message:
        send(user, conversation.id, content=message)
    return conversation, existing


def contact_provider(user: User, offering_id: int, *, message: str) -> Conversation:
    """Write to whoever offers a service; raises NotAllowed (403) for one's own."""
    offering = offerings.find(user, offering_id)
    if offering.creator_id == user.id:
        raise NotAllowed("This is your own offering.")
    offering.lifecycle.pick("contact", offering.status, offering_policy.role_of(user, offering))
    conversation, existing = _find_or_make(user.id, offering.creator_id, {"offering_id": offering_id})
    send(user, conversation.id, content=message)
    if not existing:
        offering_service.count_contact(offering_id)
    return conversation


def send(
    user: User,
    conversation_id: int,
    *,
    content: str = "",
    client_message_id: str | None = None,
    **attachment: Any,
) -> tuple[Message, bool]:
    """Store a message under the conversation's next number, and whether it was stored before.

    The UPDATE … RETURNING locks the conversation, so numbers have neither gap nor repeat.
    """
    conversation = find(user, conversation_id)
    if not content and not attachment.get("attachment_url"):
        raise Invalid.field("content", "Write something, or attach something.")
    numbering = update(Conversation).where(Conversation.id == conversation.id)
    numbering = numbering.values(last_seq=Conversation.last_seq + 1, updated_at=now())
    seq = fetch(numbering.returning(Conversation.last_seq))[0].last_seq
    earlier = _sent_before(user, client_message_id)
    if earlier is not None:
        _give_number_back(conversation.id)
        return _same_conversation(earlier, conversation_id), True
    message = save(
        Message(
            conversation_id=conversation.id,
            seq=seq,
            sender_id=user.id,
            content=content,
            client_message_id=client_message_id,
            **attachment,
        )
    )
    if message.attachment_url:
        uploads.use("message", message.id, [message.attachment_url])
    publish(
        MessageSent(
            message_id=message.id,
            conversation_id=conversation.id,
            seq=seq,
            sender_id=user.id,
            recipient_id=policy.other_side(user.id, conversation),
        )
    )
    return message, False


def read_all(user: User, conversation_id: int) -> int:
    """Everything the other side wrote here is read now; returns how many were new."""
    conversation = find(user, conversation_id)
    unread = (Message.conversation_id == conversation.id, Message.sender_id != user.id, Message.read_at.is_(None))
    return execute(update(Message).where(*unread).values(read_at=now()))


def read_one(user: User, message_id: int) -> None:
    """One message of the other side is read now; raises NotFound, NotAllowed."""
    message = db.session.scalar(select(Message).where(Message.id == message_id))
    find(user, message.conversation_id if message else 0)
    if message and message.sender_id == user.id:
        raise NotAllowed("Only the person it was sent to can mark a message as read.")
    if message and message.read_at is None:
        message.read_at = now()


def _find_or_make(user_id: int, other_id: int, subject: dict[str, int]) -> tuple[Conversation, bool]:
    first, second = sorted((user_id, other_id))
    key = ",".join(f"{name.removesuffix('_id')}:{thing_id}" for name, thing_id in sorted(subject.items()))
    same = select(Conversation).where(
        Conversation.participant_1_id == first, Conversation.participant_2_id == second, Conversation.subject == key
    )
    found = db.session.scalar(same)
    if found is not None:
        return found, True
    pair = Conversation(participant_1_id=first, participant_2_id=second, subject=key, **subject)
    return save(pair), False


def _sent_before(user: User, client_message_id: str | None) -> Message | None:
    if client_message_id is None:
        return None
    same = select(Message).where(Message.sender_id == user.id, Message.client_message_id == client_message_id)
    return db.session.scalar(same)


def _give_number_back(conversation_id: int) -> None:
    """Still under the lock taken with the number, so nobody has the next one yet."""
    taken = update(Conversation).where(Conversation.id == conversation_id)
    execute(taken.values(last_seq=Conversation.last_seq - 1))


def _same_conversation(message: Message, conversation_id: int) -> Message:
    if message.conversation_id != conversation_id:
        raise Conflict("This client_message_id was used in another conversation. Make a new one.")
    return message
