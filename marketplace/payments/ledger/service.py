"""Posting transfers: the only writer of accounts and transfers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update

from marketplace.core.database.db import execute, fetch
from marketplace.core.http.access import demand_money_scope
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import Money
from marketplace.payments.ledger.models import LedgerAccount, Transfer

ACCOUNTS, TRANSFERS = table_of(LedgerAccount), table_of(Transfer)
ALWAYS_NEGATIVE = frozenset({"provider", "promotions", "disputed", "losses"})
MAY_BE_NEGATIVE = ALWAYS_NEGATIVE | {"available"}


class NotEnough(Conflict):
    """409: the account's balance is below the amount."""

    code = "not_enough"
    sentence = "There is not enough money for this."

    @classmethod
    def with_only(cls, minor: int, currency: str) -> "NotEnough":
        """With a sentence that says how much there is."""
        there = f"{Money(abs(minor), currency).exact} {currency} is {'owed' if minor < 0 else 'there'}"
        return cls(f"There is not enough money for this: {there}.")


@dataclass(frozen=True, slots=True)
class Account:
    """Names an account, which is opened by its first posting.

    `provider` is where its money lies. `about` tells accounts of one owner, purpose and provider apart: the share
    of a payment ("share:7") of an escrow.
    """

    purpose: str
    currency: str
    provider: str
    owner_id: int | None = None
    about: str = ""

    @property
    def key(self) -> str:
        """Its unique name in the ledger."""
        whose = "-" if self.owner_id is None else str(self.owner_id)
        return f"{self.purpose}/{whose}/{self.about or self.provider}/{self.currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One transfer to be made; a `key` is posted once, however often it is asked for."""

    key: str
    debit: Account
    credit: Account
    amount_minor: int
    kind: str
    reference: str
    subject: str


_by_key = select(ACCOUNTS.c.key, ACCOUNTS.c.id).where(ACCOUNTS.c.key.in_(bindparam("keys", expanding=True)))
_posted = select(TRANSFERS.c.key).where(TRANSFERS.c.key.in_(bindparam("keys", expanding=True)))
_move = (
    update(ACCOUNTS)
    .where(ACCOUNTS.c.id == bindparam("account_id"))
    .values(balance_minor=ACCOUNTS.c.balance_minor + bindparam("change"))
    .returning(ACCOUNTS.c.balance_minor)
)


def post(lines: Sequence[Posting], *, allow_negative: bool = False) -> None:
    """Make these transfers in the running transaction, those of nothing and those posted before left out.

    Raises NotEnough (409) where an account would fall below zero; a seller's may with `allow_negative`.
    """
    wanted = [line for line in lines if line.amount_minor > 0]
    _demand_one_provider(wanted)
    done = {row.key for row in fetch(_posted, {"keys": [line.key for line in wanted]})} if wanted else set()
    fresh = [line for line in wanted if line.key not in done]
    if not fresh:
        return
    demand_money_scope()
    ids = _open([account for line in fresh for account in (line.debit, line.credit)])
    ends = _move_all(fresh, ids, allow_negative=allow_negative)
    execute(insert(TRANSFERS), _rows(fresh, ids, ends))


def _demand_one_provider(lines: list[Posting]) -> None:
    """Money at one provider never becomes money at another: ValueError for such a posting."""
    for line in lines:
        if line.debit.provider != line.credit.provider:
            raise ValueError(f"{line.key} would move money from {line.debit.key} to {line.credit.key}")


def _open(accounts: list[Account]) -> dict[str, int]:
    """Account ids by key, new accounts made."""
    wanted = {account.key: account for account in accounts}
    ids = {row.key: row.id for row in fetch(_by_key, {"keys": list(wanted)})}
    missing = [wanted[key] for key in sorted(wanted.keys() - ids.keys())]
    if missing:
        execute(insert(ACCOUNTS), [_new(account) for account in missing])
        ids = {row.key: row.id for row in fetch(_by_key, {"keys": list(wanted)})}
    return ids


def _new(account: Account) -> JsonObject:
    about = {name: getattr(account, name) for name in ("key", "purpose", "currency", "provider", "owner_id")}
    return {"balance_minor": 0, **about}


def _move_all(lines: list[Posting], ids: dict[str, int], *, allow_negative: bool) -> dict[int, int]:
    """Change each account once, by the sum of its postings, in the order of ids so that two posts never deadlock;
    returns the balances by id."""
    changes: dict[int, int] = defaultdict(int)
    for line in lines:
        changes[ids[line.debit.key]] -= line.amount_minor
        changes[ids[line.credit.key]] += line.amount_minor
    purposes = {ids[a.key]: a.purpose for line in lines for a in (line.debit, line.credit)}
    currencies = {ids[a.key]: a.currency for line in lines for a in (line.debit, line.credit)}
    ends = {}
    for account_id in sorted(changes):
        change = changes[account_id]
        ends[account_id] = _change(account_id, change)
        owes = purposes[account_id] in (MAY_BE_NEGATIVE if allow_negative else ALWAYS_NEGATIVE)
        if ends[account_id] < 0 and change < 0 and not owes:
            raise NotEnough.with_only(ends[account_id] - change, currencies[account_id])
    return ends


def _change(account_id: int, change: int) -> int:
    """The new balance; one UPDATE … RETURNING, so that of two at once the second sees the first."""
    return int(fetch(_move, {"account_id": account_id, "change": change})[0].balance_minor)


def _rows(lines: list[Posting], ids: dict[str, int], ends: dict[int, int]) -> list[JsonObject]:
    """The rows of the transfers, with balances counted back from the final ones."""
    after, rows = dict(ends), list[JsonObject]()
    for line in reversed(lines):
        debit, credit = ids[line.debit.key], ids[line.credit.key]
        rows.append(
            {
                "key": line.key,
                "debit_id": debit,
                "credit_id": credit,
                "currency": line.debit.currency,
                "amount_minor": line.amount_minor,
                "debit_after": after[debit],
                "credit_after": after[credit],
                "kind": line.kind,
                "reference": line.reference,
                "subject": line.subject,
                "created_at": now(),
            }
        )
        after[debit] += line.amount_minor
        after[credit] -= line.amount_minor
    return rows[::-1]
