"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from marketplace.core.manifest import Invariant

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
)
