"""Columns under the field's names: intended_outcome, active_reference, next_poll_at. Indexes keep their names.

Both databases rename in place and carry CHECKs, indexes and triggers along, so no table is copied.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

RENAMED = (
    ("payments", "wish", "intended_outcome"),
    ("payments", "open_for", "active_reference"),
    ("payments", "ask_at", "next_poll_at"),
    ("subscriptions", "wish", "intended_outcome"),
    ("subscriptions", "open_for", "active_reference"),
    ("disputes", "open_for", "active_reference"),
    ("verifications", "open_for", "active_reference"),
    ("ledger_breaks", "open_for", "active_reference"),
)


def upgrade() -> None:
    for table, old, new in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")


def downgrade() -> None:
    for table, old, new in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")
