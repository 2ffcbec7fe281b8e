"""Reviews are of deals, whichever trade those came from.

Facts that wait to be told (the outbox) name the deal too.

Revision ID: 0030
Revises: 0029
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TASK = "task:"
TO_DEAL = "UPDATE reviews SET deal_id = (SELECT d.id FROM deals d WHERE d.reference = 'task:' || reviews.task_id)"
TO_TASK = "UPDATE reviews SET task_id = (SELECT d.subject_id FROM deals d WHERE d.id = reviews.deal_id)"
OTHERS = "DELETE FROM reviews WHERE deal_id IN (SELECT id FROM deals WHERE reference NOT LIKE 'task:%')"


def upgrade() -> None:
    _replace("task_id", "deal_id", "deals", TO_DEAL)
    _rename("task_id", "reference", lambda number: f"{TASK}{number}")


def downgrade() -> None:
    op.execute(OTHERS)  # there was no place for them
    _replace("deal_id", "task_id", "tasks", TO_TASK)
    _rename("reference", "task_id", lambda reference: int(reference.removeprefix(TASK)))


def _replace(old, new, parent, fill) -> None:
    op.add_column("reviews", sa.Column(new, BIG, nullable=True))
    op.execute(fill)
    with op.batch_alter_table("reviews", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(f"uq_reviews_{old}_reviewer_id", type_="unique")
        batch.drop_constraint(f"fk_reviews_{old}", type_="foreignkey")
        batch.drop_column(old)
        batch.alter_column(new, existing_type=BIG, nullable=False)
        batch.create_foreign_key(f"fk_reviews_{new}", parent, [new], ["id"])
        batch.create_unique_constraint(f"uq_reviews_{new}_reviewer_id", [new, "reviewer_id"])


def _rename(old, new, change) -> None:
    connection = op.get_bind()
    outbox = sa.table("outbox", sa.column("id"), sa.column("name"), sa.column("payload", sa.JSON), sa.column("done_at"))
    waiting = sa.select(outbox.c.id, outbox.c.payload).where(outbox.c.name == "ReviewDue", outbox.c.done_at.is_(None))
    for row in connection.execute(waiting).all():
        told = dict(row.payload if isinstance(row.payload, dict) else json.loads(row.payload))
        if old in told:
            told[new] = change(told.pop(old))
            connection.execute(sa.update(outbox).where(outbox.c.id == row.id).values(payload=told))
