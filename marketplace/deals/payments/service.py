"""The money of a deal: when it is asked for, held, released and called off. The price is the one agreed on."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import select

from marketplace.auth.models import User
from marketplace.core.database.db import db, locked, one
from marketplace.core.database.prices import demand_agreement, demand_price
from marketplace.core.ops import current_settings
from marketplace.deals import policy, queries
from marketplace.deals.lifecycle import CLIENT, PAYABLE
from marketplace.deals.models import Deal, DealSubject
from marketplace.kit.errors import Invalid, NotAllowed
from marketplace.kit.lifecycle import WrongState
from marketplace.payments import handover_codes as payments_handover_codes
from marketplace.payments import service as payments_service
from marketplace.payments.fees.service import Quote
from marketplace.payments.models import Payment
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.registry import providers
from marketplace.payments.queries import standing_of
from marketplace.payments.service import Purchase

ESCROW, OUTSIDE = "escrow", "outside"
DECIDED = "dispute decided"
Subject = TypeVar("Subject", bound=DealSubject)


def purchase_of(deal: Deal) -> Purchase:
    """What is to be paid for a deal: the price that was agreed on, by its client to its provider."""
    return Purchase(
        reference=deal.reference,
        title=deal.title,
        payer_id=deal.client_id,
        payee_id=deal.provider_id,
        price_minor=deal.price_minor,
        currency=deal.currency,
        category=deal.category,
    )


def quote(user: User, reference: str) -> Quote:
    """What a visible deal costs its client and brings its provider; raises NotFound, NothingToPay (409)."""
    return payments_service.quote(purchase_of(queries.find(user, reference)))


def begin(
    user: User,
    reference: str,
    *,
    provider: str | None = None,
    payment_method: str | None = None,
    price: Decimal | None = None,
    currency: str | None = None,
) -> Payment:
    """Pay for a deal, as its client. `price` has to be named where a method is tried at once. With payment outside,
    nothing waits for the money. Raises 403, 404, 409, 422."""
    deal = one(locked(policy.visible_to(user).where(Deal.reference == reference)), "deal")
    if policy.side_of(user.id, deal) != CLIENT:
        raise NotAllowed("Only the client of this deal pays for it.")
    if deal.stage not in PAYABLE:
        raise WrongState("A deal is paid for once it is agreed on and before it is over.")
    if payment_method and deal.price_minor:
        demand_agreement(price, deal.price_minor, deal.currency, in_currency=currency, usual=user.currency)
    demand_price(price, deal.price_minor, deal.currency, in_currency=currency)
    return payments_service.begin(purchase_of(deal), provider_name=provider, method=payment_method)


def chosen(wanted: str | None) -> str:
    """How a new deal is paid (escrow or outside), by default TASK_PAYMENT; raises Invalid (422) where escrow is not set
    up."""
    payment = wanted or current_settings.text("TASK_PAYMENT")
    if payment == ESCROW and not providers():
        if wanted is None:
            return OUTSIDE
        raise Invalid.field("payment", "Payments are not set up here: agree on another way (outside).")
    return payment


def takes_money(payment: str, price: object, method: str | None) -> bool:
    """Whether agreeing on it charges somebody or needs money in escrow."""
    return method is not None or (payment == ESCROW and bool(price))


def asked_at_once(agree: Callable[[], Subject]) -> Subject:
    """Agree by `agree`, and send its provider requests once that is committed, before the answer."""
    with provider_requests_queue.reserved():
        subject = agree()
    standing = standing_of(subject.deal_reference)
    provider_requests_handlers.call_when_committed("payment", standing[0] if standing else None)
    return subject


def on_agreed(deal: Deal, method: str | None) -> None:
    """Begin the payment now, where the client pays at once or ESCROW_HOLD is acceptance."""
    is_due = _is_escrow(deal) and current_settings.text("ESCROW_HOLD") == "acceptance"
    if is_due or (method and deal.price_minor):
        payments_service.begin(purchase_of(deal), method=method)


def release(subject: DealSubject) -> None:
    """Pay the provider; the hand-over code is deleted."""
    payments_handover_codes.forget(subject.deal_reference)
    payments_service.release(subject.deal_reference)


def call_off(subject: DealSubject, *, reason: str, by_id: int | None) -> None:
    """Refund or cancel the payment; the hand-over code is deleted."""
    payments_handover_codes.forget(subject.deal_reference)
    payments_service.call_off(subject.deal_reference, reason=reason, by_id=by_id)


def settle(subject: DealSubject, to_provider_minor: int | None, *, by_id: int | None) -> None:
    """After a dispute: this much of the escrow (before the fee) to the provider, the rest back; None is all, and 0
    calls the deal off. Raises Invalid (422)."""
    held = payments_service.held_minor(subject.deal_reference)
    if held is not None:
        amount = held[0] if to_provider_minor is None else to_provider_minor
        payments_service.split(subject.deal_reference, amount, reason=DECIDED, by_id=by_id)
    if to_provider_minor == 0:
        call_off(subject, reason=DECIDED, by_id=by_id)


def demand(subject: DealSubject) -> None:
    """Raises NotPaid (409) where the deal's money has to be in escrow for its provider and is not."""
    deal = db.session.scalar(select(Deal).where(Deal.reference == subject.deal_reference))
    if deal is not None and _is_escrow(deal):
        payments_service.demand_held(deal.reference, payee_id=deal.provider_id)


def _is_escrow(deal: Deal) -> bool:
    return deal.payment == ESCROW and bool(deal.price_minor)
