"""Conversations with members, messages that change, and words that only the application reads.

Revision ID: 0016
Revises: 0015
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from marketplace.core.database.encryption import Encrypted

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MESSAGES = sa.table("messages", sa.column("id", BIG), sa.column("content", Encrypted))
PLAIN = sa.table("messages", sa.column("id", BIG), sa.column("content", sa.Text))
BATCH = 500
JOIN = """
INSERT INTO memberships (conversation_id, user_id, role, since_seq, delivered_seq, read_seq, joined_at)
SELECT c.id, u.id, 'member', 0, COALESCE(read.seq, 0), COALESCE(read.seq, 0), c.created_at
FROM conversations c JOIN users u ON u.id IN (c.participant_1_id, c.participant_2_id)
LEFT JOIN (
  SELECT m.conversation_id, m.sender_id, MAX(m.seq) AS seq FROM messages m WHERE m.read_at IS NOT NULL
  GROUP BY m.conversation_id, m.sender_id
) read ON read.conversation_id = c.id AND read.sender_id <> u.id
"""


def upgrade() -> None:
    _tables()
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("conversations", **_again()) as batch:
        batch.add_column(sa.Column("title", sa.String(length=100), nullable=False, server_default=""))
        batch.add_column(sa.Column("last_rev", BIG, nullable=False, server_default="0"))
        batch.alter_column("participant_1_id", existing_type=BIG, nullable=True)
        batch.alter_column("participant_2_id", existing_type=BIG, nullable=True)
    op.add_column("messages", sa.Column("rev", BIG, nullable=False, server_default="0"))
    op.add_column("messages", sa.Column("digest", sa.String(length=32)))
    op.add_column("messages", sa.Column("edited_at", sa.DateTime(timezone=True)))
    op.add_column("messages", sa.Column("deleted_at", sa.DateTime(timezone=True)))
    reply = "CONSTRAINT fk_messages_reply_to_id REFERENCES messages (id)"
    kind = "INTEGER" if on_sqlite else "BIGINT"
    op.execute(f"ALTER TABLE messages ADD COLUMN reply_to_id {kind} {reply}")
    op.drop_index("ix_messages_unread", table_name="messages")
    op.execute("UPDATE messages SET rev = seq")
    op.execute("UPDATE conversations SET last_rev = last_seq")
    op.execute(JOIN)
    op.create_index("ix_messages_rev", "messages", ["conversation_id", "rev"])
    op.create_index("ix_messages_same", "messages", ["sender_id", "digest", "created_at"])
    op.create_index("ix_messages_sent", "messages", ["sender_id", "created_at"])
    _rewrite(PLAIN, MESSAGES)


def downgrade() -> None:
    _rewrite(MESSAGES, PLAIN)
    for name in ("sent", "same", "rev"):
        op.drop_index(f"ix_messages_{name}", table_name="messages")
    op.create_index("ix_messages_unread", "messages", ["conversation_id", "sender_id", "read_at"])
    for table in ("blocks", "reactions", "message_versions", "memberships"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("fk_messages_reply_to_id", "messages", type_="foreignkey")
    with op.batch_alter_table("messages", table_kwargs={"sqlite_autoincrement": True}) as batch:
        for column in ("reply_to_id", "deleted_at", "edited_at", "digest", "rev"):
            batch.drop_column(column)
    op.execute("DELETE FROM messages WHERE conversation_id IN (SELECT id FROM conversations WHERE title <> '')")
    op.execute("DELETE FROM conversations WHERE participant_1_id IS NULL")  # rooms did not exist
    with op.batch_alter_table("conversations", **_again()) as batch:
        batch.alter_column("participant_2_id", existing_type=BIG, nullable=False)
        batch.alter_column("participant_1_id", existing_type=BIG, nullable=False)
        batch.drop_column("last_rev")
        batch.drop_column("title")


def _again() -> dict[str, Any]:
    """What SQLite forgets in a copy."""
    pair = sa.CheckConstraint("participant_1_id < participant_2_id", name=op.f("ck_conversations_pair"))
    return {"table_args": [pair], "table_kwargs": {"sqlite_autoincrement": True}}


def _rewrite(source: sa.TableClause, target: sa.TableClause) -> None:
    connection, last = op.get_bind(), 0
    some = sa.select(source.c.id, source.c.content).order_by(source.c.id).limit(BATCH)
    while rows := connection.execute(some.where(source.c.id > last)).all():
        for row in rows:
            connection.execute(sa.update(target).where(target.c.id == row.id).values(content=row.content))
        last = rows[-1].id


def _tables() -> None:
    op.create_table(
        "memberships",
        sa.Column("id", BIG, nullable=False),
        sa.Column("conversation_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("since_seq", BIG, nullable=False),
        sa.Column("delivered_seq", BIG, nullable=False),
        sa.Column("read_seq", BIG, nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("muted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("read_seq <= delivered_seq", name=op.f("ck_memberships_read")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_memberships_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("conversation_id", "user_id", name=op.f("uq_memberships_conversation_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id", "left_at"])
    op.create_table(
        "message_versions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("sender_id", BIG, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_versions_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["sender_id"], ["users.id"], name=op.f("fk_message_versions_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_versions")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_versions_message_id", "message_versions", ["message_id"])
    op.create_table(
        "reactions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("emoji", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_reactions_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reactions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reactions")),
        sa.UniqueConstraint("message_id", "user_id", "emoji", name=op.f("uq_reactions_message_id_user_id_emoji")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reactions_user_id", "reactions", ["user_id"])
    op.create_table(
        "blocks",
        sa.Column("id", BIG, nullable=False),
        sa.Column("blocker_id", BIG, nullable=False),
        sa.Column("blocked_id", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["blocked_id"], ["users.id"], name=op.f("fk_blocks_blocked_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["blocker_id"], ["users.id"], name=op.f("fk_blocks_blocker_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
        sa.UniqueConstraint("blocker_id", "blocked_id", name=op.f("uq_blocks_blocker_id_blocked_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_blocks_blocked_id", "blocks", ["blocked_id"])
