"""Payments, wallets, statements and receipts, to be read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Select, Table, bindparam, or_, select, union_all

from marketplace.auth.models import User
from marketplace.core.database.db import fetch, fetch_as, one
from marketplace.core.lists.list_query import ListQuery, equal_to
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.clock import now
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.payments import policy
from marketplace.payments.fees.service import Quote
from marketplace.payments.ledger.models import LedgerAccount, Transfer
from marketplace.payments.lifecycle import SAID, UNDER_WAY, UNPAID, PaymentStatus, ShareStatus
from marketplace.payments.models import (
    Discrepancy,
    Payment,
    PaymentShare,
    Payout,
    ReceiptRow,
    Refund,
    ShareRow,
    SidesOfPayment,
    ToAskAbout,
)
from marketplace.payments.receipts.service import StoredReceipt, number_of

PAYMENTS: Table = table_of(Payment)
PAYOUTS: Table = table_of(Payout)
ACCOUNTS: Table = table_of(LedgerAccount)
TRANSFERS: Table = table_of(Transfer)
RECEIPTS: Table = table_of(ReceiptRow)
SHARES: Table = table_of(PaymentShare)
JOINED = SHARES.join(PAYMENTS, PAYMENTS.c.id == SHARES.c.payment_id)
IN_ESCROW = SHARES.c.payee_left_minor + SHARES.c.fee_left_minor + SHARES.c.tax_left_minor

_person: BindParameter[int] = bindparam("person")
BROWSE = ListQuery(
    name="payments",
    table=PAYMENTS,
    columns=list(PAYMENTS.c),
    filters={
        "person": PAYMENTS.c.id.in_(  # not by OR: each half has an index
            union_all(select(PAYMENTS.c.id).where(PAYMENTS.c.payer_id == _person), policy.paid_to(_person))
        ),
        **equal_to(PAYMENTS.c, "status", "reference"),
    },
    sorts={"created_at": PAYMENTS.c.created_at},
    default_sort="-created_at",
)


def standing_of(reference: str) -> tuple[int, str] | None:
    """(id, status) of a deal's newest payment, whoever asks; None without one."""
    return standings_of([reference]).get(reference)


def standings_of(references: list[str]) -> dict[str, tuple[int, str]]:
    """`standing_of` by reference; deals without a payment are left out. Once it is paid, the state is the share's."""
    columns = (SHARES.c.reference, PAYMENTS.c.id, PAYMENTS.c.status, SHARES.c.status.label("share_status"))
    theirs = select(*columns).select_from(JOINED).where(SHARES.c.reference.in_(references)).order_by(PAYMENTS.c.id)
    return {row.reference: (row.id, _status(row.status, [row.share_status])) for row in fetch(theirs)}


def _with_share_for(reference: str) -> Select[int]:
    return select(PaymentShare.payment_id).where(PaymentShare.reference == reference)


def newest_of(user: User, reference: str) -> int:
    """Id of the newest visible payment of a deal; raises NotFound."""
    mine = policy.visible_to(user).where(Payment.id.in_(_with_share_for(reference)))
    return one(mine.order_by(Payment.id.desc()).limit(1), "payment").id


def quote_view(quoted: Quote) -> JsonObject:
    """A quote as JSON."""
    amounts = {name: getattr(quoted, f"{name}_minor") for name in ("fee", "tax", "discount", "subsidy")}
    return {
        "amount": to_major(quoted.amount_minor, quoted.currency),
        "price_minor": quoted.amount_minor,
        "currency": quoted.currency,
        "payee_amount": to_major(quoted.payee_minor, quoted.currency),
        "payee_minor": quoted.payee_minor,
        **{name: to_major(minor, quoted.currency) for name, minor in amounts.items()},
        **{f"{name}_minor": minor for name, minor in amounts.items()},
    }


def find(user: User, payment_id: int) -> Payment:
    """One visible payment, to change; raises NotFound."""
    return one(policy.visible_to(user).where(Payment.id == payment_id), "payment")


