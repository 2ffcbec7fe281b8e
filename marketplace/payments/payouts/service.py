"""Payouts: requested by the person or by the calendar, held for staff where the risk rules say so."""

import secrets
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import exists, select

from marketplace.auth.models import User
from marketplace.core.database.db import db, fetch, fetch_as, in_transaction, locked_row, save
from marketplace.core.database.prices import minor_units
from marketplace.core.ops import current_settings
from marketplace.core.queues.outbox import publish
from marketplace.events.payments import PayoutHeld
from marketplace.kit.clock import now
from marketplace.kit.errors import Busy, Conflict, Invalid, NotAllowed
from marketplace.kit.money import Money, exponent
from marketplace.payments import policy
from marketplace.payments.ledger import chart_of_accounts
from marketplace.payments.ledger.models import LedgerAccount
from marketplace.payments.ledger.service import Account, Posting, post
from marketplace.payments.lifecycle import SYSTEM, PayoutStatus
from marketplace.payments.models import Payee, Payout
from marketplace.payments.payouts import queries as payouts_queries
from marketplace.payments.payouts import risk
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers import registry as providers_registry
from marketplace.payments.providers.provider import Onboarding, PayeeState, Refused, Unreachable
from marketplace.payments.providers.registry import default_provider, demand_unit, providers
from marketplace.payments.wallets import service as wallets_service

SUSPENDED = "the account is suspended"  # as payouts/risk.toml says it


class NotOnboarded(Conflict):
    """409: the person has no account at the provider that could be paid out to."""

    code = "not_onboarded"
    sentence = "Set up where your money should go first: POST /api/payouts/onboarding answers a link."

    @classmethod
    def at(cls, name: str) -> "NotOnboarded":
        """With a sentence that names the provider."""
        return cls(f"Set up where your money at {name} should go first: POST /api/payouts/onboarding answers a link.")


def request(user: User, *, amount: Decimal, currency: str, provider: str | None = None) -> list[Payout]:
    """Pay this much of one's wallet out, split by where the money lies, or all of it by the provider named; all of it
    or nothing. What the provider has not settled yet is sent when it has. Raises NotEnough, NotOnboarded, ProviderGone
    (409), Invalid (422)."""
    minor = minor_units("amount", amount, currency) or 0
    _demand_minimum(minor, currency)
    shares = _shares(user, minor, currency, provider)
    for name, share, _ in shares:
        _demand_minimum(share, currency, name if len(shares) > 1 else "")
        _demand_ready(user.id, name)
        demand_unit(name, "amount", share, currency, paid_out=True)
    return [_begin(user.id, name, share, currency, available_from=since) for name, share, since in shares]


def _shares(user: User, minor: int, currency: str, name: str | None) -> list[tuple[str, int, datetime | None]]:
    """(provider, minor units, from when they are settled) of what is to be paid out."""
    found = wallets_service.parts(user.id, currency)
    chosen = [part for part in found if name in {None, part.provider}]
    if not chosen:
        nowhere = name or default_provider()
        providers_registry.provider(nowhere)
        _demand_ready(user.id, nowhere)
    wallets_service.demand(found, minor, currency)
    by_provider = {part.provider: part for part in chosen}
    divided = wallets_service.divide(chosen, minor, currency)
    return [(name, share, by_provider[name].available_from(share)) for name, share in divided]


def cancel(user: User, payout_id: int) -> Payout:
    """Put the money back into the wallet while it was not sent; raises 403, 404, 409."""
    payout = locked_row(Payout, payouts_queries.find(user, payout_id).id)
    _cancel(payout, policy.payout_role_of(user, payout), user.id)
    return payout


def approve(user: User, payout_id: int) -> Payout:
    """Let a held payout be sent, as staff. Raises 403, 404, 409: also while what was earned is owed or disputed."""
    found = payouts_queries.find(user, payout_id)
    owed = wallets_service.owed(found.user_id, found.currency)
    payout = locked_row(Payout, found.id)
    if payout.user_id == user.id:
        raise NotAllowed("Somebody else has to look at your own payout.")
    if owed and payout.status == PayoutStatus.ON_HOLD:
        raise Conflict("A bank disputes what this payout is made of, or it is owed already: cancel it, or wait.")
    payout.advance("approve", actor=policy.payout_role_of(user, payout), actor_id=user.id)
    db.session.flush()
    _ask(payout)
    return payout


