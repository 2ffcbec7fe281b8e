"""Files, what uses them, and how much room they take.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "upload_usage",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("files", BIG, nullable=False),
        sa.CheckConstraint("size >= 0 AND files >= 0", name=op.f("ck_upload_usage_size")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_upload_usage_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_usage")),
        sa.UniqueConstraint("user_id", name=op.f("uq_upload_usage_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "uploads",
        sa.Column("id", BIG, nullable=False),
        sa.Column("owner_id", BIG, nullable=False),
        sa.Column("stem", sa.String(length=32), nullable=False),
        sa.Column("extension", sa.String(length=5), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("content_type", sa.String(length=60), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("width", BIG, nullable=True),
        sa.Column("height", BIG, nullable=True),
        sa.Column("has_thumbnails", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unused_since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size >= 0", name=op.f("ck_uploads_size")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_uploads_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("stem", name=op.f("uq_uploads_stem")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_uploads_owner", "uploads", ["owner_id", "created_at", "id"], unique=False)
    op.create_index("ix_uploads_unused", "uploads", ["unused_since"], unique=False)
    op.create_table(
        "upload_uses",
        sa.Column("id", BIG, nullable=False),
        sa.Column("upload_id", BIG, nullable=False),
        sa.Column("thing", sa.String(length=20), nullable=False),
        sa.Column("thing_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["uploads.id"], name=op.f("fk_upload_uses_upload_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_uses")),
        sa.UniqueConstraint("upload_id", "thing", "thing_id", name=op.f("uq_upload_uses_upload_id_thing_thing_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_upload_uses_thing", "upload_uses", ["thing", "thing_id"], unique=False)


def downgrade() -> None:
    op.drop_table("upload_uses")
    op.drop_table("uploads")
    op.drop_table("upload_usage")
