"""Chargebacks; and payouts that wait until the provider has settled the money they are made of.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("payouts", sa.Column("available_from", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "chargebacks",
        sa.Column("id", BIG, nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("withdrawn_minor", BIG, nullable=False),
        sa.Column("fee_minor", BIG, nullable=False),
        sa.Column("movements", BIG, nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("evidence_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount_minor > 0 AND withdrawn_minor >= 0 AND fee_minor >= 0", name=op.f("ck_chargebacks_amounts")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_chargebacks_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chargebacks")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_chargebacks_provider_provider_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_chargebacks_created_at", "chargebacks", ["created_at", "id"], unique=False)
    op.create_index("ix_chargebacks_payment_id", "chargebacks", ["payment_id", "id"], unique=False)
    op.create_index("ix_chargebacks_status", "chargebacks", ["status", "evidence_due_at", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("chargebacks")
    op.drop_column("payouts", "available_from")
    op.execute("DELETE FROM state_changes WHERE thing = 'chargeback'")
