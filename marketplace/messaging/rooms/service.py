"""Rooms with members and an owner, and a person's own settings of a conversation: archived, muted, blocked."""

from sqlalchemy import Select, select

from marketplace.auth import queries as auth_queries
from marketplace.auth.models import User
from marketplace.core.database.db import after_commit, db, fetch, one, save
from marketplace.core.realtime import connections
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, NotAllowed
from marketplace.kit.json_types import JsonObject
from marketplace.messaging import policy, queries, send_policy
from marketplace.messaging.models import MEMBER, OWNER, Block, Conversation, Membership
from marketplace.messaging.queries import find, membership

MOST_MEMBERS = 100


class NotAcquainted(NotAllowed):
    """403: one can only add people one has a conversation with."""

    code = "not_acquainted"
    sentence = "You can only bring people into a room with whom you have a conversation."


def create(user: User, *, title: str, member_ids: list[int]) -> Conversation:
    """A room owned by its maker; raises NotFound, NotAcquainted (403), Invalid (422)."""
    others = [member_id for member_id in dict.fromkeys(member_ids) if member_id != user.id]
    if not 1 <= len(others) < MOST_MEMBERS:
        raise Invalid.field("member_ids", f"A room has 2 to {MOST_MEMBERS} members, you among them.")
    room = save(Conversation(title=send_policy.titled(user, title)))
    db.session.add(Membership(conversation_id=room.id, user_id=user.id, role=OWNER))
    for member_id in others:
        _bring(user, room, member_id)
    db.session.flush()
    _tell(room)
    return room


def rename(user: User, room_id: int, *, title: str) -> Conversation:
    """Change the title; raises NotFound, NotAllowed (403)."""
    room = _owned(user, room_id)
    room.title = send_policy.titled(user, title)
    _tell(room)
    return room


def add(user: User, room_id: int, *, user_id: int) -> Conversation:
    """Add a member, who sees messages from now on; raises NotFound, NotAllowed (403), Conflict (409)."""
    room = _owned(user, room_id)
    if len(queries.member_ids(room.id)) >= MOST_MEMBERS:
        raise Conflict(f"A room has at most {MOST_MEMBERS} members.")
    _bring(user, room, user_id)
    db.session.flush()
    _tell(room)
    return room


def remove(user: User, room_id: int, user_id: int) -> None:
    """Leave, or remove a member as owner; when the owner leaves, the oldest member is the owner. Raises NotFound,
    NotAllowed (403)."""
    room = find(user, room_id) if user_id == user.id else _owned(user, room_id)
    if not room.is_room:
        raise Conflict("A conversation of two is archived, not left.")
    _leave(room, user_id)


def take_down_of(user_id: int) -> None:
    """Take a person out of every room, for an account that was closed."""
    theirs = policy.memberships_of(user_id)
    in_rooms = select(Conversation).where(Conversation.participant_1_id.is_(None), Conversation.id.in_(theirs))
    for room in db.session.scalars(in_rooms.order_by(Conversation.id)).all():
        _leave(room, user_id)


def keep(user: User, conversation_id: int, **how: bool) -> None:
    """Set `archived_at` and `muted_at` for oneself; raises NotFound."""
    mine = membership(user, conversation_id)
    for name, wanted in how.items():
        if (getattr(mine, name) is not None) != wanted:
            setattr(mine, name, now() if wanted else None)
    after_commit(lambda: connections.tell([user.id], "conversation_updated", {"conversation_id": conversation_id}))


def block(user: User, user_id: int) -> None:
    """Block somebody; raises NotFound, Invalid (422) for oneself."""
    if user_id == user.id:
        raise Invalid.field("user_id", "You cannot block yourself.")
    auth_queries.find(user, user_id)
    same = select(Block.id).where(Block.blocker_id == user.id, Block.blocked_id == user_id)
    if not fetch(same):
        save(Block(blocker_id=user.id, blocked_id=user_id))


def unblock(user: User, user_id: int) -> None:
    """End a block; raises NotFound."""
    db.session.delete(one(select(Block).where(Block.blocker_id == user.id, Block.blocked_id == user_id), "block"))


def blocked_by(user: User) -> list[JsonObject]:
    """Whom one blocks, latest first."""
    mine = select(Block.blocked_id, Block.created_at, User.username).join(User, User.id == Block.blocked_id)
    rows = fetch(mine.where(Block.blocker_id == user.id).order_by(Block.id.desc()))
    return [{"user_id": row.blocked_id, "username": row.username, "created_at": row.created_at} for row in rows]


def _leave(room: Conversation, user_id: int) -> None:
    _lock(room)
    theirs = one(_present(room.id).where(Membership.user_id == user_id), "member")
    theirs.left_at = now()
    if theirs.role == OWNER:
        theirs.role = MEMBER
        db.session.flush()
        heir = db.session.scalar(_present(room.id).order_by(Membership.id).limit(1))
        if heir is not None:
            heir.role = OWNER
    db.session.flush()
    _tell(room, user_id)


def _bring(user: User, room: Conversation, user_id: int) -> None:
    auth_queries.find(user, user_id)
    send_policy.refuse_blocked(user.id, user_id)
    first, second = sorted((user.id, user_id))
    talk = select(Conversation.id).where(
        Conversation.participant_1_id == first, Conversation.participant_2_id == second, Conversation.last_seq > 0
    )
    if not fetch(talk.limit(1)):
        raise NotAcquainted()
    known = select(Membership).where(Membership.conversation_id == room.id, Membership.user_id == user_id)
    earlier = db.session.scalar(known)
    if earlier is None:
        start = {"since_seq": room.last_seq, "read_seq": room.last_seq, "delivered_seq": room.last_seq}
        db.session.add(Membership(conversation_id=room.id, user_id=user_id, **start))
    elif earlier.left_at is not None:
        earlier.left_at = earlier.archived_at = None
        earlier.since_seq = earlier.read_seq = earlier.delivered_seq = room.last_seq


def _owned(user: User, room_id: int) -> Conversation:
    room = find(user, room_id)
    if membership(user, room_id).role != OWNER:
        raise NotAllowed("Only the owner of the room can do this.")
    _lock(room)
    return room


def _lock(room: Conversation) -> None:
    fetch(select(Conversation.id).where(Conversation.id == room.id).with_for_update())
    db.session.refresh(room)


def _present(room_id: int) -> Select[Membership]:
    return select(Membership).where(Membership.conversation_id == room_id, Membership.left_at.is_(None))


def _tell(room: Conversation, *also: int) -> None:
    room_id = room.id
    room.touch()
    db.session.flush()
    after_commit(
        lambda: connections.tell(
            [*queries.member_ids(room_id), *also], "conversation_updated", {"conversation_id": room_id}
        )
    )