def held_of(reference: str) -> tuple[int, str] | None:
    """(minor units, currency) in a deal's escrow; None where nothing is. Not locked: to be shown only."""
    held = select(IN_ESCROW, PAYMENTS.c.currency).select_from(JOINED)
    rows = fetch(held.where(SHARES.c.active_reference == reference, SHARES.c.status == ShareStatus.HELD))
    return (int(rows[0][0]), rows[0].currency) if rows else None


def detail(user: User, payment_id: int) -> JsonObject:
    """One visible payment; raises NotFound."""
    payment = find(user, payment_id)
    seen = [one for one in _shares_of([payment_id])[payment_id] if policy.sees(user, payment, one)]
    ids = [one.id for one in seen]
    refunds = select(*_refund_columns).where(Refund.share_id.in_(ids)).order_by(Refund.id)
    receipts = _receipts_seen(user, payment, ids)
    issued = [number_of(row) for row in receipts]
    body = view(user, payment, seen)
    return {**body, "refunds": [refund_view(row) for row in fetch(refunds)], "receipts": issued}


def of(user: User, **query: Any) -> Page:
    """Payments one pays or receives, newest first."""
    task_id = query.pop("task_id", None)
    if task_id is not None:
        query["reference"] = f"task:{task_id}"
    return with_shares(user, BROWSE.page({**query, "person": user.id}, lambda row: {"payment": row}))


def transactions(user: User, **query: Any) -> Page:
    """`of`, with each payment as a transaction of the contract beside it."""
    page = of(user, **query)
    return replace(page, extra={"transactions": [transaction(payment) for payment in page.items]})


def transaction(payment: JsonObject) -> JsonObject:
    """A payment as the contract names the fields of a transaction; its states are fewer."""
    status, ended = payment["status"], payment["ended_at"]
    if status in {PaymentStatus.HELD, PaymentStatus.RELEASED} and payment["refunded_minor"]:
        shown = "partially_refunded"
    else:
        shown = _TRANSACTION_STATES.get(str(status), "pending")
    return {
        **payment,
        "status": shown,
        "platform_fee": payment["fee"],
        "worker_amount": payment["payee_amount"],
        "held_at": payment["captured_at"],
        "released_at": ended if status == PaymentStatus.RELEASED else None,
        "refunded_at": ended if status == PaymentStatus.REFUNDED else None,
        "failure_reason": payment["failure"],
    }


_TRANSACTION_STATES = {
    **{one.value: one.value for one in (PaymentStatus.HELD, PaymentStatus.RELEASED, PaymentStatus.REFUNDED)},
    **dict.fromkeys((PaymentStatus.FAILED.value, PaymentStatus.CANCELLED.value), "failed"),
}


def with_shares(user: User, page: Page) -> Page:
    """A page of payment rows as their viewer sees them; their shares are read in one statement."""
    rows = [item["payment"] for item in page.items]
    shares = _shares_of([row.id for row in rows])
    seen = [(row, [one for one in shares[row.id] if policy.sees(user, row, one)]) for row in rows]
    return replace(page, items=[view(user, row, parts) for row, parts in seen])


def _shares_of(payment_ids: list[int]) -> dict[int, list[ShareRow]]:
    found: dict[int, list[ShareRow]] = {payment_id: [] for payment_id in payment_ids}
    theirs = select(SHARES).where(SHARES.c.payment_id.in_(payment_ids)).order_by(SHARES.c.id)
    for row in fetch_as(ShareRow, theirs) if payment_ids else ():
        found[row.payment_id].append(row)
    return found


