"""Disputes are about deals, whichever trade those came from; `active_reference` is the deal's id.

Facts that wait to be told (the outbox) name the deal too.

Revision ID: 0031
Revises: 0030
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TASK = "task:"
FACTS = (
    *("DisputeOpened", "DisputeAnswered", "DisputeAppealed", "DisputeDecided", "DisputeResolved"),
    *("OfferMade", "OfferDeclined"),
)
TO_DEAL = """UPDATE disputes SET
    deal_id = (SELECT d.id FROM deals d WHERE d.reference = 'task:' || disputes.task_id),
    active_reference = CASE WHEN active_reference IS NULL THEN NULL
        ELSE (SELECT d.id FROM deals d WHERE d.reference = 'task:' || disputes.task_id) END"""
TO_TASK = """UPDATE disputes SET
    task_id = (SELECT d.subject_id FROM deals d WHERE d.id = disputes.deal_id),
    active_reference = CASE WHEN active_reference IS NULL THEN NULL
        ELSE (SELECT d.subject_id FROM deals d WHERE d.id = disputes.deal_id) END"""
FILES = ("dispute_statements", "dispute_evidence", "dispute_offers", "dispute_decisions")
OTHERS = "SELECT x.id FROM disputes x JOIN deals d ON d.id = x.deal_id WHERE d.reference NOT LIKE 'task:%'"


def upgrade() -> None:
    _replace("task_id", "deal_id", "deals", TO_DEAL)
    _rename("task_id", "reference", lambda number: f"{TASK}{number}")


def downgrade() -> None:
    for table in FILES:  # there was no place for those of other trades
        op.execute(f"DELETE FROM {table} WHERE dispute_id IN ({OTHERS})")
    op.execute(f"DELETE FROM disputes WHERE id IN ({OTHERS})")
    _replace("deal_id", "task_id", "tasks", TO_TASK)
    _rename("reference", "task_id", lambda reference: int(reference.removeprefix(TASK)))


def _replace(old, new, parent, fill) -> None:
    op.drop_index(f"ix_disputes_{old}", table_name="disputes")
    op.drop_index("uq_disputes_open_for", table_name="disputes")
    op.add_column("disputes", sa.Column(new, BIG, nullable=True))
    op.execute(fill)
    with op.batch_alter_table("disputes", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(f"fk_disputes_{old}", type_="foreignkey")
        batch.drop_column(old)
        batch.alter_column(new, existing_type=BIG, nullable=False)
        batch.create_foreign_key(f"fk_disputes_{new}", parent, [new], ["id"])
    op.create_index("uq_disputes_open_for", "disputes", ["active_reference"], unique=True)
    op.create_index(f"ix_disputes_{new}", "disputes", [new, "id"], unique=False)


def _rename(old, new, change) -> None:
    connection = op.get_bind()
    outbox = sa.table("outbox", sa.column("id"), sa.column("name"), sa.column("payload", sa.JSON), sa.column("done_at"))
    waiting = sa.select(outbox.c.id, outbox.c.payload).where(outbox.c.name.in_(FACTS), outbox.c.done_at.is_(None))
    for row in connection.execute(waiting).all():
        told = dict(row.payload if isinstance(row.payload, dict) else json.loads(row.payload))
        if old in told:
            told[new] = change(told.pop(old))
            connection.execute(sa.update(outbox).where(outbox.c.id == row.id).values(payload=told))
