"""Disputes: the file of a disagreement, with what was said, shown, offered and decided.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PARTS = ("dispute_decisions", "dispute_offers", "dispute_evidence", "dispute_statements")


def upgrade() -> None:
    _disputes()
    _statements()
    _evidence()
    _offers()
    _decisions()


def downgrade() -> None:
    for table in (*PARTS, "disputes"):
        op.drop_table(table)


def _disputes() -> None:
    op.create_table(
        "disputes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("task_id", BIG, nullable=False),
        sa.Column("open_for", BIG, nullable=True),
        sa.Column("opened_by_id", BIG, nullable=False),
        sa.Column("against_id", BIG, nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("response_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("to_worker_minor", BIG, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("final_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appealed_by_id", BIG, nullable=True),
        sa.Column("appeal_reason", sa.Text(), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("opened_by_id <> against_id", name=op.f("ck_disputes_two_sides")),
        sa.CheckConstraint("to_worker_minor >= 0", name=op.f("ck_disputes_to_worker")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_disputes_task_id")),
        *_people("disputes", "opened_by_id", "against_id", "appealed_by_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_disputes_open_for", "disputes", ["open_for"], unique=True)
    op.create_index("ix_disputes_task_id", "disputes", ["task_id", "id"], unique=False)
    op.create_index("ix_disputes_opened_by_id", "disputes", ["opened_by_id", "created_at", "id"], unique=False)
    op.create_index("ix_disputes_against_id", "disputes", ["against_id", "created_at", "id"], unique=False)
    op.create_index("ix_disputes_status", "disputes", ["status", "created_at", "id"], unique=False)


def _statements() -> None:
    op.create_table(
        "dispute_statements",
        *_of_a_dispute("dispute_statements", "author_id"),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dispute_statements_dispute_id", "dispute_statements", ["dispute_id", "id"], unique=False)


def _evidence() -> None:
    name = "dispute_evidence"
    op.create_table(
        name,
        *_of_a_dispute(name, "author_id"),
        sa.Column("upload_id", BIG, nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("content_type", sa.String(length=60), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f(f"fk_{name}_upload_id"), ondelete="SET NULL"),
        sa.UniqueConstraint("dispute_id", "upload_id", name=op.f(f"uq_{name}_dispute_id_upload_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(f"ix_{name}_upload_id", name, ["upload_id"], unique=False)


def _offers() -> None:
    name = "dispute_offers"
    op.create_table(
        name,
        *_of_a_dispute(name, "author_id"),
        *_terms(name),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(f"ix_{name}_dispute_id", name, ["dispute_id", "id"], unique=False)


def _decisions() -> None:
    name = "dispute_decisions"
    op.create_table(
        name,
        *_of_a_dispute(name, "decided_by_id"),
        *_terms(name),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(f"ix_{name}_dispute_id", name, ["dispute_id", "id"], unique=False)


def _of_a_dispute(table: str, by: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", BIG, nullable=False),
        sa.Column("dispute_id", BIG, nullable=False),
        sa.Column(by, BIG, nullable=False),
        sa.ForeignKeyConstraint(["dispute_id"], ["disputes.id"], name=op.f(f"fk_{table}_dispute_id")),
        *_people(table, by),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _people(table: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    return [sa.ForeignKeyConstraint([name], ["users.id"], name=op.f(f"fk_{table}_{name}")) for name in columns]


def _terms(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("to_worker_minor", BIG, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.CheckConstraint("to_worker_minor >= 0", name=op.f(f"ck_{table}_to_worker")),
    ]
