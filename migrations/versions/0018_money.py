"""Money: a ledger, payments with escrow, payouts, receipts, and a provider that takes none.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFUSED = "transfers are never changed"
TABLES = (
    "fake_things",
    "fake_notices",
    "fake_lines",
    "receipts",
    "hand_over_codes",
    "receipt_series",
    "provider_events",
    "provider_calls",
    "payouts",
    "payees",
    "refunds",
    "payments",
    "ledger_transfers",
    "ledger_accounts",
    "ledger_breaks",
)
TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER ledger_transfers_{verb} BEFORE {verb} ON ledger_transfers"
        f" BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        for verb in ("UPDATE", "DELETE")
    ]
    + [  # INSERT OR REPLACE deletes without firing a trigger for it
        "CREATE TRIGGER ledger_transfers_replace BEFORE INSERT ON ledger_transfers"
        " WHEN EXISTS (SELECT 1 FROM ledger_transfers WHERE id = NEW.id)"
        f" BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION refuse_transfer_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$",
        "CREATE TRIGGER ledger_transfers_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfers"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_transfer_change()",
    ],
}


def upgrade() -> None:
    op.add_column("idempotency_keys", sa.Column("leased_until", sa.DateTime(timezone=True)))
    op.add_column("tasks", sa.Column("payment", sa.String(length=10), nullable=False, server_default="outside"))
    op.add_column("tasks", sa.Column("agreed_minor", BIG))
    _ledger()
    _payments()
    _payouts()
    _calls()
    _receipts()
    _fake()
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE", "replace"):
            op.execute(f"DROP TRIGGER ledger_transfers_{verb}")
    else:
        op.execute("DROP TRIGGER ledger_transfers_change ON ledger_transfers")
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_transfer_change()")
    op.drop_column("tasks", "agreed_minor")
    op.drop_column("tasks", "payment")
    op.drop_column("idempotency_keys", "leased_until")


def _ledger() -> None:
    op.create_table(
        "ledger_breaks",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("open_for", sa.String(length=340), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("ours_minor", BIG, nullable=False),
        sa.Column("theirs_minor", BIG, nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_breaks")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_breaks_found_at", "ledger_breaks", ["found_at", "id"], unique=False)
    op.create_index("uq_ledger_breaks_open_for", "ledger_breaks", ["open_for"], unique=True)
    op.create_table(
        "ledger_accounts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("owner_id", BIG, nullable=True),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("balance_minor", BIG, nullable=False),
        sa.CheckConstraint(
            "balance_minor >= 0 OR purpose IN ('provider', 'available')", name=op.f("ck_ledger_accounts_balance")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_ledger_accounts_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_accounts")),
        sa.UniqueConstraint("id", "currency", name=op.f("uq_ledger_accounts_id_currency")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_accounts_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_accounts_owner_id", "ledger_accounts", ["owner_id"], unique=False)
    op.create_table(
        "ledger_transfers",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("debit_id", BIG, nullable=False),
        sa.Column("credit_id", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("debit_after", BIG, nullable=False),
        sa.Column("credit_after", BIG, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_ledger_transfers_amount")),
        sa.CheckConstraint("debit_id <> credit_id", name=op.f("ck_ledger_transfers_two_accounts")),
        sa.ForeignKeyConstraint(
            ["credit_id", "currency"],
            ["ledger_accounts.id", "ledger_accounts.currency"],
            name="fk_ledger_transfers_credit",
        ),
        sa.ForeignKeyConstraint(
            ["debit_id", "currency"],
            ["ledger_accounts.id", "ledger_accounts.currency"],
            name="fk_ledger_transfers_debit",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transfers")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_transfers_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_transfers_credit", "ledger_transfers", ["credit_id", "id"], unique=False)
    op.create_index("ix_ledger_transfers_debit", "ledger_transfers", ["debit_id", "id"], unique=False)
    op.create_index("ix_ledger_transfers_subject", "ledger_transfers", ["subject"], unique=False)


def _payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("open_for", sa.String(length=60), nullable=True),
        sa.Column("wish", sa.String(length=10), nullable=False),
        sa.Column("payer_id", BIG, nullable=False),
        sa.Column("payee_id", BIG, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("discount_minor", BIG, nullable=False),
        sa.Column("fee_minor", BIG, nullable=False),
        sa.Column("tax_minor", BIG, nullable=False),
        sa.Column("payee_minor", BIG, nullable=False),
        sa.Column("fee_rule", sa.String(length=60), nullable=False),
        sa.Column("captured_minor", BIG, nullable=False),
        sa.Column("refunded_minor", BIG, nullable=False),
        sa.Column("paid_payee_minor", BIG, nullable=False),
        sa.Column("paid_fee_minor", BIG, nullable=False),
        sa.Column("paid_tax_minor", BIG, nullable=False),
        sa.Column("client_secret", sa.Text(), nullable=False),
        sa.Column("next_url", sa.Text(), nullable=False),
        sa.Column("failure", sa.String(length=500), nullable=False),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payments_amount")),
        sa.CheckConstraint("fee_minor + tax_minor + payee_minor = amount_minor", name=op.f("ck_payments_shares")),
        sa.CheckConstraint("payer_id <> payee_id", name=op.f("ck_payments_two_sides")),
        sa.CheckConstraint(
            "refunded_minor >= 0 AND refunded_minor <= captured_minor", name=op.f("ck_payments_refunded")
        ),
        sa.ForeignKeyConstraint(["payee_id"], ["users.id"], name=op.f("fk_payments_payee_id")),
        sa.ForeignKeyConstraint(["payer_id"], ["users.id"], name=op.f("fk_payments_payer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("key", name=op.f("uq_payments_key")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_payments_provider_provider_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_payments_payee", "payments", ["payee_id", "status", "id"], unique=False)
    op.create_index("ix_payments_payer", "payments", ["payer_id", "id"], unique=False)
    op.create_index("ix_payments_reference", "payments", ["reference", "id"], unique=False)
    op.create_index("ix_payments_ask_at", "payments", ["status", "ask_at"], unique=False)
    op.create_index("ix_payments_status", "payments", ["status", "created_at", "id"], unique=False)
    op.create_index("ix_payments_created_at", "payments", ["created_at", "id"], unique=False)
    op.create_index("uq_payments_open_for", "payments", ["open_for"], unique=True)
    op.create_table(
        "refunds",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("failure", sa.String(length=500), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("key", name=op.f("uq_refunds_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_refunds_payment_id", "refunds", ["payment_id", "id"], unique=False)
    op.create_index("ix_refunds_provider_id", "refunds", ["provider_id"], unique=False)
    op.create_index("ix_refunds_status", "refunds", ["status", "updated_at"], unique=False)


def _payouts() -> None:
    op.create_table(
        "payees",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("is_ready", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_payees_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payees")),
        sa.UniqueConstraint("user_id", "provider", name=op.f("uq_payees_user_id_provider")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_payees_provider_id", "payees", ["provider_id"], unique=False)
    op.create_table(
        "payouts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("score", BIG, nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("failure", sa.String(length=500), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payouts_amount")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_payouts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        sa.UniqueConstraint("key", name=op.f("uq_payouts_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_payouts_provider_id", "payouts", ["provider_id"], unique=False)
    op.create_index("ix_payouts_status", "payouts", ["status", "created_at", "id"], unique=False)
    op.create_index("ix_payouts_created_at", "payouts", ["created_at", "id"], unique=False)
    op.create_index("ix_payouts_user", "payouts", ["user_id", "id"], unique=False)


def _calls() -> None:
    op.create_table(
        "provider_calls",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("subject_id", BIG, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_calls")),
        sa.UniqueConstraint("key", name=op.f("uq_provider_calls_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_provider_calls_subject", "provider_calls", ["subject"], unique=False)
    op.create_index("ix_provider_calls_waiting", "provider_calls", ["done_at", "due_at"], unique=False)
    op.create_table(
        "provider_events",
        sa.Column("id", BIG, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("about", sa.String(length=20), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_events")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_provider_events_provider_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_provider_events_waiting", "provider_events", ["done_at", "due_at"], unique=False)


def _receipts() -> None:
    op.create_table(
        "receipt_series",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("last", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_series")),
        sa.UniqueConstraint("name", name=op.f("uq_receipt_series_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hand_over_codes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("owner_id", BIG, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("wrong", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_hand_over_codes_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over_codes")),
        sa.UniqueConstraint("reference", name=op.f("uq_hand_over_codes_reference")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "receipts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("series", sa.String(length=20), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("payment_id", BIG, nullable=True),
        sa.Column("refund_id", BIG, nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_receipts_payment_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name=op.f("fk_receipts_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("payment_id", "refund_id", name=op.f("uq_receipts_payment_id_refund_id")),
        sa.UniqueConstraint("series", "number", name=op.f("uq_receipts_series_number")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_receipts_payment_id", "receipts", ["payment_id", "id"], unique=False)
    op.create_index("uq_receipts_subject", "receipts", ["subject"], unique=True)


def _fake() -> None:
    op.create_table(
        "fake_lines",
        sa.Column("id", BIG, nullable=False),
        sa.Column("about", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fake_lines")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fake_lines_made_at", "fake_lines", ["made_at", "id"], unique=False)
    op.create_table(
        "fake_notices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("event_id", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("about", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fake_notices")),
        sa.UniqueConstraint("event_id", name=op.f("uq_fake_notices_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fake_notices_waiting", "fake_notices", ["done_at", "due_at"], unique=False)
    op.create_table(
        "fake_things",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fake_things")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_fake_things_kind_key")),
        sa.UniqueConstraint("name", name=op.f("uq_fake_things_name")),
        sqlite_autoincrement=True,
    )
