"""An offer to do a task keeps the currency its price was named in.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("currency", sa.String(length=3), nullable=False, server_default="EUR"))
    op.execute("UPDATE applications SET currency = (SELECT currency FROM tasks WHERE tasks.id = applications.task_id)")


def downgrade() -> None:
    op.drop_column("applications", "currency")
