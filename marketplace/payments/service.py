"""Paying for a deal: verbs of the trades above, and of payer and payee."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from marketplace.auth.models import User
from marketplace.core.database.db import db, fetch, locked_row, one, save
from marketplace.core.database.prices import demand_price, minor_units
from marketplace.core.http.access import demand_money_scope
from marketplace.core.ops import audit_log, current_settings
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, NotAllowed
from marketplace.kit.money import Money
from marketplace.payments import escrow, policy, queries
from marketplace.payments.fees import service as fees_service
from marketplace.payments.lifecycle import UNDER_WAY, UNPAID, PaymentStatus, RefundStatus, ShareStatus
from marketplace.payments.models import PaidAlready, Payment, PaymentShare, Refund
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.registry import default_provider, demand_unit, provider


class NothingToPay(Conflict):
    """409: the deal has no price."""

    code = "nothing_to_pay"
    sentence = "There is no price agreed on, so there is nothing to pay here."


class NotPaid(Conflict):
    """409: the deal's escrow is empty."""

    code = "not_paid"
    sentence = "The money for this is not held yet. The one who pays has to do so first."


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLine:
    """A part of a purchase with a fee of its own, by its category; minor units."""

    price_minor: int
    category: str
    discount_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What is to be paid for one deal, in minor units; `reference` names the deal for its trade ("task:7"). The payee
    gives the discount, the marketplace the subsidy. With `lines` (their sums are price and discount) each has its fee.
    """

    reference: str
    title: str
    payer_id: int
    payee_id: int
    price_minor: int | None
    currency: str
    category: str
    discount_minor: int = 0
    subsidy_minor: int = 0
    lines: tuple[PurchaseLine, ...] = ()


def quote(deal: Purchase) -> fees_service.Quote:
    """Amount, fee, tax and payee's part; raises NothingToPay (409)."""
    if not deal.price_minor or deal.price_minor <= deal.discount_minor:
        raise NothingToPay()
    whole = PurchaseLine(price_minor=deal.price_minor, category=deal.category, discount_minor=deal.discount_minor)
    rules, moment = fee_rules(), now()
    return fees_service.together(
        [
            fees_service.quote(
                rules,
                price_minor=line.price_minor,
                currency=deal.currency,
                category=line.category,
                seller_id=deal.payee_id,
                discount_minor=line.discount_minor,
                at=moment,
            )
            for line in deal.lines or (whole,)
        ],
        subsidy_minor=deal.subsidy_minor,
    )


def fee_rules() -> fees_service.Rules:
    """The fee rules by the settings; raises BadFile."""
    return fees_service.load(current_settings.path("FEE_RULES", fees_service.SHIPPED))


def begin(deal: Purchase, *, provider_name: str | None = None, method: str | None = None) -> Payment:
    """A payment for the deal, or its unpaid one; `method` is tried as soon as the provider knows of it. An unpaid one
    at another provider is called off. Raises PaidAlready, NothingToPay (409), Invalid (422)."""
    return begin_together(deal.reference, deal.title, [deal], provider_name=provider_name, method=method)


def begin_together(
    reference: str,
    title: str,
    deals: Sequence[Purchase],
    *,
    provider_name: str | None = None,
    method: str | None = None,
) -> Payment:
    """As `begin`, for several deals of one payer in one currency, each with a share of its own: one payment, captured
    once."""
    name = provider_name or default_provider()
    provider(name)
    going = _going_on(deals)
    if going is not None and provider_name in {None, going.payment.provider}:
        return _paid_again(going, deals, method)
    if going is not None:
        _give_way(going)
    quotes = [quote(deal) for deal in deals]
    currency, payer_id = _agreed_on(deals)
    amount_minor = sum(priced.amount_minor for priced in quotes)
    if not amount_minor:
        raise NothingToPay()
    demand_unit(name, "price", amount_minor, currency)
    payment = save(
        Payment(
            key=secrets.token_hex(16),
            reference=reference,
            payer_id=payer_id,
            title=title,
            provider=name,
            amount_minor=amount_minor,
            currency=currency,
        )
    )
    for deal, priced in zip(deals, quotes, strict=True):
        save(_share(payment, deal, priced))
    provider_requests_queue.ask("create", "payment", payment.id, key=payment.key, method=method)
    return payment


