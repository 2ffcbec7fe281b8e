"""Payments, wallets, statements and receipts, to be read."""

from collections import Counter
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, Select, Table, bindparam, case, func, literal, or_, select

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
from marketplace.payments.lifecycle import SAID, UNDER_WAY, UNPAID, PaymentStatus
from marketplace.payments.models import (
    Discrepancy,
    Payee,
    Payment,
    Payout,
    ReceiptRow,
    Refund,
    SidesOfPayment,
    ToAskAbout,
)
from marketplace.payments.receipts import i18n
from marketplace.payments.receipts.service import StoredReceipt, number_of

PAYMENTS: Table = table_of(Payment)
PAYOUTS: Table = table_of(Payout)
ACCOUNTS: Table = table_of(LedgerAccount)
TRANSFERS: Table = table_of(Transfer)
RECEIPTS: Table = table_of(ReceiptRow)

BROWSE = ListQuery(
    name="payments",
    table=PAYMENTS,
    columns=list(PAYMENTS.c),
    filters={
        "person": or_(PAYMENTS.c.payer_id == bindparam("person"), PAYMENTS.c.payee_id == bindparam("person")),
        **equal_to(PAYMENTS.c, "status", "reference"),
    },
    sorts={"created_at": PAYMENTS.c.created_at},
    default_sort="-created_at",
)
_mine: BindParameter[int] = bindparam("accounts", expanding=True)
_comes_in = TRANSFERS.c.credit_id.in_(_mine)  # no transfer goes from one of a person's wallets to another
STATEMENT = ListQuery(
    name="transactions",
    table=TRANSFERS,
    columns=[
        *(TRANSFERS.c[name] for name in ("id", "kind", "reference", "subject", "currency", "created_at")),
        case((_comes_in, TRANSFERS.c.amount_minor), else_=-TRANSFERS.c.amount_minor).label("signed_minor"),
        case((_comes_in, TRANSFERS.c.credit_after), else_=TRANSFERS.c.debit_after).label("balance_minor"),
        case((_comes_in, TRANSFERS.c.credit_id), else_=TRANSFERS.c.debit_id).label("wallet_id"),
    ],
    filters={"accounts": or_(_comes_in, TRANSFERS.c.debit_id.in_(_mine))},
    sorts={"created_at": TRANSFERS.c.created_at},
    default_sort="-created_at",
)


def standing_of(reference: str) -> tuple[int, str] | None:
    """(id, status) of a deal's newest payment, whoever asks; None without one."""
    return standings_of([reference]).get(reference)


def standings_of(references: list[str]) -> dict[str, tuple[int, str]]:
    """`standing_of` by reference; deals without a payment are left out."""
    columns = (PAYMENTS.c.reference, PAYMENTS.c.id, PAYMENTS.c.status)
    theirs = select(*columns).where(PAYMENTS.c.reference.in_(references)).order_by(PAYMENTS.c.id)
    return {row.reference: (row.id, row.status) for row in fetch(theirs)}


def newest_of(user: User, reference: str) -> int:
    """Id of the newest visible payment of a deal; raises NotFound."""
    mine = policy.visible_to(user).where(Payment.reference == reference)
    return one(mine.order_by(Payment.id.desc()).limit(1), "payment").id


def quote_view(quoted: Quote) -> JsonObject:
    """A quote as JSON."""
    amounts = {name: getattr(quoted, f"{name}_minor") for name in ("fee", "tax", "discount")}
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
    left = PAYMENTS.c.captured_minor - PAYMENTS.c.refunded_minor
    held = select(left, PAYMENTS.c.currency).where(
        PAYMENTS.c.active_reference == reference, PAYMENTS.c.status == PaymentStatus.HELD
    )
    rows = fetch(held)
    return (int(rows[0][0]), rows[0].currency) if rows else None


def detail(user: User, payment_id: int) -> JsonObject:
    """One visible payment; raises NotFound."""
    body = view(user, find(user, payment_id))
    refunds = select(*_refund_columns).where(Refund.payment_id == payment_id).order_by(Refund.id)
    numbers = select(RECEIPTS.c.series, RECEIPTS.c.number).where(RECEIPTS.c.payment_id == payment_id)
    issued = [number_of(row) for row in fetch(numbers.order_by(RECEIPTS.c.id))]
    return {**body, "refunds": [refund_view(row) for row in fetch(refunds)], "receipts": issued}


def of(user: User, **query: Any) -> Page:
    """Payments one pays or receives, newest first."""
    task_id = query.pop("task_id", None)
    if task_id is not None:
        query["reference"] = f"task:{task_id}"
    return BROWSE.page({**query, "person": user.id}, lambda row: view(user, row))


