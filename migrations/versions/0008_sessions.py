"""Sign-ins know their device and use; refresh tokens are traded in generations.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EPOCH = "1970-01-01 00:00:00"
NAMES = ("generation", "rotated_at", "last_used_at", "device", "address", "end_reason")


def upgrade() -> None:
    columns = (
        sa.Column("generation", BIG, nullable=False, server_default="1"),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=False, server_default=EPOCH),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False, server_default=EPOCH),
        sa.Column("device", sa.String(length=300), nullable=False, server_default=""),
        sa.Column("address", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("end_reason", sa.String(length=20), nullable=True),
    )
    for column in columns:
        op.add_column("sign_ins", column)
    op.execute("UPDATE sign_ins SET rotated_at = created_at, last_used_at = created_at")


def downgrade() -> None:
    for name in reversed(NAMES):
        op.drop_column("sign_ins", name)
