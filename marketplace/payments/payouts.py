"""Earned money leaves: asked for by whoever earned it or by the calendar, looked at where it is suspicious."""

import secrets
from decimal import Decimal
from typing import Any

from flask import current_app
from sqlalchemy import exists, select

from marketplace.auth.models import User
from marketplace.core.db import db, fetch, in_transaction, locked, save
from marketplace.core.outbox import publish
from marketplace.core.prices import minor_units
from marketplace.events.payments import PayoutHeld
from marketplace.kit.clock import now
from marketplace.kit.errors import Busy, Conflict, Invalid, NotAllowed
from marketplace.kit.money import Money, exponent
from marketplace.payments import accounts, calls, policy, queries, suspicion
from marketplace.payments.gateways.chosen import default_provider, demand_unit, provider
from marketplace.payments.gateways.provider import PayeeState, Refused, Unreachable
from marketplace.payments.ledger.models import LedgerAccount
from marketplace.payments.ledger.service import Account, Line, post
from marketplace.payments.lifecycle import SYSTEM
from marketplace.payments.models import Payee, Payout


class NotOnboarded(Conflict):
    """The provider does not know yet where the money should go."""

    code = "not_onboarded"
    title = "Not set up yet"
    sentence = "Set up where your money should go first: POST /api/payouts/onboarding answers a link."


def request(user: User, *, amount: Decimal, currency: str, origin: str = "manual") -> Payout:
    """Send so much of one's wallet to one's bank; raises NotEnough, NotOnboarded (409), Invalid (422)."""
    minor = minor_units("amount", amount, currency) or 0
    _demand_minimum(minor, currency)
    name = default_provider()
    payee = _payee(user.id, name)
    if payee is None or not payee.is_ready:
        raise NotOnboarded()
    demand_unit(name, "amount", minor, currency, paid_out=True)
    return _begin(user.id, name, minor, currency, origin)


def cancel(user: User, payout_id: int) -> Payout:
    """Keep the money after all, while it was not sent; raises 403, 404, 409."""
    payout = locked(Payout, queries.find_payout(user, payout_id).id)
    payout.advance("cancel", actor=policy.payout_role_of(user, payout), actor_id=user.id)
    db.session.flush()
    post([_line(payout, "payout_cancelled", accounts.going_out(payout), _wallet(payout))])
    return payout


def approve(user: User, payout_id: int) -> Payout:
    """Somebody has looked at it: it may leave. Raises 403, 404, 409."""
    payout = locked(Payout, queries.find_payout(user, payout_id).id)
    if payout.user_id == user.id:
        raise NotAllowed("Somebody else has to look at your own payout.")
    payout.advance("approve", actor=policy.payout_role_of(user, payout), actor_id=user.id)
    db.session.flush()
    _ask(payout)
    return payout


def onboard(user: User, *, country: str = "") -> PayeeState:
    """Where to tell the provider who one is; may be asked again. Not inside a transaction. Raises Unreachable."""
    name = default_provider()
    payee_id = in_transaction(lambda: _payee_row(user.id, name).id)
    known = fetch(select(Payee.provider_id).where(Payee.id == payee_id))[0].provider_id
    # the account is made once; a link works once, so each is asked for under a key of its own
    key = f"payee-{name}-{payee_id}" if known is None else f"payee-{name}-{payee_id}-{secrets.token_hex(8)}"
    to = country or user.country
    who: dict[str, Any] = {"payee_id": known, "user_id": user.id, "email": user.email, "country": to}
    try:
        state = provider(name).register_payee(key=key, **who)
    except Unreachable:
        raise Busy("The payment provider does not answer. Try again in a moment.") from None
    except Refused:
        raise Invalid.field("country", "The payment provider cannot pay out to you there.") from None
    in_transaction(lambda: apply_payee_state(payee_id, state))
    return state


def is_onboarded(user_id: int) -> bool:
    """Whether some provider knows where this person's money should go."""
    return bool(fetch(select(Payee.id).where(Payee.user_id == user_id, Payee.is_ready).limit(1)))


