"""A payment has a share for each deal it is for; the share has the payee, the quote, the escrow and what became of it.

Until now a payment was for one deal: its share gets its id, its escrow account another name, and its part of the
history. Transfers stay as they were written. The marketplace gets accounts that may be below zero: what it adds to
payments (promotions), what banks have taken back and not decided on (disputed), and what is lost.

Revision ID: 0032
Revises: 0031
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# By table: the checks of before, and those of now.
CHECKS = {
    "ledger_accounts": (
        {"balance": "balance_minor >= 0 OR purpose IN ('provider', 'available')"},
        {"balance": "balance_minor >= 0 OR purpose IN ('provider', 'available', 'promotions', 'disputed', 'losses')"},
    ),
    "payments": (
        {
            "amount": "amount_minor > 0",
            "shares": "fee_minor + tax_minor + payee_minor = amount_minor",
            "refunded": "refunded_minor >= 0 AND refunded_minor <= captured_minor",
            "two_sides": "payer_id <> payee_id",
        },
        {
            "amount": "amount_minor > 0",
            "refunded": "refunded_minor >= 0 AND lost_minor >= 0 AND refunded_minor + lost_minor <= captured_minor",
        },
    ),
    "refunds": ({}, {}),
    "receipts": ({}, {}),
}
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FACTS = ("PaymentHeld", "PaymentFailed", "PaymentReleased", "RefundBegun", "RefundFailed")
MOVED = ("payee_id", "discount_minor", "fee_minor", "tax_minor", "payee_minor", "fee_rule", "active_reference")
MOVED += ("paid_payee_minor", "paid_fee_minor", "paid_tax_minor")
LINES = {
    "sqlite": "json_array(json_object('category', NULL, 'price_minor', amount_minor, 'fee_minor', fee_minor,"
    " 'tax_minor', tax_minor, 'rule', fee_rule))",
    "postgresql": "json_build_array(json_build_object('category', NULL, 'price_minor', amount_minor,"
    " 'fee_minor', fee_minor, 'tax_minor', tax_minor, 'rule', fee_rule))",
}
SHARES = """INSERT INTO payment_shares (id, payment_id, reference, active_reference, intended_outcome, payee_id, title,
    amount_minor, discount_minor, subsidy_minor, fee_minor, tax_minor, payee_minor, lines, captured_minor,
    payee_left_minor, fee_left_minor, tax_left_minor, paid_payee_minor, paid_fee_minor, paid_tax_minor,
    refunded_minor, lost_minor, unsubsidized_minor, releases, available_from, ended_at, version, status, created_at, updated_at)
    SELECT id, id, reference, active_reference, intended_outcome, payee_id, title,
    amount_minor, discount_minor, 0, fee_minor, tax_minor, payee_minor, {lines}, captured_minor,
    CASE WHEN status = 'held' THEN payee_minor ELSE 0 END, CASE WHEN status = 'held' THEN fee_minor ELSE 0 END,
    CASE WHEN status = 'held' THEN tax_minor ELSE 0 END, paid_payee_minor, paid_fee_minor, paid_tax_minor,
    refunded_minor, 0, 0, CASE WHEN status = 'released' THEN 1 ELSE 0 END, captured_at, ended_at, 1,
    CASE WHEN status IN ('held', 'released', 'refunded') THEN status
    WHEN status IN ('cancelled', 'failed') THEN 'cancelled' ELSE 'open' END, created_at, updated_at FROM payments"""
HISTORY = """INSERT INTO state_changes (thing, thing_id, verb, from_state, to_state, actor_id, at)
    SELECT 'payment_share', thing_id, CASE verb WHEN 'capture' THEN 'hold' WHEN 'fail' THEN 'cancel' ELSE verb END,
    CASE verb WHEN 'capture' THEN CASE WHEN from_state IN ('cancelled', 'failed') THEN 'cancelled' ELSE 'open' END
    WHEN 'release' THEN 'held' WHEN 'refund' THEN from_state ELSE 'open' END,
    CASE verb WHEN 'capture' THEN 'held' WHEN 'release' THEN 'released' WHEN 'refund' THEN 'refunded'
    ELSE 'cancelled' END, actor_id, at
    FROM state_changes WHERE thing = 'payment' AND verb IN ('capture', 'release', 'refund', 'cancel', 'fail')
    ORDER BY id"""
ODD = """SELECT id, captured_minor - refunded_minor AS held, payee_minor, fee_minor, tax_minor FROM payments
    WHERE status = 'held' AND (refunded_minor > 0 OR captured_minor <> amount_minor)"""
UNDONE = """SELECT r.id, r.amount_minor, p.payee_minor, p.fee_minor, p.tax_minor,
    SUM(CASE WHEN t.kind IN ('clawback', 'fee_back', 'tax_back') THEN 1 ELSE 0 END) AS clawed,
    SUM(CASE WHEN t.kind = 'fee_back' THEN t.amount_minor ELSE 0 END) AS fee_back,
    SUM(CASE WHEN t.kind = 'tax_back' THEN t.amount_minor ELSE 0 END) AS tax_back
    FROM refunds r JOIN payments p ON p.id = r.payment_id LEFT JOIN ledger_transfers t ON t.subject = 'refund:' || r.id
    GROUP BY r.id, r.amount_minor, p.payee_minor, p.fee_minor, p.tax_minor"""
BACK = """UPDATE payments SET
    active_reference = (SELECT s.active_reference FROM payment_shares s WHERE s.payment_id = payments.id),
    intended_outcome = (SELECT s.intended_outcome FROM payment_shares s WHERE s.payment_id = payments.id),
    payee_id = (SELECT s.payee_id FROM payment_shares s WHERE s.payment_id = payments.id),
    {amounts}"""


def upgrade() -> None:
    _make_shares()
    dialect = op.get_bind().dialect.name
    op.execute(SHARES.format(lines=LINES[dialect]))
    for row in _rows(ODD):
        parts = _share(row.held, (row.payee_minor, row.fee_minor, row.tax_minor))
        names = dict(zip(("payee", "fee", "tax"), parts, strict=True))
        _do(
            "UPDATE payment_shares SET payee_left_minor = :payee, fee_left_minor = :fee, tax_left_minor = :tax"
            " WHERE id = :id",
            id=row.id,
            **names,
        )
    op.execute(HISTORY)
    if dialect == "postgresql":
        op.execute("SELECT setval('payment_shares_id_seq', (SELECT MAX(id) FROM payment_shares))")
    _refunds_of_shares()
    _receipts_of_shares()
    _accounts("payment", "share", is_now=True)
    _payments_without()
    _tell(_with_share)


def downgrade() -> None:
    several = _rows("SELECT payment_id FROM payment_shares GROUP BY payment_id HAVING COUNT(*) > 1 LIMIT 1")
    other = _rows("SELECT id FROM payment_shares WHERE id <> payment_id OR subsidy_minor > 0 OR lost_minor > 0 LIMIT 1")
    ours = _rows("SELECT id FROM ledger_accounts WHERE purpose IN ('promotions', 'disputed', 'losses') LIMIT 1")
    if several or ours:
        raise click.ClickException(
            "0032: there are payments for several deals, vouchers of the marketplace or chargebacks, for which there is"
            " no place before it. Nothing is changed."
        )
    _tell(_without_share)
    _payments_with()
    _accounts("share", "payment", is_now=False)
    if other:  # a share's id was its payment's as long as there was one each
        _rename_escrows()
    with _changed("receipts", is_now=False) as batch:
        batch.drop_constraint("fk_receipts_share_id", type_="foreignkey")
        batch.drop_column("share_id")
        batch.create_unique_constraint("uq_receipts_payment_id_refund_id", ["payment_id", "refund_id"])
    op.drop_index("ix_refunds_share_id", table_name="refunds")
    with _changed("refunds", is_now=False) as batch:
        batch.drop_constraint("fk_refunds_share_id", type_="foreignkey")
        for column in ("share_id", "fee_minor", "tax_minor", "reclaimed_minor"):
            batch.drop_column(column)
    op.drop_table("payment_shares")
    op.execute("DELETE FROM state_changes WHERE thing = 'payment_share'")


def _make_shares() -> None:
    op.create_table(
        "payment_shares",
        sa.Column("id", BIG, nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("active_reference", sa.String(length=60), nullable=True),
        sa.Column("intended_outcome", sa.String(length=10), nullable=False),
        sa.Column("payee_id", BIG, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("discount_minor", BIG, nullable=False),
        sa.Column("subsidy_minor", BIG, nullable=False),
        sa.Column("fee_minor", BIG, nullable=False),
        sa.Column("tax_minor", BIG, nullable=False),
        sa.Column("payee_minor", BIG, nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("captured_minor", BIG, nullable=False),
        sa.Column("payee_left_minor", BIG, nullable=False),
        sa.Column("fee_left_minor", BIG, nullable=False),
        sa.Column("tax_left_minor", BIG, nullable=False),
        sa.Column("paid_payee_minor", BIG, nullable=False),
        sa.Column("paid_fee_minor", BIG, nullable=False),
        sa.Column("paid_tax_minor", BIG, nullable=False),
        sa.Column("refunded_minor", BIG, nullable=False),
        sa.Column("lost_minor", BIG, nullable=False),
        sa.Column("unsubsidized_minor", BIG, nullable=False),
        sa.Column("releases", BIG, nullable=False),
        sa.Column("available_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount_minor >= 0 AND amount_minor + subsidy_minor > 0", name=op.f("ck_payment_shares_amount")
        ),
        sa.CheckConstraint(
            "fee_minor + tax_minor + payee_minor = amount_minor + subsidy_minor", name=op.f("ck_payment_shares_quote")
        ),
        sa.CheckConstraint(
            "payee_left_minor >= 0 AND fee_left_minor >= 0 AND tax_left_minor >= 0",
            name=op.f("ck_payment_shares_left"),
        ),
        sa.CheckConstraint(
            "paid_payee_minor >= 0 AND paid_fee_minor >= 0 AND paid_tax_minor >= 0",
            name=op.f("ck_payment_shares_paid"),
        ),
        sa.CheckConstraint(
            "refunded_minor >= 0 AND refunded_minor + lost_minor <= captured_minor",
            name=op.f("ck_payment_shares_refunded"),
        ),
        sa.CheckConstraint(
            "unsubsidized_minor >= 0 AND unsubsidized_minor <= subsidy_minor", name=op.f("ck_payment_shares_subsidy")
        ),
        sa.ForeignKeyConstraint(["payee_id"], ["users.id"], name=op.f("fk_payment_shares_payee_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_payment_shares_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_shares")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_payment_shares_payee", "payment_shares", ["payee_id", "status", "payment_id"], unique=False)
    op.create_index("ix_payment_shares_payment_id", "payment_shares", ["payment_id", "id"], unique=False)
    op.create_index("ix_payment_shares_reference", "payment_shares", ["reference", "id"], unique=False)
    op.create_index("ix_payment_shares_available", "payment_shares", ["payee_id", "available_from"], unique=False)
    op.create_index("uq_payment_shares_open_for", "payment_shares", ["active_reference"], unique=True)


def _refunds_of_shares() -> None:
    op.add_column("refunds", sa.Column("share_id", BIG, nullable=True))
    for name in ("fee_minor", "tax_minor", "reclaimed_minor"):
        op.add_column("refunds", sa.Column(name, BIG, nullable=False, server_default="0"))
    op.execute("UPDATE refunds SET share_id = payment_id")
    for row in _rows(UNDONE):
        fee, tax = row.fee_back, row.tax_back
        if not row.clawed:
            _, fee, tax = _share(row.amount_minor, (row.payee_minor, row.fee_minor, row.tax_minor))
        _do("UPDATE refunds SET fee_minor = :fee, tax_minor = :tax WHERE id = :id", id=row.id, fee=fee, tax=tax)
    with _changed("refunds", is_now=True) as batch:
        batch.alter_column("share_id", existing_type=BIG, nullable=False)
        for name in ("fee_minor", "tax_minor", "reclaimed_minor"):
            batch.alter_column(name, existing_type=BIG, server_default=None)
        batch.create_foreign_key("fk_refunds_share_id", "payment_shares", ["share_id"], ["id"])
    op.create_index("ix_refunds_share_id", "refunds", ["share_id", "id"], unique=False)


def _receipts_of_shares() -> None:
    op.add_column("receipts", sa.Column("share_id", BIG, nullable=True))
    op.execute("UPDATE receipts SET share_id = payment_id")
    with _changed("receipts", is_now=True) as batch:
        batch.drop_constraint("uq_receipts_payment_id_refund_id", type_="unique")
        batch.create_foreign_key("fk_receipts_share_id", "payment_shares", ["share_id"], ["id"])


def _accounts(old: str, new: str, *, is_now: bool) -> None:
    op.execute(f"UPDATE ledger_accounts SET key = REPLACE(key, '/{old}:', '/{new}:') WHERE purpose = 'escrow'")
    with _changed("ledger_accounts", is_now=is_now) as batch:
        batch.alter_column("balance_minor", existing_type=BIG, nullable=False)


def _rename_escrows() -> None:
    for row in _rows(
        "SELECT s.id, s.payment_id, p.payer_id, p.currency FROM payment_shares s JOIN payments p ON p.id = s.payment_id"
        " WHERE s.id <> s.payment_id ORDER BY s.id"
    ):
        old, new = (f"escrow/{row.payer_id}/payment:{one}/{row.currency}" for one in (row.id, row.payment_id))
        _do("UPDATE ledger_accounts SET key = :new WHERE key = :old", old=old, new=new)


def _payments_without() -> None:
    for index in ("ix_payments_payee", "uq_payments_open_for"):
        op.drop_index(index, table_name="payments")
    op.add_column("payments", sa.Column("lost_minor", BIG, nullable=False, server_default="0"))
    op.add_column("payments", sa.Column("is_frozen", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE payments SET intended_outcome = CASE WHEN intended_outcome = 'call_off' THEN 'call_off' ELSE 'hold' END"
    )
    with _changed("payments", is_now=True) as batch:
        batch.drop_constraint("fk_payments_payee_id", type_="foreignkey")
        for column in MOVED:
            batch.drop_column(column)
        batch.alter_column("lost_minor", existing_type=BIG, server_default=None)
        batch.alter_column("is_frozen", existing_type=sa.Boolean(), server_default=None)
    frozen = sa.text("is_frozen")
    op.create_index(
        "ix_payments_frozen", "payments", ["id"], unique=False, postgresql_where=frozen, sqlite_where=frozen
    )


def _payments_with() -> None:
    op.drop_index("ix_payments_frozen", table_name="payments")
    amounts = [name for name in MOVED if name.endswith("_minor")]
    op.add_column("payments", sa.Column("active_reference", sa.String(length=60), nullable=True))
    op.add_column("payments", sa.Column("payee_id", BIG, nullable=True))
    op.add_column("payments", sa.Column("fee_rule", sa.String(length=60), nullable=True))
    for name in amounts:
        op.add_column("payments", sa.Column(name, BIG, nullable=True))
    of_share = "(SELECT s.{0} FROM payment_shares s WHERE s.payment_id = payments.id)"
    op.execute(BACK.format(amounts=", ".join(f"{name} = {of_share.format(name)}" for name in amounts)))
    for row in _rows("SELECT payment_id, lines FROM payment_shares"):
        lines = row.lines if isinstance(row.lines, list) else json.loads(row.lines)
        rule = lines[0]["rule"] if lines else ""
        _do("UPDATE payments SET fee_rule = :rule WHERE id = :id", id=row.payment_id, rule=rule)
    with _changed("payments", is_now=False) as batch:
        for column in ("lost_minor", "is_frozen"):
            batch.drop_column(column)
        batch.alter_column("fee_rule", existing_type=sa.String(length=60), nullable=False)
        for name in ("payee_id", *amounts):
            batch.alter_column(name, existing_type=BIG, nullable=False)
        batch.create_foreign_key("fk_payments_payee_id", "users", ["payee_id"], ["id"])
    op.create_index("ix_payments_payee", "payments", ["payee_id", "status", "id"], unique=False)
    op.create_index("uq_payments_open_for", "payments", ["active_reference"], unique=True)


@contextmanager
def _changed(table: str, *, is_now: bool) -> Iterator[Any]:
    """A table being altered, with the checks of now or of before."""
    old, new = CHECKS[table][not is_now], CHECKS[table][is_now]
    with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True}) as batch:
        for name in (name for name, check in old.items() if new.get(name) != check):
            batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        yield batch
        for name, check in new.items():
            if old.get(name) != check:
                batch.create_check_constraint(op.f(f"ck_{table}_{name}"), check)


def _tell(change: Any) -> None:
    connection = op.get_bind()
    outbox = sa.table("outbox", sa.column("id"), sa.column("name"), sa.column("payload", sa.JSON), sa.column("done_at"))
    columns = (outbox.c.id, outbox.c.name, outbox.c.payload)
    waiting = sa.select(*columns).where(outbox.c.name.in_(FACTS), outbox.c.done_at.is_(None))
    for row in connection.execute(waiting).all():
        told = dict(row.payload if isinstance(row.payload, dict) else json.loads(row.payload))
        change(row.name, told)
        connection.execute(sa.update(outbox).where(outbox.c.id == row.id).values(payload=told))


def _with_share(name: str, told: dict[str, Any]) -> None:
    told["share_id"] = told["payment_id"]
    if name == "PaymentReleased":
        paid = _rows(
            "SELECT captured_minor - refunded_minor AS minor FROM payments WHERE id = :id", id=told["share_id"]
        )
        told |= {"nth": 1, "gross_minor": int(paid[0].minor) if paid else told["amount_minor"]}


def _without_share(name: str, told: dict[str, Any]) -> None:
    for key in ("share_id", "nth", "gross_minor"):
        told.pop(key, None)


def _share(total: int, weights: tuple[int, ...]) -> list[int]:
    """By the largest remainder, as the application does it."""
    whole = sum(weights)
    parts = [divmod(total * weight, whole) for weight in weights]
    first = sorted(range(len(weights)), key=lambda place: -parts[place][1])
    lucky = set(first[: total - sum(part for part, _ in parts)])
    return [part + (place in lucky) for place, (part, _) in enumerate(parts)]


def _rows(statement: str, **values: Any) -> list[Any]:
    return list(op.get_bind().execute(sa.text(statement), values))


def _do(statement: str, **values: Any) -> None:
    op.get_bind().execute(sa.text(statement), values)
