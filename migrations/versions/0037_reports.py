"""What people report to staff.

Revision ID: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", BIG, nullable=False),
        sa.Column("reporter_id", BIG, nullable=False),
        sa.Column("reported_id", BIG, nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("target_id", BIG, nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("resolved_by_id", BIG, nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reporter_id"], ["users.id"], name=op.f("fk_reports_reporter_id")),
        sa.ForeignKeyConstraint(["reported_id"], ["users.id"], name=op.f("fk_reports_reported_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("reporter_id", "type", "target_id", name=op.f("uq_reports_reporter_id_type_target_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reports_reported_id", "reports", ["reported_id", "id"], unique=False)
    op.create_index("ix_reports_status", "reports", ["status", "created_at", "id"], unique=False)


def downgrade() -> None:
    op.execute("DELETE FROM state_changes WHERE thing = 'report'")
    op.drop_table("reports")