def view(user: User, payment: Any) -> JsonObject:
    """A payment as payer or payee see it; secrets for paying are shown to the payer only."""
    is_payer = payment.payer_id == user.id and payment.status in UNPAID
    kind, _, number = payment.reference.partition(":")
    currency = payment.currency
    return {
        "id": payment.id,
        "reference": payment.reference,
        "task_id": int(number) if kind == "task" else None,
        "title": payment.title,
        "status": payment.status,
        "provider": payment.provider,
        "payer_id": payment.payer_id,
        "payee_id": payment.payee_id,
        "amount": to_major(payment.amount_minor, currency),
        "price_minor": payment.amount_minor,
        "currency": currency,
        "fee": to_major(payment.fee_minor, currency),
        "fee_minor": payment.fee_minor,
        "tax": to_major(payment.tax_minor, currency),
        "tax_minor": payment.tax_minor,
        "discount": to_major(payment.discount_minor, currency),
        "discount_minor": payment.discount_minor,
        "payee_amount": to_major(payment.payee_minor, currency),
        "payee_minor": payment.payee_minor,
        "refunded": to_major(payment.refunded_minor, currency),
        "refunded_minor": payment.refunded_minor,
        "client_secret": payment.client_secret if is_payer else None,
        "next_url": (payment.next_url or None) if is_payer else None,
        "failure": payment.failure or None if payment.payer_id == user.id else None,
        "created_at": payment.created_at,
        "updated_at": payment.updated_at,
        "captured_at": payment.captured_at,
        "ended_at": payment.ended_at,
        "available_actions": _actions(user, payment),
    }


def said_of(payment: dict[str, Any]) -> str:
    """The payment's state as a sentence for its payer."""
    return payment["failure"] or SAID[payment["status"]]


def _actions(user: User, payment: Any) -> list[str]:
    roles, actions = policy.role_of(user, payment), []
    if "payer" in roles and payment.status in UNPAID and payment.intended_outcome != "call_off":
        actions.append("confirm")
    if roles & {"payee", "admin"} and payment.status in {PaymentStatus.HELD, PaymentStatus.RELEASED}:
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


def sides_of(payment_id: int) -> SidesOfPayment:
    """The columns a notification needs."""
    names = ("title", "payer_id", "payee_id", "captured_minor", "currency", "intended_outcome")
    return fetch_as(SidesOfPayment, select(*(PAYMENTS.c[name] for name in names)).where(PAYMENTS.c.id == payment_id))[0]


def receipt_of(user: User, payment_id: int, number: str | None = None) -> StoredReceipt:
    """The receipt of a visible payment, or its receipt or credit note of this number; raises NotFound."""
    find(user, payment_id)
    rows = fetch_as(StoredReceipt, select(RECEIPTS).where(RECEIPTS.c.payment_id == payment_id).order_by(RECEIPTS.c.id))
    wanted = [row for row in rows if number in {None, number_of(row)}]
    if not wanted:
        raise NotFound.of("receipt")
    return wanted[0]


def wallet(user: User) -> list[JsonObject]:
    """One's wallet by currency and provider: available, in escrow for this person, on its way to the bank."""
    named = ("currency", "provider", "purpose", "balance_minor")
    balances = select(*(ACCOUNTS.c[name] for name in named)).where(
        ACCOUNTS.c.owner_id == user.id, ACCOUNTS.c.purpose.in_(("available", "payout", "refund"))
    )
    held = select(
        PAYMENTS.c.currency,
        PAYMENTS.c.provider,
        literal("held").label("purpose"),
        func.sum(PAYMENTS.c.captured_minor - PAYMENTS.c.refunded_minor).label("balance_minor"),
    ).where(PAYMENTS.c.payee_id == user.id, PAYMENTS.c.status == PaymentStatus.HELD)
    amounts: dict[str, dict[str, Counter[str]]] = {}
    for row in [*fetch(balances), *fetch(held.group_by(PAYMENTS.c.currency, PAYMENTS.c.provider))]:
        here = amounts.setdefault(row.currency, {}).setdefault(row.provider, Counter())
        here[row.purpose] += int(row.balance_minor)
    ready = {row.provider for row in fetch(select(Payee.provider).where(Payee.user_id == user.id, Payee.is_ready))}
    return [_balance(currency, amounts[currency], ready) for currency in sorted(amounts)]


def _balance(currency: str, by_provider: dict[str, Counter[str]], ready: set[str]) -> JsonObject:
    together: Counter[str] = Counter()
    for amounts in by_provider.values():
        together.update(amounts)
    parts = [
        {"provider": name, "can_be_paid_out": name in ready, **_amounts(currency, by_provider[name])}
        for name in sorted(by_provider)
    ]
    return {"currency": currency, **_amounts(currency, together), "by_provider": parts}


