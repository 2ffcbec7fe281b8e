"""Paying for a deal: verbs of the trades above, and of payer and payee."""

import secrets
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from marketplace.auth.models import User
from marketplace.core.database.db import db, fetch, locked, locked_row, save
from marketplace.core.database.prices import demand_price, minor_units
from marketplace.core.http.access import demand_money_scope
from marketplace.core.ops import audit_log, current_settings
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, NotAllowed
from marketplace.kit.money import Money
from marketplace.payments import escrow, policy, queries
from marketplace.payments.fees import service as fees_service
from marketplace.payments.lifecycle import UNDER_WAY, UNPAID, PaymentStatus
from marketplace.payments.models import PaidAlready, Payment, Refund
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.registry import default_provider, demand_unit, provider


class NothingToPay(Conflict):
    """409: the deal has no price."""

    code = "nothing_to_pay"
    title = "Nothing to pay"
    sentence = "There is no price agreed on, so there is nothing to pay here."


class NotPaid(Conflict):
    """409: the deal's escrow is empty."""

    code = "not_paid"
    title = "Not paid yet"
    sentence = "The money for this is not held yet. The one who pays has to do so first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What is to be paid, in minor units; `reference` names the deal for its trade ("task:7")."""

    reference: str
    title: str
    payer_id: int
    payee_id: int
    price_minor: int | None
    currency: str
    category: str
    discount_minor: int = 0


def quote(deal: Purchase) -> fees_service.Quote:
    """Amount, fee, tax and payee's part; raises NothingToPay (409)."""
    if not deal.price_minor or deal.price_minor <= deal.discount_minor:
        raise NothingToPay()
    return fees_service.quote(
        fee_rules(),
        price_minor=deal.price_minor,
        currency=deal.currency,
        category=deal.category,
        seller_id=deal.payee_id,
        discount_minor=deal.discount_minor,
        at=now(),
    )


def fee_rules() -> fees_service.Rules:
    """The fee rules by the settings; raises BadFile."""
    return fees_service.load(current_settings.path("FEE_RULES", fees_service.SHIPPED))


def begin(deal: Purchase, *, provider_name: str | None = None, method: str | None = None) -> Payment:
    """A payment for the deal, or its unpaid one; `method` is tried as soon as the provider knows of it. An unpaid one
    at another provider is called off. Raises PaidAlready, NothingToPay (409), Invalid (422)."""
    name = provider_name or default_provider()
    provider(name)
    going = _under_way(deal.reference)
    if going is not None and provider_name in {None, going.provider}:
        return _paid_again(going, deal, method)
    if going is not None:
        _give_way(going)
    priced = quote(deal)
    demand_unit(name, "price", priced.amount_minor, priced.currency)
    payment = save(
        Payment(
            key=secrets.token_hex(16),
            reference=deal.reference,
            active_reference=deal.reference,
            payer_id=deal.payer_id,
            payee_id=deal.payee_id,
            title=deal.title,
            provider=name,
            amount_minor=priced.amount_minor,
            currency=priced.currency,
            discount_minor=priced.discount_minor,
            fee_minor=priced.fee_minor,
            tax_minor=priced.tax_minor,
            payee_minor=priced.payee_minor,
            fee_rule=priced.rule,
        )
    )
    provider_requests_queue.ask("create", "payment", payment.id, key=payment.key, method=method)
    return payment


def confirm(
    user: User,
    payment_id: int,
    *,
    payment_method: str | None = None,
    price: Decimal | None = None,
    currency: str | None = None,
) -> Payment:
    """Try to pay by this method, or take over what the payer did at the provider; `price` is checked where it is named.
    Raises 403, 404, 409."""
    payment = queries.find(user, payment_id)
    if "payer" not in policy.role_of(user, payment):
        raise NotAllowed("Only the one who pays can confirm this payment.")
    payment = locked_row(Payment, payment.id)
    demand_price(price, payment.amount_minor, payment.currency, in_currency=currency)
    if payment.intended_outcome == escrow.CALL_OFF or payment.status not in UNDER_WAY:
        raise Conflict("This payment is over. Begin a new one.")
    if payment.status in UNPAID:
        method, key = payment_method, f"confirm-{secrets.token_hex(16)}"
        provider_requests_queue.ask("confirm", "payment", payment.id, key=key, method=method)
    return payment


