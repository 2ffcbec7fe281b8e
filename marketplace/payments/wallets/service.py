"""Parts of a wallet: money that came by one provider lies there, and leaves by that one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from marketplace.auth.service import hold
from marketplace.core.database.db import fetch
from marketplace.kit.errors import Conflict
from marketplace.kit.money import Money
from marketplace.payments.ledger.models import LedgerAccount
from marketplace.payments.ledger.service import NotEnough
from marketplace.payments.models import Payee
from marketplace.payments.providers.registry import providers
from marketplace.payments.wallets import settlement


class ProviderGone(Conflict):
    """409: money lies at a provider that the settings do not name any more."""

    code = "provider_gone"


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a wallet at one provider in minor units; below zero is a debt there. Not part of it is what a bank
    disputes (chargebacks/). `settled_minor` of it can be paid out now, the rest by `settling`: from when, how much."""

    provider: str
    minor: int
    currency: str
    is_ready: bool = False
    settled_minor: int = 0
    settling: tuple[tuple[datetime, int], ...] = ()

    def available_from(self, minor: int) -> datetime | None:
        """When this much of it can be paid out; None for now."""
        missing = minor - self.settled_minor
        for moment, amount in self.settling:
            if missing <= 0:
                break
            missing -= amount
            last = moment
        return None if minor <= self.settled_minor or not self.settling else last

    @property
    def is_set_up(self) -> bool:
        """Whether the settings name the provider."""
        return self.provider in providers()

    def __str__(self) -> str:
        return f"{_amount(abs(self.minor), self.currency)} {'owed ' if self.minor < 0 else ''}at {self.provider}"


def parts(user_id: int, currency: str) -> list[Part]:
    """The parts of a wallet that are not empty: those that can be paid out first, then in the order of the settings.
    The person is locked until the commit, as the ledger guards each account alone and knows nothing of debts at
    another provider, of chargebacks and of what is not settled."""
    hold(user_id)
    return _parts(user_id, currency)


def demand(found: Sequence[Part], minor: int, currency: str) -> None:
    """Raises NotEnough (409) where the sum of all parts, debts included, is less."""
    total = total_of(found)
    if minor <= total:
        return
    there = f"{_amount(abs(total), currency)} is {'owed' if total < 0 else 'there'}"
    each = f" ({', '.join(map(str, found))})" if len(found) > 1 else ""
    raise NotEnough(f"There is not enough money for this: {there}{each}.")


def divide(found: Sequence[Part], minor: int, currency: str) -> list[tuple[str, int]]:
    """(provider, minor units) to send: from one part if it has all of it, else from as few as can be. Raises NotEnough,
    ProviderGone (409)."""
    rich = [part for part in found if part.minor >= minor and part.is_set_up]
    shares, left = [], minor
    for part in rich[:1] or sorted(found, key=lambda part: (not part.is_set_up, not part.is_ready, -part.minor)):
        share = min(left, max(part.minor, 0))
        if share and not part.is_set_up:
            amount = _amount(share, currency)
            raise ProviderGone(f"{amount} of this is at {part.provider}, which pays nobody out here any more. Ask us.")
        shares.append((part.provider, share))
        left -= share
    if left:
        raise NotEnough(f"There is not enough money for this: {', '.join(map(str, found)) or 'nothing'} is there.")
    return [(name, share) for name, share in shares if share]


def owed(user_id: int, currency: str) -> bool:
    """Whether somebody's parts together are below zero: what was earned went back, or a bank disputes it, while a
    payout of it waits. The person is locked until the commit."""
    return total_of(parts(user_id, currency)) < 0


def is_disputed(user_id: int, currency: str) -> bool:
    """Whether a bank disputes something that they have got in this currency."""
    return any(minor for (_, money), minor in settlement.frozen(user_id).items() if money == currency)


def total_of(found: Sequence[Part]) -> int:
    """What can be paid out: a debt at one provider is kept back at the others, though never taken from there."""
    return sum(part.minor for part in found)


def unready(user_id: int) -> list[str]:
    """Providers where somebody has money and is not onboarded."""
    mine = select(LedgerAccount.currency).where(LedgerAccount.owner_id == user_id, LedgerAccount.balance_minor > 0)
    found = [
        part
        for row in fetch(mine.where(LedgerAccount.purpose == "available").distinct())
        for part in _parts(user_id, row.currency)
    ]
    waiting = {part.provider for part in found if part.minor > 0 and not part.is_ready}
    return [name for name in providers() if name in waiting]


def _parts(user_id: int, currency: str) -> list[Part]:
    account = LedgerAccount
    theirs = (account.owner_id == user_id, account.purpose == "available", account.currency == currency)
    ready = select(Payee.provider).where(Payee.user_id == user_id, Payee.is_ready)
    known = {row.provider for row in fetch(ready)}
    rows = fetch(select(account.provider, account.balance_minor).where(*theirs, account.balance_minor != 0))
    minors = Counter({row.provider: row.balance_minor for row in rows})
    minors.subtract({name: minor for (name, money), minor in settlement.frozen(user_id).items() if money == currency})
    unsettled, found = settlement.unsettled(user_id), []
    for name, minor in minors.items():
        settling = unsettled.get((name, currency), settlement.NOTHING).of(minor)
        settled = minor - sum(amount for _, amount in settling)
        found.append(Part(name, minor, currency, name in known, settled, settling))
    order = {name: place for place, name in enumerate(providers())}
    return sorted(found, key=lambda part: (not part.is_set_up, not part.is_ready, order.get(part.provider, 0)))


def _amount(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).exact} {currency}"