def _amounts(currency: str, amounts: Counter[str]) -> JsonObject:
    named = {"available": "available", "held": "held", "pending": "payout", "going_back": "refund"}
    minor = {name: amounts[purpose] for name, purpose in named.items()}
    major = {name: to_major(amount, currency) for name, amount in minor.items()}
    return {**major, **{f"{name}_minor": amount for name, amount in minor.items()}}


def has_money(user_id: int) -> bool:
    """Whether a person has a balance, a debt, or money on its way."""
    theirs = (ACCOUNTS.c.owner_id == user_id, ACCOUNTS.c.balance_minor != 0)
    open_ = or_(PAYMENTS.c.payer_id == user_id, PAYMENTS.c.payee_id == user_id)
    under_way = select(PAYMENTS.c.id).where(open_, PAYMENTS.c.status.in_(UNDER_WAY))
    return bool(fetch(select(ACCOUNTS.c.id).where(*theirs).limit(1)) or fetch(under_way.limit(1)))


def statement(user: User, *, currency: str | None = None, **query: Any) -> Page:
    """The movements of one's wallet, newest first."""
    wallets = wallet_accounts(user.id, currency)
    page = STATEMENT.page({**query, "accounts": list(wallets) or [0]}, partial(line, wallets))
    _explain(page.items, user.language)
    return page


def wallet_accounts(user_id: int, currency: str | None = None) -> dict[int, str]:
    """Account id → provider of one's wallet, in all currencies or one."""
    columns = (ACCOUNTS.c.id, ACCOUNTS.c.provider)
    mine = select(*columns).where(ACCOUNTS.c.owner_id == user_id, ACCOUNTS.c.purpose == "available")
    rows = fetch(mine if currency is None else mine.where(ACCOUNTS.c.currency == currency))
    return {row.id: row.provider for row in rows}


def line(wallets: dict[int, str], row: Any) -> JsonObject:
    """One movement as JSON."""
    return {
        "id": row.id,
        "kind": row.kind,
        "reference": row.reference,
        "subject": row.subject,
        "amount": to_major(row.signed_minor, row.currency),
        "price_minor": row.signed_minor,
        "balance": to_major(row.balance_minor, row.currency),
        "balance_minor": row.balance_minor,
        "currency": row.currency,
        "provider": wallets[row.wallet_id],
        "created_at": row.created_at,
    }


def _explain(lines: list[dict[str, Any]], language: str) -> None:
    """Add title and fee to movements, in three statements however many there are."""
    subjects, spoken = [one["subject"] for one in lines], i18n.spoken(language)
    titles = {**_named("payment", _payment_titles, subjects), **_named("refund", _refund_titles, subjects)}
    kept = {row.subject: int(row.minor) for row in fetch(_kept, {"subjects": subjects})}
    said = i18n.labels(spoken, "statement")
    for entry in lines:
        fee = kept.get(entry["subject"], 0) if entry["kind"] == "release" else 0
        kind = "release_whole" if entry["kind"] == "release" and not fee else entry["kind"]
        title, amount = titles.get(entry["subject"], ""), i18n.amount(spoken, fee, entry["currency"])
        sentence = said.get(kind, kind).format(title=i18n.harmless(title), fee=amount)
        entry |= {"explanation": sentence, "fee": to_major(fee, entry["currency"]), "fee_minor": fee}


def _named(kind: str, statement: Select[Any], subjects: list[str]) -> dict[str, str]:
    """Titles by subject, for subjects of one kind."""
    ids = [int(one.partition(":")[2]) for one in subjects if one.startswith(f"{kind}:")]
    return {f"{kind}:{row.id}": row.title for row in fetch(statement, {"ids": ids})}


_payment_titles = select(PAYMENTS.c.id, PAYMENTS.c.title).where(PAYMENTS.c.id.in_(bindparam("ids", expanding=True)))
_refund_titles = (
    select(Refund.id, PAYMENTS.c.title)
    .join(Payment, Payment.id == Refund.payment_id)
    .where(Refund.id.in_(bindparam("ids", expanding=True)))
)
_kept = (
    select(TRANSFERS.c.subject, func.sum(TRANSFERS.c.amount_minor).label("minor"))
    .where(TRANSFERS.c.subject.in_(bindparam("subjects", expanding=True)), TRANSFERS.c.kind.in_(("fee", "tax")))
    .group_by(TRANSFERS.c.subject)
)


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