def refund(user: User, payment_id: int, *, amount: Decimal | None = None, reason: str = "") -> Refund:
    """Give (a part of) a payment back, by its payee as far as the money is here, or by staff, who may leave the payee
    with a debt; raises 403, 404, NotEnough (409), 422."""
    payment = queries.find(user, payment_id)
    roles = policy.role_of(user, payment)
    if not roles & {"payee", "admin"}:
        raise NotAllowed("Only the one who is paid can give money back. Cancel the deal or open a dispute instead.")
    payment = locked_row(Payment, payment.id)
    if payment.status not in {PaymentStatus.HELD, PaymentStatus.RELEASED}:
        raise Conflict("There is nothing in this payment that could go back.")
    minor = minor_units("amount", amount, payment.currency)
    amount_minor = escrow.left(payment) if minor is None else minor
    demand_unit(payment.provider, "amount", amount_minor, payment.currency)
    # what has left the marketplace is not lent to whoever wants to be generous with it
    is_staff = "payee" not in roles
    back = escrow.refund(payment, amount_minor, reason=reason, by_id=user.id, allow_negative=is_staff, by_hand=is_staff)
    if is_staff:
        audit_log.record("payment.refund", "payment", payment.id, refund_id=back.id)
    return back


def demand_held(reference: str, *, payee_id: int | None = None) -> None:
    """Raises NotPaid (409) where nothing is in the deal's escrow for this payee."""
    payment = _under_way(reference)
    if payment is None or payment.status != PaymentStatus.HELD or payee_id not in {None, payment.payee_id}:
        raise NotPaid()


def release(reference: str) -> None:
    """Pay the payee, now or as soon as the money is there; no effect without a payment."""
    payment = _under_way(reference)
    if payment is None:
        return
    demand_money_scope()
    payment.intended_outcome = escrow.RELEASE
    if payment.status == PaymentStatus.HELD:
        escrow.release(payment)
    db.session.flush()


def call_off(reference: str, *, reason: str = "called off", by_id: int | None = None) -> None:
    """Refund what is in escrow and cancel what is not; no effect without a payment."""
    payment = _under_way(reference)
    if payment is None:
        return
    demand_money_scope()
    payment.intended_outcome = escrow.CALL_OFF
    payment.active_reference = None  # the next deal need not wait for the provider
    if payment.status == PaymentStatus.HELD:
        escrow.refund(payment, escrow.left(payment), reason=reason, by_id=by_id)
    else:
        provider_requests_queue.ask("cancel", "payment", payment.id, key=f"cancel-{payment.key}")
    db.session.flush()


def split(reference: str, to_payee_minor: int, *, reason: str = "split", by_id: int | None = None) -> None:
    """Pay this much of the escrow (before the fee) to the payee and refund the rest; raises NotPaid (409), Invalid
    (422)."""
    demand_held(reference)
    payment = _under_way(reference)
    assert payment is not None
    back = escrow.left(payment) - to_payee_minor
    if not 0 <= back <= escrow.left(payment):
        most = Money(escrow.left(payment), payment.currency).exact
        raise Invalid.field("to_payee", f"At most {most} {payment.currency} is held and can be divided.")
    if back:
        escrow.refund(payment, back, reason=reason, by_id=by_id)
    if to_payee_minor:
        escrow.release(payment)


def held_minor(reference: str) -> tuple[int, str] | None:
    """(minor units, currency) in the deal's escrow, locked; None where nothing is."""
    payment = _under_way(reference)
    if payment is None or payment.status != PaymentStatus.HELD:
        return None
    return escrow.left(payment), payment.currency


def is_under_way(reference: str) -> bool:
    """Whether the deal has an open payment: money is held, or may be at any moment."""
    return bool(fetch(select(Payment.id).where(Payment.active_reference == reference)))


def _under_way(reference: str) -> Payment | None:
    """The deal's one open payment, locked until the commit."""
    return db.session.scalar(locked(select(Payment).where(Payment.active_reference == reference)))


def _give_way(payment: Payment) -> None:
    """Call off a payment that cannot have been paid yet, in favour of another; raises PaidAlready (409)."""
    if payment.status not in UNPAID or payment.status == PaymentStatus.PROCESSING:
        raise PaidAlready()
    call_off(payment.reference, reason="paid elsewhere")


def _paid_again(payment: Payment, deal: Purchase, method: str | None) -> Payment:
    sides = (deal.payer_id, deal.payee_id, deal.currency)
    if payment.status not in UNPAID or (payment.payer_id, payment.payee_id, payment.currency) != sides:
        raise PaidAlready()
    if method:
        provider_requests_queue.ask(
            "confirm", "payment", payment.id, key=f"confirm-{secrets.token_hex(16)}", method=method
        )
    return payment
