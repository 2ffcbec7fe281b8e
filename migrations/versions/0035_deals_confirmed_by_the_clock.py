"""Deals of every kind are confirmed by one job, which finds the delivered ones by an index.

The job's row and the keys of review reminders, which name the deal now, are carried over.

Revision ID: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

DELIVERED = sa.text("stage = 'delivered'")
RENAME = "UPDATE jobs SET name = '{new}', key = '{new}' WHERE key = '{old}'"
BY_DEAL = """UPDATE notifications SET key = 'review_reminder:task:' || related_id
WHERE type = 'review_reminder' AND related_type = 'task'"""
BY_TASK = """UPDATE notifications SET key = 'review_reminder:' || related_id
WHERE type = 'review_reminder' AND related_type = 'task'"""


def upgrade() -> None:
    op.create_index(
        "ix_deals_delivered", "deals", ["kind", "delivered_at"], postgresql_where=DELIVERED, sqlite_where=DELIVERED
    )
    op.execute("DELETE FROM jobs WHERE key = 'confirm_deals'")
    op.execute(RENAME.format(old="confirm_tasks", new="confirm_deals"))
    op.execute(BY_DEAL)


def downgrade() -> None:
    op.execute(BY_TASK)
    op.execute("DELETE FROM jobs WHERE key = 'confirm_tasks'")
    op.execute(RENAME.format(old="confirm_deals", new="confirm_tasks"))
    op.drop_index("ix_deals_delivered", "deals")
