"""The featured listings, the newest first.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_listings_featured",
        "listings",
        ["status", "created_at", "id"],
        postgresql_where=sa.text("is_featured"),
        sqlite_where=sa.text("is_featured = 1"),
    )


def downgrade() -> None:
    op.drop_index("ix_listings_featured", table_name="listings")
