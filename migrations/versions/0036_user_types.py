"""What somebody came for (users.user_type), and whether their first visit is done (users.onboarding_completed).

Whoever is there already has been here: their first visit is done.

Revision ID: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("user_type", sa.String(length=20), nullable=True))
    op.add_column("users", sa.Column("onboarding_completed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(sa.update(sa.table("users", sa.column("onboarding_completed"))).values(onboarding_completed=sa.true()))


def downgrade() -> None:
    op.drop_column("users", "onboarding_completed")
    op.drop_column("users", "user_type")