def apply_payee_state(payee_id: int, state: PayeeState) -> None:
    """Take over whether somebody can be paid."""
    payee = locked(Payee, payee_id)
    payee.provider_id, payee.is_ready = state.id, state.ready
    db.session.flush()


def due(most: int, after: int) -> list[Any]:
    """Wallets with something to send by the calendar that was not tried today, in the order of their ids."""
    name = default_provider()
    rich = select(LedgerAccount.id, LedgerAccount.owner_id, LedgerAccount.currency).join(
        Payee, (Payee.user_id == LedgerAccount.owner_id) & (Payee.provider == name)
    )
    ready = rich.where(LedgerAccount.purpose == "available", LedgerAccount.balance_minor > 0, Payee.is_ready)
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    tried = (Payout.user_id == LedgerAccount.owner_id) & (Payout.currency == LedgerAccount.currency)
    ready = ready.where(~exists().where(tried, Payout.origin == "schedule", Payout.created_at >= today))
    return fetch(ready.where(LedgerAccount.id > after).order_by(LedgerAccount.id).limit(most))


def send_all_of(user_id: int, currency: str) -> None:
    """The whole wallet of one currency, as far as the provider has units for it, where it is worth it."""
    wallet = select(LedgerAccount.balance_minor).where(LedgerAccount.key == accounts.available(user_id, currency).key)
    name = default_provider()
    balance, step = int(fetch(wallet)[0].balance_minor), provider(name).step(currency, paid_out=True)
    whole = balance - balance % step if step else 0
    if whole >= max(minimum(currency), 1):
        _begin(user_id, name, whole, currency, "schedule")


def minimum(currency: str) -> int:
    """The least a payout may be, minor units."""
    return int(Decimal(current_app.config["PAYOUT_MINIMUM"]).scaleb(exponent(currency)))


def is_the_day(schedule: str) -> bool:
    """Whether the calendar sends today: daily, weekly (Mondays), monthly (the first); in UTC."""
    today = now().date()
    days = {"daily": True, "weekly": today.weekday() == 0, "monthly": today.day == 1}
    return days.get(schedule, False)


def _demand_minimum(minor: int, currency: str) -> None:
    least = max(minimum(currency), 1)
    if minor < least:
        raise Invalid.field("amount", f"At least {Money(least, currency).exact} {currency} at a time.")


def _begin(user_id: int, name: str, minor: int, currency: str, origin: str) -> Payout:
    amount = {"amount_minor": minor, "currency": currency}
    payout = save(Payout(key=secrets.token_hex(16), user_id=user_id, provider=name, origin=origin, **amount))
    post([_line(payout, "payout", _wallet(payout), accounts.going_out(payout))])
    judged = suspicion.judge(payout)
    payout.score, payout.reasons = judged.score, judged.reasons
    if judged.is_held:
        payout.advance("hold", actor=SYSTEM)
        publish(PayoutHeld(payout_id=payout.id, user_id=user_id))
    else:
        _ask(payout)
    db.session.flush()
    return payout


def _ask(payout: Payout) -> None:
    calls.ask("pay_out", "payout", payout.id, key=payout.key)


def _wallet(payout: Payout) -> Account:
    return accounts.available(payout.user_id, payout.currency)


def _line(payout: Payout, kind: str, debit: Account, credit: Account) -> Line:
    name = f"payout:{payout.id}"
    sides = {"debit": debit, "credit": credit}
    return Line(
        key=f"{name}:{kind}", amount_minor=payout.amount_minor, kind=kind, reference=name, subject=name, **sides
    )


def _payee(user_id: int, name: str) -> Payee | None:
    return db.session.scalar(select(Payee).where(Payee.user_id == user_id, Payee.provider == name))


def _payee_row(user_id: int, name: str) -> Payee:
    return _payee(user_id, name) or save(Payee(user_id=user_id, provider=name))