def send(payout_id: int) -> bool:
    """Move a requested payout to sent, so that it cannot be cancelled any more; False where it is not to be sent. What
    its owner owes meanwhile (a lost chargeback, a refund) is not paid out: it goes back into the wallet. Of somebody
    who was suspended it is held for staff. Raises Unreachable, to be asked again, while a bank disputes what was
    earned."""
    found = fetch(select(Payout.user_id, Payout.currency).where(Payout.id == payout_id))[0]
    user_id, currency = found.user_id, found.currency
    owed = wallets_service.owed(user_id, currency)
    payout = locked_row(Payout, payout_id)
    if payout.status != PayoutStatus.REQUESTED:
        return payout.status == PayoutStatus.SENT
    if not fetch(select(User.id).where(User.id == user_id, User.is_active)):
        _hold(payout, SUSPENDED)
        return False
    if owed and wallets_service.is_disputed(user_id, currency):
        raise Unreachable("a bank disputes what this payout is made of")
    if owed:
        _cancel(payout, SYSTEM)
        return False
    payout.advance("send", actor=SYSTEM)
    db.session.flush()
    return True


def _hold(payout: Payout, *reasons: str) -> None:
    payout.reasons = [*payout.reasons, *reasons]
    payout.advance("hold", actor=SYSTEM)
    db.session.flush()
    publish(PayoutHeld(payout_id=payout.id, user_id=payout.user_id))


def _cancel(payout: Payout, actor: frozenset[str], actor_id: int | None = None) -> None:
    payout.advance("cancel", actor=actor, actor_id=actor_id)
    db.session.flush()
    post([_line(payout, "payout_cancelled", chart_of_accounts.going_out(payout), _wallet(payout))])


def onboard(user: User, *, country: str = "", provider: str | None = None) -> PayeeState:
    """The link where the person tells the provider who they are (the provider named, else one where money waits, else
    the first of the settings); may be asked again. Not inside a transaction. Raises Busy (503), Invalid (422)."""
    name = provider or next(iter(wallets_service.unready(user.id)), None) or default_provider()
    at: Onboarding = providers_registry.provider(name)
    payee_id = in_transaction(lambda: _payee_row(user.id, name).id)
    known = fetch(select(Payee.provider_id).where(Payee.id == payee_id))[0].provider_id
    # the account is made once; a link works once, so each is asked for under a key of its own
    key = f"payee-{name}-{payee_id}" if known is None else f"payee-{name}-{payee_id}-{secrets.token_hex(8)}"
    to = country or user.country
    who: dict[str, Any] = {"payee_id": known, "user_id": user.id, "email": user.email, "country": to}
    try:
        state = at.register_payee(key=key, **who)
    except Unreachable:
        raise Busy("The payment provider does not answer. Try again in a moment.") from None
    except Refused:
        raise Invalid.field("country", "The payment provider cannot pay out to you there.") from None
    in_transaction(lambda: apply_payee_state(payee_id, state))
    return state


def is_onboarded(user_id: int) -> bool:
    """Whether the person can be paid out by some provider."""
    return bool(fetch(select(Payee.id).where(Payee.user_id == user_id, Payee.is_ready).limit(1)))


def apply_payee_state(payee_id: int, state: PayeeState) -> None:
    """Store whether the person can be paid out."""
    payee = locked_row(Payee, payee_id)
    payee.provider_id, payee.is_ready = state.id, state.ready
    db.session.flush()


class RichWallet(Protocol):
    """A wallet account with a balance to pay out."""

    id: int
    owner_id: int
    currency: str
    provider: str


