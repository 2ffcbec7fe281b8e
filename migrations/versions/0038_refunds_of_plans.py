"""Refunds of subscription invoices.

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("subscription_invoices", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("refunded_minor", BIG, nullable=False, server_default="0"))
        table.create_check_constraint(
            op.f("ck_subscription_invoices_refunded"), "refunded_minor >= 0 AND refunded_minor <= amount_minor"
        )
        table.create_index("ix_subscription_invoices_created_at", ["created_at", "id"])
    with op.batch_alter_table("subscription_invoices", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("refunded_minor", server_default=None, existing_type=BIG, existing_nullable=False)
    op.create_table(
        "subscription_refunds",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("invoice_id", BIG, nullable=False),
        sa.Column("payer_id", BIG, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_id", BIG, nullable=False),
        sa.Column("receipt_id", BIG, nullable=True),
        sa.Column("failure", sa.String(length=500), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_subscription_refunds_amount")),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_subscription_refunds_by_id")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["subscription_invoices.id"], name=op.f("fk_subscription_refunds_invoice_id")
        ),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_subscription_refunds_receipt_id")),
        sa.ForeignKeyConstraint(["payer_id"], ["users.id"], name=op.f("fk_subscription_refunds_payer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_refunds")),
        sa.UniqueConstraint("key", name=op.f("uq_subscription_refunds_key")),
        sqlite_autoincrement=True,
    )
    for name, columns in INDEXES.items():
        op.create_index(f"ix_subscription_refunds_{name}", "subscription_refunds", columns)


def downgrade() -> None:
    op.execute("DELETE FROM state_changes WHERE thing = 'invoice_refund'")
    op.drop_table("subscription_refunds")
    with op.batch_alter_table("subscription_invoices", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_index("ix_subscription_invoices_created_at")
        table.drop_constraint(op.f("ck_subscription_invoices_refunded"), type_="check")
        table.drop_column("refunded_minor")


INDEXES = {
    "invoice_id": ["invoice_id", "id"],
    "payer_id": ["payer_id", "id"],
    "provider_id": ["provider_id"],
    "status": ["status", "updated_at"],
}
