"""Papers shown to banks with the answer to a chargeback.

Revision ID: 0039
Revises: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("chargebacks", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("evidence_file", sa.String(length=60), nullable=False, server_default=""))
    with op.batch_alter_table("chargebacks", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column(
            "evidence_file", server_default=None, existing_type=sa.String(length=60), existing_nullable=False
        )


def downgrade() -> None:
    op.execute("DELETE FROM upload_uses WHERE thing = 'chargeback'")
    with op.batch_alter_table("chargebacks", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("evidence_file")
