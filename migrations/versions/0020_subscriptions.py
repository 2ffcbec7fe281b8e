"""Plans that are paid for again and again, and the invoices that were paid.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("open_for", BIG, nullable=True),
        sa.Column("plan_key", sa.String(length=30), nullable=False),
        sa.Column("wanted_plan", sa.String(length=30), nullable=False),
        sa.Column("wish", sa.String(length=10), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("customer_id", sa.String(length=255), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("paid_minor", BIG, nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("grace_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("client_secret", sa.Text(), nullable=False),
        sa.Column("next_url", sa.Text(), nullable=False),
        sa.Column("failure", sa.String(length=500), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_subscriptions_amount")),
        sa.CheckConstraint("paid_minor >= 0", name=op.f("ck_subscriptions_paid")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_subscriptions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("key", name=op.f("uq_subscriptions_key")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_subscriptions_provider_provider_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_subscriptions_open_for", "subscriptions", ["open_for"], unique=True)
    op.create_index("ix_subscriptions_user_id", "subscriptions", ["user_id", "id"], unique=False)
    op.create_index("ix_subscriptions_status", "subscriptions", ["status", "asked_at"], unique=False)
    op.create_table(
        "subscription_invoices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subscription_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=False),
        sa.Column("plan_key", sa.String(length=30), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("receipt_id", BIG, nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_subscription_invoices_amount")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_subscription_invoices_subscription_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_subscription_invoices_user_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_subscription_invoices_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_invoices")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_subscription_invoices_provider_provider_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscription_invoices_user_id", "subscription_invoices", ["user_id", "id"], unique=False)
    op.create_index(
        "ix_subscription_invoices_subscription_id", "subscription_invoices", ["subscription_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("subscription_invoices")
    op.drop_table("subscriptions")
