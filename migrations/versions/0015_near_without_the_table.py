"""What is near is found in the index alone: at two million rows the heap was nine tenths of the time.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_listings_browse": ["category", "status", "latitude", "longitude"],
    "ix_listings_place": ["status", "latitude", "longitude"],
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.drop_index(name, table_name="listings")
        op.create_index(name, "listings", columns, postgresql_include=["expires_at", "id"])


def downgrade() -> None:
    for name, columns in INDEXES.items():
        op.drop_index(name, table_name="listings")
        op.create_index(name, "listings", columns)
