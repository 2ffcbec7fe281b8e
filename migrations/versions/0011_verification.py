"""Verification by documents; what staff look for has an index; whose name a piece of news repeats.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FOR_STAFF = (
    ("ix_users_created_at", "users", ["created_at", "id"]),
    ("ix_users_role", "users", ["role", "created_at", "id"]),
    ("ix_users_suspended_at", "users", ["suspended_at"]),
    ("ix_users_erased_at", "users", ["erased_at"]),
    ("ix_security_signals_verdict", "security_signals", ["verdict", "created_at", "id"]),
    ("ix_security_signals_score", "security_signals", ["score"]),
)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "verifications",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("open_for", BIG, nullable=True),
        sa.Column("document_type", sa.String(length=30), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_verifications_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verifications")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_verifications_status", "verifications", ["status", "created_at", "id"], unique=False)
    op.create_index("ix_verifications_user_id", "verifications", ["user_id", "id"], unique=False)
    op.create_index("uq_verifications_open_for", "verifications", ["open_for"], unique=True)
    for name, table, columns in FOR_STAFF:
        op.create_index(name, table, columns, unique=False)
    for column in ("username_key", "email"):
        ops = {column: "text_pattern_ops"}
        op.create_index(f"ix_users_{column.partition('_')[0]}_begins", "users", [column], postgresql_ops=ops)
    for table in ("notifications", "deliveries"):
        op.add_column(table, sa.Column("named_id", BIG, nullable=True))
        op.create_index(f"ix_{table}_named_id", table, ["named_id"], unique=False)


def downgrade() -> None:
    for table in ("deliveries", "notifications"):
        op.drop_index(f"ix_{table}_named_id", table_name=table)
        op.drop_column(table, "named_id")
    for column in ("username", "email"):
        op.drop_index(f"ix_users_{column}_begins", table_name="users")
    for name, table, _ in FOR_STAFF:
        op.drop_index(name, table_name=table)
    op.drop_index("uq_verifications_open_for", table_name="verifications")
    op.drop_index("ix_verifications_user_id", table_name="verifications")
    op.drop_index("ix_verifications_status", table_name="verifications")
    op.drop_table("verifications")
