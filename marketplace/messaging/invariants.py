"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from collections.abc import Iterator

from sqlalchemy import exists, select

from marketplace.core.database.db import fetch
from marketplace.core.manifest import Invariant, conversation_subjects
from marketplace.core.queues.work_queue import table_of
from marketplace.messaging.models import Conversation

INVARIANTS = (
    Invariant(
        "conversations: a gap or a repeat in the numbering",
        """SELECT c.id FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id
        GROUP BY c.id, c.last_seq HAVING COUNT(m.id) <> c.last_seq OR COALESCE(MAX(m.seq), 0) <> c.last_seq""",
    ),
    Invariant(
        "messages: sent by somebody who is not in the conversation",
        """SELECT m.id FROM messages m WHERE NOT EXISTS (SELECT 1 FROM memberships s
        WHERE s.conversation_id = m.conversation_id AND s.user_id = m.sender_id)""",
    ),
    Invariant(
        "conversations: a change that is counted and not there, or the other way round",
        """SELECT c.id FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id
        GROUP BY c.id, c.last_rev HAVING COALESCE(MAX(m.rev), 0) <> c.last_rev""",
    ),
    Invariant(
        "memberships: read further than anything was said",
        """SELECT s.id FROM memberships s JOIN conversations c ON c.id = s.conversation_id
        WHERE s.delivered_seq > c.last_seq OR s.read_seq > c.last_seq""",
    ),
    Invariant(
        "conversations: kept apart from others by another subject than the one they are about",
        """SELECT id FROM conversations WHERE CASE WHEN subject_kind IS NULL THEN subject <> ''
        ELSE ',' || subject || ',' NOT LIKE '%,' || subject_kind || ':' || subject_id || ',%' END""",
    ),
)


def lost_subjects() -> Iterator[str]:
    """Conversations about what no slice knows, or what is not there; what was deleted is kept, and seen by nobody."""
    kinds = conversation_subjects()
    about = fetch(select(Conversation.subject_kind).where(Conversation.subject_kind.is_not(None)).distinct())
    for kind in sorted(str(row.subject_kind) for row in about):
        strays = select(Conversation.id).where(Conversation.subject_kind == kind).order_by(Conversation.id)
        if kind in kinds:
            strays = strays.where(~exists().where(table_of(kinds[kind].model).c.id == Conversation.subject_id))
        ids = [row.id for row in fetch(strays)]
        if ids:
            yield f"conversations: about a {kind} that does not exist ({len(ids)}: {', '.join(map(str, ids[:5]))})"