def view(user: User, payment: Any, shares: Sequence[ShareRow]) -> JsonObject:
    """A payment as payer or payee see it: the shares they see, and the sums of these; secrets for paying are shown to
    the payer only. `payee_id` is None where there are several."""
    is_payer = payment.payer_id == user.id and payment.status in UNPAID
    reference = shares[0].reference if len(shares) == 1 else payment.reference
    kind, _, number = reference.partition(":")
    return {
        "id": payment.id,
        "reference": reference,
        "task_id": int(number) if kind == "task" else None,
        "title": shares[0].title if len(shares) == 1 else payment.title,
        "status": _status(payment.status, [one.status for one in shares]),
        "provider": payment.provider,
        "payer_id": payment.payer_id,
        "payee_id": shares[0].payee_id if len(shares) == 1 else None,
        "currency": payment.currency,
        **_sums(shares, payment.currency),
        "is_disputed_by_bank": payment.is_frozen,
        "available_from": max((one.available_from for one in shares if one.available_from), default=None),
        "shares": [_share_view(one, payment) for one in shares],
        "client_secret": payment.client_secret if is_payer else None,
        "next_url": (payment.next_url or None) if is_payer else None,
        "failure": payment.failure or None if payment.payer_id == user.id else None,
        "created_at": payment.created_at,
        "updated_at": payment.updated_at,
        "captured_at": payment.captured_at,
        "ended_at": payment.ended_at,
        "available_actions": _actions(user, payment, shares),
    }


def _share_view(part: ShareRow, payment: Any) -> JsonObject:
    return {
        "reference": part.reference,
        "title": part.title,
        "payee_id": part.payee_id,
        "status": _status(payment.status, [part.status]),
        **_sums([part], payment.currency),
    }


def _status(status: str, shares: Sequence[str]) -> str:
    """What is shown: the payment's state until it is paid, then that of the shares that are seen."""
    if not set(shares) & {ShareStatus.HELD, ShareStatus.RELEASED, ShareStatus.REFUNDED}:
        return status
    return next(one for one in (ShareStatus.HELD, ShareStatus.RELEASED, ShareStatus.REFUNDED) if one in shares).value


_SUMMED = {
    "amount": ("amount_minor",),
    "fee": ("fee_minor",),
    "tax": ("tax_minor",),
    "discount": ("discount_minor",),
    "subsidy": ("subsidy_minor",),
    "payee_amount": ("payee_minor",),
    "held": ("payee_left_minor", "fee_left_minor", "tax_left_minor"),
    "refunded": ("refunded_minor",),
}
_MINOR_NAMES = {"amount": "price_minor", "payee_amount": "payee_minor"}


def _sums(shares: Sequence[ShareRow], currency: str) -> JsonObject:
    minor = {
        name: sum(getattr(one, column) for one in shares for column in columns) for name, columns in _SUMMED.items()
    }
    major = {name: to_major(amount, currency) for name, amount in minor.items()}
    return {**major, **{_MINOR_NAMES.get(name, f"{name}_minor"): amount for name, amount in minor.items()}}


def said_of(payment: dict[str, Any]) -> str:
    """The payment's state as a sentence for its payer."""
    return payment["failure"] or SAID[payment["status"]]


def _actions(user: User, payment: Any, shares: Sequence[ShareRow]) -> list[str]:
    roles, actions = policy.role_of(user, payment.payer_id, [one.payee_id for one in shares]), []
    if "payer" in roles and payment.status in UNPAID and payment.intended_outcome != "call_off":
        actions.append("confirm")
    can_go_back = any(one.status in {ShareStatus.HELD, ShareStatus.RELEASED} for one in shares)
    if roles & {"payee", "admin"} and can_go_back and not payment.is_frozen:
        actions.append("refund")
    return actions


_refund_columns = [Refund.id, Refund.status, Refund.amount_minor, Refund.currency, Refund.reason, Refund.created_at]


def refund_view(back: Any) -> JsonObject:
    """A refund as JSON."""
    return {
        "id": back.id,
        "status": back.status,
        "amount": to_major(back.amount_minor, back.currency),
        "price_minor": back.amount_minor,
        "currency": back.currency,
        "reason": back.reason,
        "created_at": back.created_at,
    }