def _agreed_on(deals: Sequence[Purchase]) -> tuple[str, int]:
    """(currency, payer) of all; ValueError where they differ, or somebody would pay themselves."""
    found = {(deal.currency, deal.payer_id) for deal in deals}
    if len(found) != 1 or any(deal.payee_id == deal.payer_id for deal in deals):
        raise ValueError(f"{[deal.reference for deal in deals]} cannot be paid together")
    return found.pop()


def _share(payment: Payment, deal: Purchase, priced: fees_service.Quote) -> PaymentShare:
    return PaymentShare(
        payment_id=payment.id,
        reference=deal.reference,
        active_reference=deal.reference,
        payee_id=deal.payee_id,
        title=deal.title,
        amount_minor=priced.amount_minor,
        discount_minor=priced.discount_minor,
        subsidy_minor=priced.subsidy_minor,
        fee_minor=priced.fee_minor,
        tax_minor=priced.tax_minor,
        payee_minor=priced.payee_minor,
        lines=[asdict(line) for line in priced.lines],
    )


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
    if payment.payer_id != user.id:
        raise NotAllowed("Only the one who pays can confirm this payment.")
    payment = locked_row(Payment, payment.id)
    demand_price(price, payment.amount_minor, payment.currency, in_currency=currency)
    if payment.intended_outcome == escrow.CALL_OFF or payment.status not in UNDER_WAY:
        raise Conflict("This payment is over. Begin a new one.")
    if payment.status in UNPAID:
        method, key = payment_method, f"confirm-{secrets.token_hex(16)}"
        provider_requests_queue.ask("confirm", "payment", payment.id, key=key, method=method)
    return payment


def refund(
    user: User, payment_id: int, *, amount: Decimal | None = None, reason: str = "", reference: str | None = None
) -> Refund:
    """Give (a part of) a share of a payment back, by its payee as far as the money is here, or by staff, who may leave
    the payee with a debt. `reference` names the share where there are several. Raises 403, 404, NotEnough, Frozen
    (409), 422."""
    payment = queries.find(user, payment_id)
    if payment.payer_id == user.id:
        raise NotAllowed("Only the one who is paid can give money back. Cancel the deal or open a dispute instead.")
    payment = locked_row(Payment, payment.id)
    part = _chosen([one for one in escrow.shares_of(payment) if policy.sees(user, payment, one)], reference)
    if part.status not in {ShareStatus.HELD, ShareStatus.RELEASED}:
        raise Conflict("There is nothing in this payment that could go back.")
    minor = minor_units("amount", amount, payment.currency)
    amount_minor = part.refundable_minor if minor is None else minor
    demand_unit(payment.provider, "amount", amount_minor, payment.currency)
    # what has left the marketplace is not lent to whoever wants to be generous with it
    is_staff = part.payee_id != user.id
    asks = escrow.BY_HAND if is_staff else "refund"
    back = escrow.refund(payment, part, amount_minor, reason=reason, by_id=user.id, allow_negative=is_staff, asks=asks)
    if is_staff:
        audit_log.record("payment.refund", "payment", payment.id, refund_id=back.id)
    return back


def accept_by_hand(user: User, refund_id: int) -> Refund:
    """Let what was sent back by hand at the provider stand for a refund that waits, as staff; what is more than it is
    refunded too. Raises 403, 404, Conflict (409) where it is over."""
    found = one(select(Refund).where(Refund.id == refund_id), "refund")
    payment = queries.find(user, found.payment_id)
    locked_row(Payment, payment.id)
    escrow.demand_no_side(payment, user.id)
    back = locked_row(Refund, refund_id)
    if back.status != RefundStatus.PENDING:
        raise Conflict("This refund is over.")
    provider_requests_queue.ask(escrow.ACCEPTED, "refund", back.id, key=f"accept-{back.id}-{back.version}")
    audit_log.record("refund.accept", "refund", back.id)
    return back


def _chosen(shares: Sequence[PaymentShare], reference: str | None) -> PaymentShare:
    found = [one for one in shares if reference in {None, one.reference}]
    if len(found) == 1:
        return found[0]
    raise Invalid.field("reference", f"Say which part of the payment: {', '.join(one.reference for one in shares)}.")


def demand_held(reference: str, *, payee_id: int | None = None) -> None:
    """Raises NotPaid (409) where nothing is in the deal's escrow for this payee, Frozen (409) where the bank disputes
    it."""
    going = _under_way(reference)
    if going is None or going.part.status != ShareStatus.HELD or payee_id not in {None, going.part.payee_id}:
        raise NotPaid()
    escrow.demand_not_frozen(going.payment)


