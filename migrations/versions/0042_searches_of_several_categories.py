"""Saved searches of several categories.

Revision ID: 0042
Revises: 0041
"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

ONCE = {"sqlite_autoincrement": True}


def upgrade() -> None:
    op.add_column("saved_searches", sa.Column("categories", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE saved_searches SET categories = ',' || category || ',' WHERE category IS NOT NULL")
    with op.batch_alter_table("saved_searches", table_kwargs=ONCE) as table:
        table.alter_column("categories", server_default=None, existing_type=sa.Text(), existing_nullable=False)
        table.drop_column("category")


def downgrade() -> None:
    """Of several categories the first stays."""
    op.add_column("saved_searches", sa.Column("category", sa.String(length=100), nullable=True))
    first = {"postgresql": "split_part(categories, ',', 2)"}.get(
        op.get_bind().dialect.name, "substr(categories, 2, instr(substr(categories, 2), ',') - 1)"
    )
    op.execute(f"UPDATE saved_searches SET category = {first} WHERE categories <> ''")
    with op.batch_alter_table("saved_searches", table_kwargs=ONCE) as table:
        table.drop_column("categories")
