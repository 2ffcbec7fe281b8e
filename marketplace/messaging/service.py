"""Open a conversation, send, mark as read."""

from functools import partial
from typing import Any, Protocol

from sqlalchemy import bindparam, func, insert, select, update

from marketplace.auth import queries as auth_queries
from marketplace.auth.models import User
from marketplace.core.database.db import UTCDateTime, after_commit, db, execute, fetch, first_as, save
from marketplace.core.manifest import conversation_subjects
from marketplace.core.queues.outbox import publish
from marketplace.core.realtime import connections
from marketplace.events.messaging import MessageSent
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, NotAllowed, NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.messaging import queries, send_policy, subjects
from marketplace.messaging.models import Conversation, Membership, Message
from marketplace.messaging.queries import find, find_message
from marketplace.uploads import addresses
from marketplace.uploads import queries as uploads_queries
from marketplace.uploads import service as uploads_service

# Asked with every message, so they are built once.
NUMBERED = (
    update(Conversation)
    .where(
        Conversation.id == bindparam("conversation"),
        Conversation.id.in_(
            select(Membership.conversation_id).where(
                Membership.user_id == bindparam("me"), Membership.left_at.is_(None)
            )
        ),
    )
    .values(
        last_seq=Conversation.last_seq + 1,
        last_rev=Conversation.last_rev + 1,
        updated_at=bindparam("moment", type_=UTCDateTime()),
    )
    .returning(
        Conversation.id,
        Conversation.participant_1_id,
        Conversation.participant_2_id,
        Conversation.last_seq,
        Conversation.last_rev,
    )
)
EARLIER = select(Message.id, Message.conversation_id).where(
    Message.sender_id == bindparam("me"), Message.client_message_id == bindparam("client_message_id")
)
PRESENT = select(Membership.id, Membership.user_id, Membership.archived_at, Membership.muted_at).where(
    Membership.conversation_id == bindparam("conversation"), Membership.left_at.is_(None)
)
KEPT = (
    *("conversation_id", "seq", "rev", "sender_id", "content", "digest", "client_message_id", "reply_to_id"),
    *("attachment_url", "attachment_type", "created_at"),
)
STORED = insert(Message).returning(Message.id)


def open_with(
    user: User, *, user_id: int, message: str | None = None, **subject: str | int
) -> tuple[Conversation, bool]:
    """The conversation with a person about a subject, and whether it existed before; raises NotFound, Invalid (422)."""
    if user_id == user.id:
        raise Invalid.field("user_id", "You cannot write to yourself.")
    auth_queries.find(user, user_id)
    about = subjects.named(subject)
    conversation, existing = _find_or_make(user, user_id, subjects.find(user, about) if about else None)
    if message:
        send(user, conversation.id, content=message)
    return conversation, existing


def contact_owner(user: User, kind: str, thing_id: int, *, message: str) -> Conversation:
    """Write to the owner of a thing; raises NotFound, NotAllowed (403) for one's own, WrongState
    (409)."""
    contact = conversation_subjects()[kind].contact
    if contact is None:
        raise NotFound.of(kind)
    contact.demand(user, thing_id)
    thing = subjects.find(user, subjects.Reference(kind, thing_id))
    conversation, existing = _find_or_make(user, thing.owner_id, thing)
    send(user, conversation.id, content=message)
    if not existing:
        contact.count(thing_id)
    return conversation


def send(
    user: User,
    conversation_id: int,
    *,
    content: str = "",
    client_message_id: str | None = None,
    reply_to_id: int | None = None,
    **attachment: Any,
) -> tuple[JsonObject, bool]:
    """The message, stored under the conversation's next number, and whether it was stored before; raises NotFound,
    Invalid (422), NotAllowed (403) where one is blocked, TooMany (429).

    The UPDATE … RETURNING locks the conversation, so numbers have neither gap nor repeat.
    """
    if not content and not attachment.get("attachment_url"):
        raise Invalid.field("content", "Write something, or attach something.")
    conversation = _next_number(user, conversation_id)
    if client_message_id and (earlier := fetch(EARLIER, {"me": user.id, "client_message_id": client_message_id})):
        _give_number_back(conversation_id)
        return queries.message(_same_conversation(earlier[0], conversation_id)), True
    send_policy.check(user, conversation)
    message = Message(
        conversation_id=conversation_id,
        seq=conversation.last_seq,
        rev=conversation.last_rev,
        sender_id=user.id,
        content=send_policy.screen_content(user, conversation, content) if content else "",
        digest=send_policy.digest(user, conversation, content),
        client_message_id=client_message_id,
        reply_to_id=_answered(user, conversation_id, reply_to_id),
        created_at=now(),
        **_attached(user, attachment),
    )
    message.id = fetch(STORED, {name: getattr(message, name) for name in KEPT})[0].id
    if message.attachment_url:
        uploads_service.use("message", message.id, [message.attachment_url])
    publish(MessageSent(message_id=message.id, conversation_id=conversation_id, seq=message.seq, sender_id=user.id))
    view = queries.new_view(message, user)
    _tell_all(user.id, view)
    return view, False


