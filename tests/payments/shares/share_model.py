"""Who should have what of payments for several sellers, counted again in plain integers and fractions.

Nothing of the ledger is read here, and none of its arithmetic is used.
"""

from collections import Counter
from dataclasses import dataclass, field

from tests.payments.money_model import Balances, quoted, shares, without


@dataclass
class Part:
    """One seller's part of a payment: `left` is in escrow, `paid` with payee, fee and tax; `back` went to the payer."""

    reference: str
    payee: int
    price: int
    subsidy: int
    currency: str
    wanted: str = "hold"
    status: str = "open"
    left: list[int] = field(default_factory=lambda: [0, 0, 0])
    paid: list[int] = field(default_factory=lambda: [0, 0, 0])
    back: int = 0
    lost: int = 0
    saved: int = 0

    @property
    def owed(self) -> int:
        """What of the payer's money could still go back."""
        return 0 if self.status == "open" else self.price - self.subsidy - self.back - self.lost

    def hold(self) -> None:
        """The money came."""
        self.left, self.status = list(quoted(self.price, self.currency)), "held"

    def release(self, amount: int) -> None:
        """So much leaves the escrow for the seller."""
        left = without(self.left, amount)
        self.paid = [had + before - now for had, before, now in zip(self.paid, self.left, left, strict=True)]
        self.left = left
        self.settle()

    def take(self, amount: int, subsidy: int | None = None) -> None:
        """So much of the payer's money leaves, and the voucher with it."""
        there = self.subsidy - self.saved
        if subsidy is None:
            subsidy = there if amount == self.owed else (2 * there * amount + self.owed) // (2 * self.owed)
        out = min(amount + subsidy, sum(self.left))
        self.left = without(self.left, out)
        self.paid = without(self.paid, amount + subsidy - out)
        self.saved += subsidy

    def settle(self) -> None:
        """Where it is over."""
        if not sum(self.left) and (self.status == "held" or not sum(self.paid)):
            self.status = "released" if sum(self.paid) else "refunded"

    def divide(self, to_payee: int) -> int:
        """So much for the seller, the rest goes back; returns what of it is the payer's."""
        rest = sum(self.left) - to_payee
        mine = shares(rest, (self.owed, self.subsidy - self.saved))[0] if rest else 0
        if rest:
            self.take(mine, rest - mine)
            self.back += mine
            self.settle()
        if to_payee:
            self.release(to_payee)
        return mine


@dataclass
class Bought:
    """A payment for one to five parts at a provider; `sent_back` is what refunds are to bring."""

    id: int
    key: str
    provider: str
    payer: int
    currency: str
    parts: list[Part]
    comes_back: bool
    is_held: bool = False
    is_frozen: bool = False
    sent_back: int = 0
    withdrawn: int = 0
    charged: int = 0
    covered: int = 0
    reclaimed: int = 0
    nobodys: int = 0

    def hold(self) -> None:
        """It was captured."""
        self.is_held = True
        for part in self.parts:
            part.hold()
        self.carry_out()

    def carry_out(self) -> None:
        """What was asked for while nothing could move."""
        for part in self.parts:
            if part.status == "held" and not self.is_frozen and part.wanted != "hold":
                self.sent_back += part.divide(sum(part.left) if part.wanted == "release" else 0)

    def lose(self, amount: int, unsent: int) -> None:
        """The bank took it back: from the parts, from refunds that were not sent, from those that could not be and are
        in the payer's wallet, and the rest from nobody."""
        self.is_frozen, self.withdrawn = False, self.withdrawn + amount
        parts = [part for part in self.parts if part.owed]
        taken = min(amount, sum(part.owed for part in parts))
        for part, minor in zip(parts, shares(taken, tuple(part.owed for part in parts)) if parts else [], strict=True):
            if minor:
                part.take(minor)
                part.lost += minor
                part.settle()
        covered = min(unsent, amount - taken)
        self.covered += covered
        failed = self.sent_back - self.covered - (unsent - covered) - self.reclaimed if self.comes_back else 0
        reclaimed = min(failed, amount - taken - covered)
        self.reclaimed += reclaimed
        self.nobodys += amount - taken - covered - reclaimed
        self.carry_out()

    def book(self, have: Balances) -> None:
        """Add where its money is."""
        if not self.is_held:
            return
        captured = sum(part.price - part.subsidy for part in self.parts)
        back, provider = self.sent_back - self.covered, f"provider {self.provider}"
        if self.comes_back:
            have["available", self.payer, self.currency] += back - self.reclaimed
        else:
            have[provider, 0, self.currency] += back
        have[provider, 0, self.currency] += self.withdrawn + self.charged - captured
        have["losses", 0, self.currency] -= self.charged + self.nobodys
        for part in self.parts:
            have["promotions", 0, self.currency] -= part.subsidy - part.saved
            have["escrow", self.payer, self.currency] += sum(part.left)
            have["available", part.payee, self.currency] += part.paid[0]
            have["fees", 0, self.currency] += part.paid[1]
            have["taxes", 0, self.currency] += part.paid[2]


def together(bought: list[Bought], sent: list[tuple[str, int, str, int]]) -> Balances:
    """All of it; `sent` are payouts that arrived: (provider, whose, currency, minor units)."""
    have: Balances = Counter()
    for one in bought:
        one.book(have)
    for provider, owner, currency, minor in sent:
        have["available", owner, currency] -= minor
        have[f"provider {provider}", 0, currency] += minor
    return Counter({name: amount for name, amount in have.items() if amount})
