"""One's wallet and the movements in it, to be read."""

from collections import Counter
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, case, func, literal, or_, select

from marketplace.auth.models import User
from marketplace.core.database.db import fetch
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.payments.chargebacks.models import Chargeback
from marketplace.payments.ledger.service import ACCOUNTS, TRANSFERS
from marketplace.payments.lifecycle import ShareStatus
from marketplace.payments.models import Payee, Refund
from marketplace.payments.queries import IN_ESCROW, JOINED, PAYMENTS, SHARES
from marketplace.payments.receipts import i18n
from marketplace.payments.subscriptions import plans
from marketplace.payments.subscriptions.models import Invoice
from marketplace.payments.subscriptions.refunds.models import InvoiceRefund
from marketplace.payments.wallets import settlement

INVOICES, PLAN_REFUNDS = table_of(Invoice), table_of(InvoiceRefund)
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


def wallet(user: User) -> list[JsonObject]:
    """One's wallet by currency and provider: available, in escrow for this person, on its way to the bank, not settled
    by the provider yet, disputed by a payer's bank."""
    named = ("currency", "provider", "purpose", "balance_minor")
    balances = select(*(ACCOUNTS.c[name] for name in named)).where(
        ACCOUNTS.c.owner_id == user.id, ACCOUNTS.c.purpose.in_(("available", "payout", "refund"))
    )
    held = (
        select(
            PAYMENTS.c.currency,
            PAYMENTS.c.provider,
            literal("held").label("purpose"),
            func.sum(IN_ESCROW).label("balance_minor"),
        )
        .select_from(JOINED)
        .where(SHARES.c.payee_id == user.id, SHARES.c.status == ShareStatus.HELD)
    )
    amounts: dict[str, dict[str, Counter[str]]] = {}
    for row in [*fetch(balances), *fetch(held.group_by(PAYMENTS.c.currency, PAYMENTS.c.provider))]:
        here = amounts.setdefault(row.currency, {}).setdefault(row.provider, Counter())
        here[row.purpose] += int(row.balance_minor)
    frozen, unsettled = settlement.frozen(user.id), settlement.unsettled(user.id)
    settling: dict[str, list[tuple[datetime, int]]] = {}
    for currency, by_provider in amounts.items():
        for name, here in by_provider.items():
            here["frozen"] = min(frozen[name, currency], max(here["available"], 0))
            here["available"] -= here["frozen"]
            parts = unsettled.get((name, currency), settlement.NOTHING).of(here["available"])
            here["unsettled"] = sum(minor for _, minor in parts)
            here["available"] -= here["unsettled"]
            settling.setdefault(currency, []).extend(parts)
    ready = {row.provider for row in fetch(select(Payee.provider).where(Payee.user_id == user.id, Payee.is_ready))}
    return [
        {
            **_balance(currency, amounts[currency], ready),
            "available_from": min((moment for moment, _ in settling.get(currency, ())), default=None),
        }
        for currency in sorted(amounts)
    ]


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
    named |= {"unsettled": "unsettled", "frozen": "frozen"}
    minor = {name: amounts[purpose] for name, purpose in named.items()}
    major = {name: to_major(amount, currency) for name, amount in minor.items()}
    return {**major, **{f"{name}_minor": amount for name, amount in minor.items()}}


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
    """Add title and fee to movements, in a few statements however many there are."""
    subjects, spoken = [one["subject"] for one in lines], i18n.spoken(language)
    titles = {name: title for kind, asked in _titles.items() for name, title in _named(kind, asked, subjects).items()}
    plan_keys = _named("invoice_refund", _plan_keys, subjects)
    titles |= {name: plans.title_of(key, spoken) for name, key in plan_keys.items()}
    kept = {row.subject: int(row.minor) for row in fetch(_kept, {"subjects": subjects})}
    said = i18n.labels(spoken, "statement")
    for entry in lines:
        fee = kept.get(entry["subject"], 0) if entry["kind"] == "release" else 0
        kind = "release_whole" if entry["kind"] == "release" and not fee else entry["kind"]
        title, amount = titles.get(entry["subject"], ""), i18n.amount(spoken, fee, entry["currency"])
        sentence = said.get(kind, kind).format(title=i18n.harmless(title), fee=amount)
        entry |= {"explanation": sentence, "fee": to_major(fee, entry["currency"]), "fee_minor": fee}


def _named(kind: str, statement: Select[Any], subjects: list[str]) -> dict[str, str]:
    """Titles by subject ("refund:3", "release:7:1"), for subjects of one kind."""
    ids = {one: int(one.split(":")[1]) for one in subjects if one.startswith(f"{kind}:")}
    titles = {row.id: row.title for row in fetch(statement, {"ids": list(ids.values())})} if ids else {}
    return {name: titles.get(number, "") for name, number in ids.items()}


_ids: BindParameter[int] = bindparam("ids", expanding=True)
_titles = {
    "payment": select(PAYMENTS.c.id, PAYMENTS.c.title).where(PAYMENTS.c.id.in_(_ids)),
    "release": select(SHARES.c.id, SHARES.c.title).where(SHARES.c.id.in_(_ids)),
    "chargeback": select(Chargeback.id, PAYMENTS.c.title)
    .join(PAYMENTS, PAYMENTS.c.id == Chargeback.payment_id)
    .where(Chargeback.id.in_(_ids)),
    "refund": select(Refund.id, SHARES.c.title).join(SHARES, SHARES.c.id == Refund.share_id).where(Refund.id.in_(_ids)),
}
_plan_keys = (
    select(PLAN_REFUNDS.c.id, INVOICES.c.plan_key.label("title"))
    .join(INVOICES, INVOICES.c.id == PLAN_REFUNDS.c.invoice_id)
    .where(PLAN_REFUNDS.c.id.in_(_ids))
)
_kept = (
    select(TRANSFERS.c.subject, func.sum(TRANSFERS.c.amount_minor).label("minor"))
    .where(TRANSFERS.c.subject.in_(bindparam("subjects", expanding=True)), TRANSFERS.c.kind.in_(("fee", "tax")))
    .group_by(TRANSFERS.c.subject)
)