def release(reference: str, amount_minor: int | None = None) -> None:
    """Pay the payee all that is held, now or as soon as it can be, or this much of it (before the fee), which has to be
    there. No effect without a payment; raises Invalid (422), Frozen (409) for a part."""
    going = _under_way(reference)
    if going is None:
        return
    demand_money_scope()
    if amount_minor is None:
        going.part.intended_outcome = escrow.RELEASE
        escrow.carry_out(going.payment, going.part)
    else:
        _demand_there(going, "amount", amount_minor)
        escrow.release(going.payment, going.part, amount_minor)
    db.session.flush()


def call_off(reference: str, *, reason: str = "called off", by_id: int | None = None) -> None:
    """Refund what is in escrow, at once or when the bank has decided, and cancel what is not paid; no effect without a
    payment."""
    going = _under_way(reference)
    if going is None:
        return
    demand_money_scope()
    payment, part = going.payment, going.part
    part.intended_outcome = escrow.CALL_OFF
    part.active_reference = None  # the next deal need not wait for the provider
    if part.status == ShareStatus.HELD and not payment.is_frozen:
        escrow.give_back(payment, part, reason=reason, by_id=by_id)
    elif part.status == ShareStatus.OPEN and all(one.intended_outcome == escrow.CALL_OFF for one in going.shares):
        payment.intended_outcome = escrow.CALL_OFF
        provider_requests_queue.ask("cancel", "payment", payment.id, key=f"cancel-{payment.key}")
    db.session.flush()


def split(reference: str, to_payee_minor: int, *, reason: str = "split", by_id: int | None = None) -> None:
    """Pay this much of the escrow (before the fee) to the payee and refund the rest; raises NotPaid, Frozen (409),
    Invalid (422)."""
    demand_held(reference)
    going = _under_way(reference)
    assert going is not None
    _demand_there(going, "to_payee", to_payee_minor)
    escrow.divide(going.payment, going.part, to_payee_minor, reason=reason, by_id=by_id)


def held_minor(reference: str) -> tuple[int, str] | None:
    """(minor units, currency) in the deal's escrow, locked; None where nothing is."""
    going = _under_way(reference)
    if going is None or going.part.status != ShareStatus.HELD:
        return None
    return going.part.held_minor, going.payment.currency


def is_under_way(reference: str) -> bool:
    """Whether the deal has an open payment: money is held, or may be at any moment."""
    return bool(fetch(select(PaymentShare.id).where(PaymentShare.active_reference == reference)))


class _Going(NamedTuple):
    """A deal's open share, its payment and all shares of that, locked until the commit."""

    payment: Payment
    part: PaymentShare
    shares: list[PaymentShare]


def _under_way(reference: str) -> _Going | None:
    """The deal's one open share; the payment is locked before it, and looked up again where another one took its place
    meanwhile."""
    mine = select(PaymentShare.payment_id).where(PaymentShare.active_reference == reference)
    db.session.flush()
    while found := fetch(mine):
        payment = locked_row(Payment, found[0].payment_id)
        shares = escrow.shares_of(payment)
        part = next((one for one in shares if one.active_reference == reference), None)
        if part is not None:
            return _Going(payment, part, shares)
    return None


def _going_on(deals: Sequence[Purchase]) -> _Going | None:
    """The open payment that has any of these deals."""
    return next(filter(None, (_under_way(deal.reference) for deal in deals)), None)


def _demand_there(going: _Going, field: str, minor: int) -> None:
    there = going.part.held_minor
    if not 0 <= minor <= there:
        most = Money(there, going.payment.currency).exact
        raise Invalid.field(field, f"At most {most} {going.payment.currency} is held and can be divided.")


def _give_way(going: _Going) -> None:
    """Call off a payment that cannot have been paid yet, in favour of another; raises PaidAlready (409)."""
    if going.payment.status not in UNPAID or going.payment.status == PaymentStatus.PROCESSING:
        raise PaidAlready()
    for part in going.shares:
        call_off(part.reference, reason="paid elsewhere")


def _paid_again(going: _Going, deals: Sequence[Purchase], method: str | None) -> Payment:
    payment = going.payment
    there = {(one.active_reference, one.payee_id) for one in going.shares}
    wanted = {(deal.reference, deal.payee_id) for deal in deals}
    if payment.status not in UNPAID or there != wanted or (payment.currency, payment.payer_id) != _agreed_on(deals):
        raise PaidAlready()
    if method:
        provider_requests_queue.ask(
            "confirm", "payment", payment.id, key=f"confirm-{secrets.token_hex(16)}", method=method
        )
    return payment