def read_all(user: User, conversation_id: int) -> int:
    """Mark every message of a conversation as read; returns how many were new. Raises NotFound."""
    return read_to(user, conversation_id, find(user, conversation_id).last_seq)


def read_one(user: User, message_id: int) -> None:
    """Mark a message of somebody else, and those before it, as read; raises NotFound, NotAllowed (403)."""
    message = find_message(user, message_id)
    if message.sender_id == user.id:
        raise NotAllowed("Only the person it was sent to can mark a message as read.")
    read_to(user, message.conversation_id, message.seq)


def read_to(user: User, conversation_id: int, seq: int) -> int:
    """Mark messages up to number `seq` as read; returns how many of others were new. Raises NotFound."""
    return _move_on(user, conversation_id, seq, is_read=True)


def deliver_to(user: User, conversation_id: int, seq: int) -> int:
    """Mark messages up to number `seq` as delivered to a device; returns how many were new. Raises NotFound."""
    return _move_on(user, conversation_id, seq, is_read=False)


def tell(event: str, message: dict[str, Any]) -> None:
    """Send the message to its connected readers as socket event `event`, after the commit."""
    conversation_id = message["conversation_id"]
    told = (
        queries.member_ids(conversation_id, message["seq"]),
        event,
        {"conversation_id": conversation_id, "message": message},
    )
    after_commit(partial(connections.tell, *told))


def next_rev(conversation_id: int) -> int:
    """The next revision number, for a change to a message; locks the conversation."""
    counting = update(Conversation).where(Conversation.id == conversation_id)
    counted = counting.values(last_rev=Conversation.last_rev + 1).returning(Conversation.last_rev)
    return int(fetch(counted)[0].last_rev)


def _move_on(user: User, conversation_id: int, seq: int, *, is_read: bool) -> int:
    """Advance one's read or delivered position under the conversation's lock: of two at once the second sees the
    first."""
    locked = fetch(select(Conversation.last_seq).where(Conversation.id == conversation_id).with_for_update())
    mine = queries.membership(user, conversation_id)
    known = mine.read_seq if is_read else mine.delivered_seq
    seq = min(seq, locked[0].last_seq)
    if seq <= known:
        return 0
    delivered_before = mine.delivered_seq
    mine.delivered_seq = max(mine.delivered_seq, seq)
    mine.read_seq = seq if is_read else mine.read_seq
    db.session.flush()
    fresh = (Message.conversation_id == conversation_id, Message.seq > known, Message.seq <= seq)
    theirs = (*fresh, Message.sender_id != user.id)
    new = int(fetch(select(func.count()).select_from(Message).where(*theirs))[0][0])
    _mark(conversation_id, delivered_before, seq, user.id, "delivered")
    if is_read:
        _mark(conversation_id, known, seq, user.id, "read")
    if new:
        event = "message_read" if is_read else "message_delivered"
        fact = {"conversation_id": conversation_id, "user_id": user.id, "seq": seq, "at": now()}
        last = fetch(select(Message.id).where(*theirs).order_by(Message.seq.desc()).limit(1))[0].id
        after_commit(lambda: connections.tell(queries.member_ids(conversation_id), event, {**fact, "message_id": last}))
    return new


