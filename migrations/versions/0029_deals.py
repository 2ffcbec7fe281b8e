"""Deals: one row for what two people agreed on, whichever trade it came from; one for each task that somebody does.

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
LAST = "(SELECT MAX(c.at) FROM state_changes c WHERE c.thing = 'task' AND c.thing_id = t.id AND c.to_state = '{}')"
FILL = f"""
INSERT INTO deals (kind, subject_id, reference, title, client_id, provider_id, currency, price_minor, category,
    payment, stage, agreed_at, delivered_at, completed_at, cancelled_at, created_at, updated_at)
SELECT CASE WHEN t.booked THEN 'booking' ELSE 'task' END, t.id, 'task:' || t.id, t.title, t.creator_id,
    t.assigned_to_id, t.currency, COALESCE(t.agreed_minor, t.budget_minor), t.category, t.payment,
    CASE t.status WHEN 'assigned' THEN 'agreed' WHEN 'in_progress' THEN 'active'
        WHEN 'pending_confirmation' THEN 'delivered' WHEN 'completed' THEN 'completed'
        WHEN 'disputed' THEN 'disputed' ELSE 'cancelled' END,
    COALESCE({LAST.format("assigned")}, t.created_at),
    CASE WHEN t.status = 'pending_confirmation' THEN COALESCE({LAST.format("pending_confirmation")}, t.updated_at)
        ELSE {LAST.format("pending_confirmation")} END,
    CASE WHEN t.status = 'completed' THEN COALESCE(t.completed_at, t.updated_at) END,
    CASE WHEN t.status IN ('cancelled', 'deleted', 'expired', 'open')
        THEN COALESCE({LAST.format("cancelled")}, t.updated_at) END,
    COALESCE({LAST.format("assigned")}, t.created_at), t.updated_at
FROM tasks t WHERE t.assigned_to_id IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "deals",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", BIG, nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("client_id", BIG, nullable=False),
        sa.Column("provider_id", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("price_minor", BIG, nullable=True),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("payment", sa.String(length=10), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("agreed_at", TIME, nullable=False),
        sa.Column("delivered_at", TIME, nullable=True),
        sa.Column("completed_at", TIME, nullable=True),
        sa.Column("cancelled_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("client_id <> provider_id", name=op.f("ck_deals_two_sides")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_deals_price")),
        sa.ForeignKeyConstraint(["client_id"], ["users.id"], name=op.f("fk_deals_client_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["users.id"], name=op.f("fk_deals_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deals")),
        sa.UniqueConstraint("reference", name=op.f("uq_deals_reference")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deals_client_id", "deals", ["client_id", "agreed_at", "id"], unique=False)
    op.create_index("ix_deals_provider_id", "deals", ["provider_id", "agreed_at", "id"], unique=False)
    op.create_index("ix_deals_stage", "deals", ["stage", "completed_at", "id"], unique=False)
    op.execute(FILL)


def downgrade() -> None:
    op.drop_table("deals")