def sides_of(share_id: int) -> SidesOfPayment:
    """The columns of a share, and of its payment, that a notification needs."""
    named = (SHARES.c[name] for name in ("title", "payee_id", "intended_outcome", "captured_minor"))
    columns = (*named, PAYMENTS.c.payer_id, PAYMENTS.c.currency)
    return fetch_as(SidesOfPayment, select(*columns).select_from(JOINED).where(SHARES.c.id == share_id))[0]


def receipt_of(user: User, payment_id: int, number: str | None = None) -> StoredReceipt:
    """The receipt of a visible payment, or its receipt or credit note of this number; raises NotFound."""
    payment = find(user, payment_id)
    seen = [one.id for one in _shares_of([payment_id])[payment_id] if policy.sees(user, payment, one)]
    wanted = [row for row in _receipts_seen(user, payment, seen) if number in {None, number_of(row)}]
    if not wanted:
        raise NotFound.of("receipt")
    return wanted[0]


def _receipts_seen(user: User, payment: Any, share_ids: list[int]) -> list[StoredReceipt]:
    """Those of the shares that somebody sees, and of the whole payment for whoever sees all of it."""
    rows = select(RECEIPTS).where(RECEIPTS.c.payment_id == payment.id).order_by(RECEIPTS.c.id)
    is_whole = policy.role_of(user, payment.payer_id, ()) != frozenset()
    seen = {*share_ids, None} if is_whole else set(share_ids)
    return [row for row in fetch_as(StoredReceipt, rows) if row.share_id in seen]


def has_money(user_id: int) -> bool:
    """Whether a person has a balance, a debt, or money on its way."""
    theirs = (ACCOUNTS.c.owner_id == user_id, ACCOUNTS.c.balance_minor != 0)
    open_ = or_(PAYMENTS.c.payer_id == user_id, PAYMENTS.c.id.in_(policy.paid_to(user_id)))
    under_way = select(PAYMENTS.c.id).where(open_, PAYMENTS.c.status.in_(UNDER_WAY) | PAYMENTS.c.is_frozen)
    return bool(fetch(select(ACCOUNTS.c.id).where(*theirs).limit(1)) or fetch(under_way.limit(1)))


def is_frozen() -> bool:
    """Whether the ledger has an open finding, so that no payout is sent."""
    open_ = select(Discrepancy.id).where(Discrepancy.kind == "ledger", Discrepancy.closed_at.is_(None))
    return bool(fetch(open_.limit(1)))


def to_ask_about(most: int) -> list[ToAskAbout]:
    """Open payments whose next poll is due, most overdue first."""
    columns = (PAYMENTS.c.id, PAYMENTS.c.provider, PAYMENTS.c.provider_id)
    open_ = select(*columns).where(
        PAYMENTS.c.status.in_((*UNPAID, PaymentStatus.AUTHORIZED)), PAYMENTS.c.next_poll_at < now()
    )
    return fetch_as(
        ToAskAbout, open_.where(PAYMENTS.c.provider_id.is_not(None)).order_by(PAYMENTS.c.next_poll_at).limit(most)
    )


def names_of_refunds(payment_id: int) -> set[str]:
    """Keys and provider ids of a payment's refunds."""
    mine = select(Refund.key, Refund.provider_id).where(Refund.payment_id == payment_id)
    return {name for row in fetch(mine) for name in row if name}


def unsettled(model: Any, status: str, before: datetime, most: int) -> list[ToAskAbout]:
    """Refunds or payouts that the provider has not ended, those asked about longest ago first."""
    columns = [model.id, model.provider_id, Payment.provider if model is Refund else model.provider]
    waiting = select(*columns).where(model.status == status, model.updated_at < before)
    if model is Refund:
        waiting = waiting.join(Payment, Payment.id == Refund.payment_id)
    return fetch_as(ToAskAbout, waiting.where(model.provider_id.is_not(None)).order_by(model.updated_at).limit(most))


def named(model: Any, provider: str, provider_id: str) -> int | None:
    """Our id of the object with this id at the provider; None where it is not ours."""
    rows = fetch(select(model.id).where(model.provider == provider, model.provider_id == provider_id))
    return int(rows[0].id) if rows else None