def _mark(conversation_id: int, after: int, seq: int, user_id: int, what: str) -> None:
    """Set read_at or delivered_at of messages that all others have reached; those this person had reached before stay
    as they are."""
    reached = getattr(Membership, f"{what}_seq")
    lagging = select(Membership.id).where(
        Membership.conversation_id == conversation_id,
        Membership.left_at.is_(None),
        Membership.user_id != Message.sender_id,
        reached < Message.seq,
    )
    moment = getattr(Message, f"{what}_at")
    fresh = (Message.conversation_id == conversation_id, Message.seq > after, Message.seq <= seq)
    open_ = (*fresh, Message.sender_id != user_id)
    execute(update(Message).where(*open_, moment.is_(None), ~lagging.exists()).values({f"{what}_at": now()}))


def _find_or_make(user: User, other_id: int, thing: subjects.Thing | None) -> tuple[Conversation, bool]:
    first, second = sorted((user.id, other_id))
    key = str(thing.reference) if thing else ""
    same = select(Conversation).where(
        Conversation.participant_1_id == first, Conversation.participant_2_id == second, Conversation.subject == key
    )
    found = db.session.scalar(same)
    if found is not None:
        return found, True
    send_policy.refuse_blocked(user.id, other_id)
    if not (thing and thing.is_request_of(other_id)):
        send_policy.refuse_without_plan(user, other_id)
    kind, thing_id = thing.reference if thing else (None, None)
    about = {"subject": key, "subject_kind": kind, "subject_id": thing_id}
    pair = save(Conversation(participant_1_id=first, participant_2_id=second, **about))
    for person_id in (first, second):
        db.session.add(Membership(conversation_id=pair.id, user_id=person_id))
    db.session.flush()
    return pair, False


class Numbered(Protocol):
    """The columns of a conversation after it gave a message its numbers."""

    id: int
    participant_1_id: int | None
    participant_2_id: int | None
    last_seq: int
    last_rev: int


def _next_number(user: User, conversation_id: int) -> Numbered:
    """The conversation with the message's `last_seq` and `last_rev`, locked; raises NotFound."""
    numbered = first_as(Numbered, NUMBERED, {"me": user.id, "conversation": conversation_id, "moment": now()})
    if numbered is None:
        raise NotFound.of("conversation")
    return numbered


def _give_number_back(conversation_id: int) -> None:
    """Undo `_next_number` under its lock, before anybody could take the next one."""
    taken = update(Conversation).where(Conversation.id == conversation_id)
    execute(taken.values(last_seq=Conversation.last_seq - 1, last_rev=Conversation.last_rev - 1))


def _same_conversation(message: Any, conversation_id: int) -> int:
    if message.conversation_id != conversation_id:
        raise Conflict("This client_message_id was used in another conversation. Make a new one.")
    return int(message.id)


def _answered(user: User, conversation_id: int, message_id: int | None) -> int | None:
    if message_id is None:
        return None
    since_seq = queries.membership(user, conversation_id).since_seq
    same = select(Message.id).where(Message.id == message_id, Message.conversation_id == conversation_id)
    if not fetch(same.where(Message.seq > since_seq)):
        raise Invalid.field("reply_to_id", "There is no such message in this conversation.")
    return message_id


def _attached(user: User, attachment: dict[str, Any]) -> JsonObject:
    """One's own private file, which the members of the conversation can open. Raises Invalid (422) for what is no
    upload: a link would be a way around the content rules."""
    link = attachment.get("attachment_url")
    if not link:
        return attachment
    mine = uploads_queries.own_documents(user, [link])
    if not mine and not addresses.is_ours(link):
        raise Invalid.field("attachment_url", "Attach an upload (POST /api/uploads/chat-image or /document).")
    return {**attachment, "attachment_url": addresses.kept_address(mine[0])} if mine else attachment


def _tell_all(sender_id: int, message: dict[str, Any]) -> None:
    """Announce the message to all members; a conversation that was archived and not muted comes back."""
    conversation_id = message["conversation_id"]
    present = fetch(PRESENT, {"conversation": conversation_id})
    back = [row.id for row in present if row.archived_at and not row.muted_at and row.user_id != sender_id]
    if back:
        execute(update(Membership).where(Membership.id.in_(back)).values(archived_at=None))
    data = {"conversation_id": conversation_id, "message": message}
    after_commit(partial(connections.tell, [row.user_id for row in present], "new_message", data))
