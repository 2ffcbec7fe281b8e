"""Money knows at which provider it lies, and an application the budget it was made for.

A wallet (and what moves through it) was one account for all providers; each transfer tells by what it is about whose
money it was. An account of one provider gets a new key. One of several becomes several: its transfers keep their ids,
keys, amounts, times and order, and name the account of their provider, with the balance that one had then.

Revision ID: 0023
Revises: 0022
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFUSED = "transfers are never changed"
SPLIT = "('available', 'payout', 'refund', 'fees', 'taxes', 'plans')"
OF_ESCROWS = """UPDATE ledger_accounts SET provider = COALESCE((SELECT d.provider FROM ledger_transfers t
    JOIN ledger_accounts d ON d.id = t.debit_id WHERE t.credit_id = ledger_accounts.id AND d.purpose = 'provider'
    ORDER BY t.id LIMIT 1), '') WHERE purpose = 'escrow'"""
# Where neither side says it (from a wallet to the bank or back to the card), the payout or refund does.
SIDES = """(SELECT t.id, t.debit_id, t.credit_id, t.amount_minor,
    COALESCE(NULLIF(d.provider, ''), NULLIF(c.provider, ''), p.provider, o.provider, '') AS provider
    FROM ledger_transfers t
    JOIN ledger_accounts d ON d.id = t.debit_id JOIN ledger_accounts c ON c.id = t.credit_id
    LEFT JOIN refunds r ON r.id = CASE WHEN t.subject LIKE 'refund:%' THEN CAST(SUBSTR(t.subject, 8) AS BIGINT) END
    LEFT JOIN payments p ON p.id = r.payment_id
    LEFT JOIN payouts o ON o.id = CASE WHEN t.subject LIKE 'payout:%' THEN CAST(SUBSTR(t.subject, 8) AS BIGINT) END
    ) sides"""
# Every account to be split with every provider whose money it ever had, the first one first.
OWNERS = f"""SELECT a.id, a.key, a.owner_id, m.provider FROM (
    SELECT account_id, provider, MIN(id) AS first_id FROM (
    SELECT debit_id AS account_id, provider, id FROM {SIDES} UNION ALL SELECT credit_id, provider, id FROM {SIDES}) b
    GROUP BY account_id, provider) m
    JOIN ledger_accounts a ON a.id = m.account_id WHERE a.purpose IN {SPLIT} ORDER BY a.id, m.first_id"""
# What was spent at another provider than the one it came by, before the two were told apart.
OWING = """SELECT a.owner_id, a.provider, a.currency, a.balance_minor FROM ledger_accounts a
    WHERE a.purpose = 'available' AND a.balance_minor < 0 AND EXISTS (SELECT 1 FROM ledger_accounts b
    WHERE b.owner_id = a.owner_id AND b.purpose = 'available' AND b.currency = a.currency AND b.balance_minor > 0)
    ORDER BY a.owner_id, a.id"""
TOUCHING = "WHERE debit_id IN :accounts OR credit_id IN :accounts ORDER BY id"


def upgrade() -> None:
    op.add_column("applications", sa.Column("budget_minor", BIG))
    op.execute(
        "UPDATE applications SET budget_minor = (SELECT t.budget_minor FROM tasks t WHERE t.id = applications.task_id"
        " AND t.currency = applications.currency) WHERE proposed_price_minor IS NULL"
    )
    op.add_column("ledger_accounts", sa.Column("provider", sa.String(length=20), nullable=False, server_default=""))
    for row in _rows("SELECT id, key FROM ledger_accounts WHERE purpose = 'provider'"):
        _do("UPDATE ledger_accounts SET provider = :provider WHERE id = :id", id=row.id, provider=_about(row.key))
    op.execute(OF_ESCROWS)
    _by_provider()
    for row in _rows(OWING):
        click.echo(
            f"User {row.owner_id} has {row.balance_minor} (minor units of {row.currency}) at {row.provider or 'no provider'}"
            " and money at another provider: more was paid out or given back there than had come by it."
        )


def downgrade() -> None:
    _together()
    op.drop_column("ledger_accounts", "provider")
    op.drop_column("applications", "budget_minor")


def _by_provider() -> None:
    ids: dict[tuple[int, str], int] = {}  # (the account of before, provider) → the account of now
    of: dict[int, list[int]] = defaultdict(list)
    owners = _rows(OWNERS)
    sides = [(row.id, row.provider) for row in owners]
    several = [account_id for account_id, count in Counter(old for old, _ in sides).items() if count > 1]
    moving = _rows(f"SELECT * FROM {SIDES} {TOUCHING}", accounts=several) if several else []
    for row in owners:
        ids[row.id, row.provider] = _account_for(row, is_first=not of[row.id])
        of[row.id].append(ids[row.id, row.provider])
    moved = [
        (
            row,
            ids.get((row.debit_id, row.provider), row.debit_id),
            ids.get((row.credit_id, row.provider), row.credit_id),
        )
        for row in moving
    ]
    with _changeable():
        _write(moved, {one for old in several for one in of[old]})


def _account_for(old: Any, *, is_first: bool) -> int:
    """The first provider keeps the row."""
    purpose, whose, _, currency = old.key.split("/")
    key = f"{purpose}/{whose}/{old.provider}/{currency}"
    if is_first:
        _do("UPDATE ledger_accounts SET key = :key, provider = :p WHERE id = :id", id=old.id, key=key, p=old.provider)
        return int(old.id)
    about = {"key": key, "owner": old.owner_id, "purpose": purpose, "currency": currency, "p": old.provider}
    _do(
        "INSERT INTO ledger_accounts (key, owner_id, purpose, currency, provider, balance_minor)"
        " VALUES (:key, :owner, :purpose, :currency, :p, 0)",
        **about,
    )
    return int(_rows("SELECT id FROM ledger_accounts WHERE key = :key", key=key)[0].id)


def _together() -> None:
    """The accounts of a person, purpose and currency become the oldest of them again."""
    groups: dict[str, list[int]] = defaultdict(list)
    for row in _rows(f"SELECT id, key FROM ledger_accounts WHERE purpose IN {SPLIT} ORDER BY id"):
        purpose, whose, _, currency = row.key.split("/")
        groups[f"{purpose}/{whose}//{currency}"].append(row.id)
    into = {one: ids[0] for ids in groups.values() for one in ids}
    several = [one for ids in groups.values() if len(ids) > 1 for one in ids]
    with _changeable():
        if several:
            moved = [
                (row, into.get(row.debit_id, row.debit_id), into.get(row.credit_id, row.credit_id))
                for row in _rows(f"SELECT * FROM ledger_transfers {TOUCHING}", accounts=several)
            ]
            _write(moved, {into[one] for one in several})
        for one in several:
            if into[one] != one:
                _do("DELETE FROM ledger_accounts WHERE id = :id", id=one)
        for key, ids in groups.items():
            _do("UPDATE ledger_accounts SET key = :key WHERE id = :id", id=ids[0], key=key)


def _write(moved: list[tuple[Any, int, int]], counted: set[int]) -> None:
    """Name the accounts, and count again what each of `counted` had after each of its transfers."""
    have: dict[int, int] = defaultdict(int)
    for row, debit, credit in moved:
        have[debit] -= row.amount_minor
        have[credit] += row.amount_minor
        for side, account_id in (("debit", debit), ("credit", credit)):
            if account_id in counted:
                _do(
                    f"UPDATE ledger_transfers SET {side}_id = :account, {side}_after = :after WHERE id = :id",
                    id=row.id,
                    account=account_id,
                    after=have[account_id],
                )
    for account_id in sorted(counted):
        _do("UPDATE ledger_accounts SET balance_minor = :b WHERE id = :id", id=account_id, b=have[account_id])


@contextmanager
def _changeable() -> Iterator[None]:
    """The triggers that keep transfers as they are, out of the way and back again."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        op.execute("DROP TRIGGER ledger_transfers_UPDATE")
    else:
        op.execute("ALTER TABLE ledger_transfers DISABLE TRIGGER ledger_transfers_change")
    yield
    if is_sqlite:
        op.execute(
            "CREATE TRIGGER ledger_transfers_UPDATE BEFORE UPDATE ON ledger_transfers"
            f" BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        )
    else:
        op.execute("ALTER TABLE ledger_transfers ENABLE TRIGGER ledger_transfers_change")


def _about(key: str) -> str:
    return key.split("/")[2]


def _rows(statement: str, **values: Any) -> list[Any]:
    asked = sa.text(statement)
    if "accounts" in values:
        asked = asked.bindparams(sa.bindparam("accounts", expanding=True))
    return list(op.get_bind().execute(asked, values))


def _do(statement: str, **values: Any) -> None:
    op.get_bind().execute(sa.text(statement), values)