def due(most: int, after: int) -> list[RichWallet]:
    """Wallet accounts to pay out by the calendar that were not tried today, by id."""
    wallet = LedgerAccount
    here = (Payee.user_id == wallet.owner_id) & (Payee.provider == wallet.provider) & Payee.is_ready
    rich = select(wallet.id, wallet.owner_id, wallet.currency, wallet.provider).join(Payee, here)
    ready = rich.where(wallet.purpose == "available", wallet.balance_minor > 0, wallet.provider.in_(list(providers())))
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    theirs = (Payout.user_id == wallet.owner_id) & (Payout.currency == wallet.currency)
    tried = theirs & (Payout.provider == wallet.provider)
    ready = ready.where(~exists().where(tried, Payout.origin == "schedule", Payout.created_at >= today))
    return fetch_as(RichWallet, ready.where(wallet.id > after).order_by(wallet.id).limit(most))


def send_all_of(user_id: int, currency: str, name: str) -> None:
    """Request a payout of a wallet account's whole balance, less what is kept back for a debt elsewhere and what the
    provider has no unit for, if it reaches the minimum."""
    found, step = (
        wallets_service.parts(user_id, currency),
        providers_registry.provider(name).step(currency, paid_out=True),
    )
    here = sum(part.settled_minor for part in found if part.provider == name)
    balance = max(min(here, wallets_service.total_of(found)), 0)
    whole = balance - balance % step if step else 0
    if whole >= max(minimum(currency), 1):
        _begin(user_id, name, whole, currency, origin="schedule")


def minimum(currency: str) -> int:
    """The least amount of a payout, minor units."""
    return int(Decimal(current_settings.text("PAYOUT_MINIMUM")).scaleb(exponent(currency)))


def is_the_day(schedule: str) -> bool:
    """Whether the schedule pays out today (UTC): daily, weekly (Mondays) or monthly (the first)."""
    today = now().date()
    days = {"daily": True, "weekly": today.weekday() == 0, "monthly": today.day == 1}
    return days.get(schedule, False)


def _demand_minimum(minor: int, currency: str, name: str = "") -> None:
    least = max(minimum(currency), 1)
    if minor >= least:
        return
    why = f"{Money(minor, currency).exact} {currency} of this is at {name}: " if name else ""
    raise Invalid.field("amount", f"{why}At least {Money(least, currency).exact} {currency} at a time.")


def _demand_ready(user_id: int, name: str) -> None:
    payee = _payee(user_id, name)
    if payee is None or not payee.is_ready:
        raise NotOnboarded.at(name)


def _begin(
    user_id: int,
    name: str,
    minor: int,
    currency: str,
    *,
    origin: str = "manual",
    available_from: datetime | None = None,
) -> Payout:
    about = {"amount_minor": minor, "currency": currency, "origin": origin, "available_from": available_from}
    payout = save(Payout(key=secrets.token_hex(16), user_id=user_id, provider=name, **about))
    post([_line(payout, "payout", _wallet(payout), chart_of_accounts.going_out(payout))])
    judged = risk.judge(payout)
    payout.score, payout.reasons = judged.score, judged.reasons
    if judged.is_held:
        _hold(payout)
    else:
        _ask(payout)
    db.session.flush()
    return payout


def _ask(payout: Payout) -> None:
    due = payout.available_from
    provider_requests_queue.ask("pay_out", "payout", payout.id, key=payout.key, not_before=due)


def _wallet(payout: Payout) -> Account:
    return chart_of_accounts.available(payout.user_id, payout)


def _line(payout: Payout, kind: str, debit: Account, credit: Account) -> Posting:
    name = f"payout:{payout.id}"
    sides = {"debit": debit, "credit": credit}
    return Posting(
        key=f"{name}:{kind}", amount_minor=payout.amount_minor, kind=kind, reference=name, subject=name, **sides
    )


def _payee(user_id: int, name: str) -> Payee | None:
    return db.session.scalar(select(Payee).where(Payee.user_id == user_id, Payee.provider == name))


def _payee_row(user_id: int, name: str) -> Payee:
    return _payee(user_id, name) or save(Payee(user_id=user_id, provider=name))
