"""Announcements.

Revision ID: 0040
Revises: 0039
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", BIG, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("target", sa.String(length=20), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by_id", BIG, nullable=False),
        sa.Column("told_through", BIG, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_announcements_times")),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_announcements_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_announcements_created_at", "announcements", ["created_at", "id"], unique=False)
    op.create_index("ix_announcements_starts_at", "announcements", ["starts_at", "id"], unique=False)


def downgrade() -> None:
    op.execute("DELETE FROM notifications WHERE type = 'announcement'")
    op.drop_table("announcements")
