"""Conversations name what they are about by its kind and id, whichever slice it is of.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = {"task": "tasks", "offering": "offerings", "listing": "listings"}  # of several, the first counts
TO_SUBJECT = """UPDATE conversations SET
    subject_kind = CASE WHEN task_id IS NOT NULL THEN 'task' WHEN offering_id IS NOT NULL THEN 'offering'
        ELSE 'listing' END,
    subject_id = COALESCE(task_id, offering_id, listing_id)
    WHERE COALESCE(task_id, offering_id, listing_id) IS NOT NULL"""
TO_COLUMN = """UPDATE conversations SET {kind}_id = (SELECT t.id FROM {table} t WHERE t.id = conversations.subject_id)
    WHERE subject_kind = '{kind}'"""
CONVERSATIONS = sa.table(
    "conversations",
    *(sa.column(name) for name in ("id", "subject", "subject_kind", "subject_id")),
    *(sa.column(f"{kind}_id") for kind in TABLES),
)


def upgrade() -> None:
    op.add_column("conversations", sa.Column("subject_kind", sa.String(length=20), nullable=True))
    op.add_column("conversations", sa.Column("subject_id", BIG, nullable=True))
    op.execute(TO_SUBJECT)
    _name_again()
    with op.batch_alter_table("conversations", table_kwargs={"sqlite_autoincrement": True}) as batch:
        for kind in TABLES:
            batch.drop_constraint(f"fk_conversations_{kind}_id", type_="foreignkey")
            batch.drop_column(f"{kind}_id")
        batch.create_check_constraint(op.f("ck_conversations_subject"), "(subject_kind IS NULL) = (subject_id IS NULL)")


def downgrade() -> None:
    for kind in TABLES:
        op.add_column("conversations", sa.Column(f"{kind}_id", BIG, nullable=True))
    for kind, table in TABLES.items():
        op.execute(TO_COLUMN.format(kind=kind, table=table))
    _spread()
    with op.batch_alter_table("conversations", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f("ck_conversations_subject"), type_="check")
        batch.drop_column("subject_id")
        batch.drop_column("subject_kind")
        for kind, table in TABLES.items():
            batch.create_foreign_key(f"fk_conversations_{kind}_id", table, [f"{kind}_id"], ["id"])


def _name_again() -> None:
    """Of what had no column of its own, `subject` kept the name when it went back."""
    nameless = (CONVERSATIONS.c.subject != "", CONVERSATIONS.c.subject_kind.is_(None))
    for row in op.get_bind().execute(sa.select(CONVERSATIONS.c.id, CONVERSATIONS.c.subject).where(*nameless)).all():
        kind, _, number = row.subject.split(",")[-1].partition(":")
        about = {"subject_kind": kind, "subject_id": int(number)}
        op.get_bind().execute(sa.update(CONVERSATIONS).where(CONVERSATIONS.c.id == row.id).values(about))


def _spread() -> None:
    """What was about several things has all of their columns again."""
    connection = op.get_bind()
    several = sa.select(CONVERSATIONS.c.id, CONVERSATIONS.c.subject).where(CONVERSATIONS.c.subject.contains(","))
    for row in connection.execute(several).all():
        for kind, _, number in (part.partition(":") for part in row.subject.split(",")):
            table = sa.table(TABLES[kind], sa.column("id"))
            there = sa.select(table.c.id).where(table.c.id == int(number)).scalar_subquery()
            connection.execute(
                sa.update(CONVERSATIONS).where(CONVERSATIONS.c.id == row.id).values({f"{kind}_id": there})
            )
