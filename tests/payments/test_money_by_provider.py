"""Wallets of before the split: each part goes to the provider it came by, down and up again."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
from flask import Flask
from sqlalchemy import MetaData, text

from marketplace.core.database.db import db
from marketplace.payments.ledger.invariants import findings
from tests.conftest import make_app

BEFORE, AFTER = "0022", "0023"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = {int: 0, bool: False, str: "", datetime: MOMENT, dict: {}, float: 0.0}  # what a row does not say
PAID = {"payer_id": 1, "payee_id": 2, "amount_minor": 1000, "fee_minor": 100, "payee_minor": 900, "currency": "EUR"}
PAID |= {"captured_minor": 1000, "captured_at": MOMENT, "status": "released", "wish": "release"}
ACCOUNTS = (
    *((1, "provider/-/stripe/EUR", None), (2, "provider/-/paypal/EUR", None)),
    *((3, "escrow/1/payment:1/EUR", 1), (4, "escrow/1/payment:2/EUR", 1), (5, "available/2//EUR", 2)),
    *((6, "fees/-//EUR", None), (7, "refund/1//EUR", 1), (8, "payout/2//EUR", 2)),
)
# 10 by each provider, 9 of it earned; 5 of PayPal's on the way back, 4.50 of it earned, and 6 of Stripe's to the bank
TRANSFERS = (
    *((1, 3, 1000, "payment:1", "hold"), (3, 5, 900, "payment:1", "release"), (3, 6, 100, "payment:1", "fee")),
    *((2, 4, 1000, "payment:2", "hold"), (4, 5, 900, "payment:2", "release"), (4, 6, 100, "payment:2", "fee")),
    *((5, 7, 450, "refund:1", "clawback"), (6, 7, 50, "refund:1", "fee_back"), (5, 8, 600, "payout:1", "payout")),
)
SPLIT = {
    **{"available/2/stripe/EUR": 300, "available/2/paypal/EUR": 450, "payout/2/stripe/EUR": 600},
    **{"refund/1/paypal/EUR": 500, "fees/-/stripe/EUR": 100, "fees/-/paypal/EUR": 50},
    **{"provider/-/stripe/EUR": -1000, "provider/-/paypal/EUR": -1000},
    **{"escrow/1/payment:1/EUR": 0, "escrow/1/payment:2/EUR": 0},
}
TOGETHER = {"available/2//EUR": 750, "payout/2//EUR": 600, "refund/1//EUR": 500, "fees/-//EUR": 150}


@pytest.fixture
def past(database: str, urls: dict[str, str], tmp_path: Path) -> Flask:
    """An application on an empty database of its own."""
    if database == "sqlite":
        return make_app(f"sqlite:///{tmp_path / 'past.db'}")
    server, _, name = urls["postgres"].rpartition("/")
    with psycopg.connect(urls["postgres"], autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}_past"')
    return make_app(f"{server}/{name}_past")


def test_a_wallet_of_two_providers_becomes_two_and_one_again(past: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    with past.app_context():
        flask_migrate.upgrade(revision=BEFORE)
        _live()
        whole = _transfers()

        for _ in range(2):
            flask_migrate.upgrade(revision=AFTER)
            assert _balances() == SPLIT
            flask_migrate.upgrade()
            assert findings() == []
            db.session.remove()
            for change in ("UPDATE ledger_transfers SET amount_minor = 1", "DELETE FROM ledger_transfers"):
                with pytest.raises(Exception, match="never changed"):
                    _do(change)
            flask_migrate.downgrade(revision=BEFORE)
            assert {key: had for key, had in _balances().items() if key in TOGETHER} == TOGETHER
            assert _transfers() == whole

        assert "User" not in capsys.readouterr().out
        _do("UPDATE payouts SET provider = 'paypal'")  # 6 of what had come by Stripe
        flask_migrate.upgrade(revision=AFTER)
        assert "User 2 has -150 (minor units of EUR) at paypal" in capsys.readouterr().out
        db.session.remove()
        db.engine.dispose()


def _live() -> None:
    """Two payments, a refund and a payout, in the books of then."""
    tables = MetaData()
    tables.reflect(db.engine)

    def insert(table: str, **values: Any) -> None:
        columns = [column for column in tables.tables[table].columns if not (column.nullable or column.server_default)]
        empty = {column.name: NOTHING.get(column.type.python_type, "") for column in columns if column.name != "id"}
        with db.engine.begin() as connection:
            connection.execute(tables.tables[table].insert().values({**empty, **values}))

    for number, name in ((1, "payer"), (2, "payee")):
        insert("users", id=number, username=name, username_key=name, email=name)
    insert("payments", id=1, key="a", provider="stripe", **PAID, paid_payee_minor=900, paid_fee_minor=100)
    insert(
        "payments",
        id=2,
        key="b",
        provider="paypal",
        **PAID,
        paid_payee_minor=450,
        paid_fee_minor=50,
        refunded_minor=500,
    )
    insert("receipt_series", name="2026", last=2)
    for number in (1, 2):
        insert("receipts", series="2026", number=number, subject=f"payment:{number}", payment_id=number)
    insert("refunds", id=1, key="r", payment_id=2, amount_minor=500, currency="EUR", status="pending")
    insert("payouts", id=1, key="o", user_id=2, provider="stripe", amount_minor=600, currency="EUR", status="requested")
    have = _counted(TRANSFERS)
    for number, key, owner in ACCOUNTS:
        about = {"id": number, "key": key, "owner_id": owner, "purpose": key.partition("/")[0], "currency": "EUR"}
        insert("ledger_accounts", **about, balance_minor=have[number])
    for number, (debit, credit, amount, subject, kind) in enumerate(TRANSFERS, 1):
        had = _counted(TRANSFERS[:number])
        sides = {"debit_id": debit, "credit_id": credit, "debit_after": had[debit], "credit_after": had[credit]}
        about = {"id": number, "key": f"{subject}:{kind}", "amount_minor": amount, "currency": "EUR"}
        insert("ledger_transfers", **about, **sides, kind=kind, subject=subject)
    if db.engine.dialect.name == "postgresql":  # ids were given by hand
        _do("SELECT setval(pg_get_serial_sequence('ledger_accounts', 'id'), 8)")


def _counted(transfers: Sequence[tuple[int, int, int, str, str]]) -> Counter[int]:
    """Account → balance."""
    have: Counter[int] = Counter()
    for debit, credit, amount, _, _ in transfers:
        have[debit] -= amount
        have[credit] += amount
    return have


def _do(statement: str, **values: Any) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(statement), values)


def _balances() -> dict[str, int]:
    with db.engine.connect() as connection:
        return {row.key: row.balance_minor for row in connection.execute(text("SELECT * FROM ledger_accounts"))}


def _transfers() -> list[tuple[Any, ...]]:
    columns = "id, debit_id, credit_id, amount_minor, debit_after, credit_after"
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM ledger_transfers ORDER BY id"))]
