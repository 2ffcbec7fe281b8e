"""Replies to reviews.

Revision ID: 0041
Revises: 0040
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

ONCE = {"sqlite_autoincrement": True}


def upgrade() -> None:
    with op.batch_alter_table("reviews", table_kwargs=ONCE) as table:
        table.add_column(sa.Column("reply", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("reviews", table_kwargs=ONCE) as table:
        table.alter_column("reply", server_default=None, existing_type=sa.Text(), existing_nullable=False)


def downgrade() -> None:
    op.execute("DELETE FROM notifications WHERE type = 'review_replied'")
    with op.batch_alter_table("reviews", table_kwargs=ONCE) as table:
        table.drop_column("replied_at")
        table.drop_column("reply")
