"""Accounts people can trust: second factor, codes, keys, signals, audit log.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

EPOCH = "1970-01-01 00:00:00"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

REFUSED = "the audit log is only ever added to"
GUARDS = {
    "sqlite": [
        f"CREATE TRIGGER audit_log_{verb} BEFORE {verb} ON audit_log BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        for verb in ("UPDATE", "DELETE")
    ]
    + [  # INSERT OR REPLACE deletes without firing a trigger for it
        "CREATE TRIGGER audit_log_replace BEFORE INSERT ON audit_log"
        " WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)"
        f" BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    ],
    "postgresql": [
        f"CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$",
        "CREATE TRIGGER audit_log_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ],
}


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", BIG, nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject_type", sa.String(length=30), nullable=False),
        sa.Column("subject_id", BIG, nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_log_action", "audit_log", ["action", "id"], unique=False)
    op.create_index("ix_audit_log_actor", "audit_log", ["actor_id", "id"], unique=False)
    op.create_index("ix_audit_log_address", "audit_log", ["address", "id"], unique=False)
    op.create_index("ix_audit_log_request_id", "audit_log", ["request_id"], unique=False)
    op.create_index("ix_audit_log_created_at", "audit_log", ["created_at", "id"], unique=False)
    op.create_index("ix_audit_log_subject", "audit_log", ["subject_type", "subject_id", "id"], unique=False)
    op.create_table(
        "phone_turns",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_turns")),
        sa.UniqueConstraint("name", name=op.f("uq_phone_turns_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "api_keys",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("requests_a_day", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"], unique=False)
    op.create_table(
        "phone_codes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("guesses", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_phone_codes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_codes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_phone_codes_created_at", "phone_codes", ["created_at"], unique=False)
    op.create_index("ix_phone_codes_phone", "phone_codes", ["phone", "created_at"], unique=False)
    op.create_index("ix_phone_codes_user_id", "phone_codes", ["user_id", "created_at"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("user_id", "digest", name=op.f("uq_recovery_codes_user_id_digest")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "second_factors",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("enabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", BIG, nullable=False),
        sa.Column("wrong", BIG, nullable=False),
        sa.Column("wrong_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_second_factors_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_factors")),
        sa.UniqueConstraint("user_id", name=op.f("uq_second_factors_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "security_signals",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=300), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("score", BIG, nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_signals")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_security_signals_address", "security_signals", ["address", "kind", "created_at"], unique=False)
    op.create_index("ix_security_signals_created_at", "security_signals", ["created_at", "id"], unique=False)
    op.create_index("ix_security_signals_user", "security_signals", ["user_id", "kind", "created_at"], unique=False)
    op.create_table(
        "sign_in_challenges",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("guesses", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sign_in_challenges_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_challenges")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sign_in_challenges_expires_at", "sign_in_challenges", ["expires_at"], unique=False)
    op.create_index("ix_sign_in_challenges_user_id", "sign_in_challenges", ["user_id"], unique=False)
    op.create_table(
        "api_key_uses",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key_id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("requests", BIG, nullable=False),
        sa.Column("refused", BIG, nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_api_key_uses_key_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key_uses")),
        sa.UniqueConstraint("key_id", "day", name=op.f("uq_api_key_uses_key_id_day")),
        sqlite_autoincrement=True,
    )
    op.add_column(
        "users", sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=False, server_default=EPOCH)
    )
    op.add_column("sign_ins", sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False, server_default=EPOCH))
    op.add_column("users", sa.Column("phone_key", sa.String(length=20), nullable=True))
    op.add_column("users", sa.Column("availability", sa.String(length=10), nullable=False, server_default="available"))
    op.add_column("users", sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("suspension_reason", sa.String(length=500), nullable=True))
    op.add_column("users", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("uq_users_phone_key", "users", ["phone_key"], unique=True)
    op.execute("UPDATE sign_ins SET proved_at = created_at")
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("uq_users_phone_key", table_name="users")
    op.drop_column("users", "erased_at")
    op.drop_column("users", "suspension_reason")
    op.drop_column("users", "suspended_at")
    op.drop_column("users", "last_active_at")
    op.drop_column("users", "availability")
    op.drop_column("users", "phone_key")
    op.drop_column("sign_ins", "proved_at")
    op.drop_column("users", "password_set_at")
    op.drop_table("api_key_uses")
    op.drop_index("ix_sign_in_challenges_user_id", table_name="sign_in_challenges")
    op.drop_index("ix_sign_in_challenges_expires_at", table_name="sign_in_challenges")
    op.drop_table("sign_in_challenges")
    op.drop_index("ix_security_signals_user", table_name="security_signals")
    op.drop_index("ix_security_signals_created_at", table_name="security_signals")
    op.drop_index("ix_security_signals_address", table_name="security_signals")
    op.drop_table("security_signals")
    op.drop_table("second_factors")
    op.drop_table("recovery_codes")
    op.drop_index("ix_phone_codes_user_id", table_name="phone_codes")
    op.drop_index("ix_phone_codes_phone", table_name="phone_codes")
    op.drop_index("ix_phone_codes_created_at", table_name="phone_codes")
    op.drop_table("phone_codes")
    op.drop_index("ix_api_keys_user_id", table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("phone_turns")
    op.drop_index("ix_audit_log_request_id", table_name="audit_log")
    op.drop_index("ix_audit_log_address", table_name="audit_log")
    op.drop_index("ix_audit_log_subject", table_name="audit_log")
    op.drop_index("ix_audit_log_created_at", table_name="audit_log")
    op.drop_index("ix_audit_log_actor", table_name="audit_log")
    op.drop_index("ix_audit_log_action", table_name="audit_log")
    op.drop_table("audit_log")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
