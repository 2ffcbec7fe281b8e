"""Who should have what, counted again in plain integers from what people did and what the provider's book says.

Nothing of the ledger is read here, and none of its arithmetic is used: shares are counted with fractions.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from math import floor

EXPONENT = {"EUR": 2, "JPY": 0, "KWD": 3}
PERCENT, TAX, FIXED = Fraction(125, 1000), Fraction(21, 100), {"EUR": 30}
FEES = '[[rule]]\nname = "model"\npercent = "12.5"\ntax_percent = "21"\nfixed = {EUR = "0.30"}\n'
Balances = Counter[tuple[str, int, str]]  # (purpose, whose or 0, currency) → minor units


def half_up(amount: Fraction) -> int:
    """To the nearest whole, a half up."""
    return floor(amount + Fraction(1, 2))


def shares(total: int, weights: tuple[int, ...]) -> list[int]:
    """In proportion; what is left over goes, one each, to the largest fractions, of equal ones to the first."""
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [floor(one) for one in exact]
    by_rest = sorted(range(len(weights)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_rest[: total - sum(parts)]:
        parts[place] += 1
    return parts


def without(parts: list[int], total: int) -> list[int]:
    """What each has once so much was taken from all in proportion."""
    taken = shares(total, tuple(parts)) if total else [0] * len(parts)
    return [had - part for had, part in zip(parts, taken, strict=True)]


def quoted(price: int, currency: str) -> tuple[int, int, int]:
    """What of a price is the payee's, the fee and the tax on it."""
    fee = min(half_up(price * PERCENT) + FIXED.get(currency, 0), price)
    tax = half_up(fee * TAX)
    if fee + tax > price:
        fee, tax = shares(price, (fee, tax))
    return price - fee - tax, fee, tax


@dataclass
class Paid:
    """One payment: `steps` are what was done to it, in order: ("refund", so much), ("release", 0), ("call_off", 0)."""

    id: int
    key: str
    payer: int
    payee: int
    currency: str
    price: int
    is_new: bool = True
    captured: int = 0
    comes_back: bool = False  # the payer's card takes no refunds
    steps: list[tuple[str, int]] = field(default_factory=list)

    def left(self) -> int:
        """What was not given back."""
        back = 0
        for verb, amount in self.steps:
            back += amount if verb == "refund" else self.price - back if verb == "call_off" else 0
        return self.price - back

    def book(self, have: Balances) -> None:
        """Add where its money is in the end."""
        if not self.captured:
            return
        held, shared = list(quoted(self.price, self.currency)), [0, 0, 0]
        for verb, amount in self.steps:
            if verb == "release":
                shared = [had + part for had, part in zip(shared, held, strict=True)]
                held = [0, 0, 0]
            back = {"refund": amount, "call_off": sum(held)}.get(verb, 0)
            if not back:
                continue
            out = min(back, sum(held))
            held = without(held, out)
            shared = without(shared, back - out)
            if self.comes_back:
                have["available", self.payer, self.currency] += back
            else:
                have["provider", 0, self.currency] += back
        have["provider", 0, self.currency] -= self.captured
        have["available", self.payee, self.currency] += shared[0]
        have["fees", 0, self.currency] += shared[1]
        have["taxes", 0, self.currency] += shared[2]
        have["escrow", self.payer, self.currency] += sum(held)


@dataclass
class Sent:
    """One payout; `fate` is what the provider says of it, "" where it has not heard of it."""

    id: int
    key: str
    user: int
    currency: str
    amount: int
    cancelled: bool = False
    fate: str = ""

    def book(self, have: Balances) -> None:
        """Add where its money is in the end."""
        if self.cancelled or self.fate == "failed":
            return
        have["available", self.user, self.currency] -= self.amount
        if self.fate == "done":
            have["provider", 0, self.currency] += self.amount
        else:
            have["payout", self.user, self.currency] += self.amount


@dataclass
class Deal:
    """A task and the payments for it, the last one the one that counts."""

    task_id: int
    owner: int
    currency: str
    price: int
    state: str = "open"
    worker: int = 0
    paid: list[Paid] = field(default_factory=list)
    done_at: datetime | None = None

    def then(self, verb: str, amount: int = 0) -> None:
        """Something was done to the payment that counts."""
        if self.paid:
            self.paid[-1].steps.append((verb, amount))
