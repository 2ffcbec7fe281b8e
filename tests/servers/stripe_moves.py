"""The local Stripe's connected accounts and transfers."""

from typing import Any

import stripe.params as shape

from tests.servers.stripe_payments import amount_of
from tests.servers.stripe_store import Fault, Store


def create_account(book: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Nobody is known yet."""
    if len(params.get("country", "US")) != 2 or params.get("type") != "express":
        raise Fault(400, "invalid_request_error", "Not an account we make here.")
    asked = dict.fromkeys(params.pop("capabilities", {}), "inactive")
    account = book.add("acct", "account", **params, capabilities=asked, payouts_enabled=False, charges_enabled=False)
    book.tell("account.updated", account)
    return account


def get_account(book: Store, _: dict[str, Any], account_id: str) -> dict[str, Any]:
    """An account that is not ours is forbidden, not unknown."""
    account = book.things.get(account_id)
    if account is None or account["object"] != "account":
        message = f"The provided key does not have access to account '{account_id}' (or it does not exist)."
        raise Fault(403, "invalid_request_error", message, code="account_invalid")
    return account


def create_link(book: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Works once."""
    get_account(book, {}, params["account"])
    for name in ("refresh_url", "return_url"):
        if not params.get(name, "").startswith("http"):
            raise Fault(400, "invalid_request_error", "Not a valid URL", code="url_invalid", param=name)
    link = book.add("link", "account_link", expires_at=0)
    link["url"] = f"{book.url}/setup/{params['account']}/{link['id']}"
    return link


def onboard(book: Store, account_id: str) -> None:
    """They told Stripe who they are."""
    account = book.things[account_id]
    account |= {"capabilities": {"transfers": "active"}, "payouts_enabled": True}
    book.tell("account.updated", account)


def create_transfer(book: Store, params: dict[str, Any]) -> dict[str, Any]:
    """From our balance to theirs."""
    amount = amount_of(params, params["currency"])
    account = book.things.get(params["destination"])
    if account is None:
        message = f"No such destination: '{params['destination']}'"
        raise Fault(400, "invalid_request_error", message, code="resource_missing", param="destination")
    if account["capabilities"].get("transfers") != "active":
        message = "Your destination account needs to have at least one of the following capabilities enabled: transfers"
        raise Fault(400, "invalid_request_error", message, code="insufficient_capabilities_for_transfer")
    if book.is_poor:
        raise Fault(400, "invalid_request_error", "You have insufficient funds.", code="balance_insufficient")
    transfer = book.add("tr", "transfer", **{**params, "amount": amount}, amount_reversed=0, reversed=False)
    book.enter("transfer", transfer, -amount)
    book.tell("transfer.created", transfer)
    return transfer


def reverse(book: Store, transfer_id: str) -> None:
    """The money comes back."""
    transfer = book.things[transfer_id]
    transfer |= {"reversed": True, "amount_reversed": transfer["amount"]}
    made = {"amount": transfer["amount"], "currency": transfer["currency"], "transfer": transfer_id, "metadata": {}}
    book.enter("transfer_reversal", book.add("trr", "transfer_reversal", **made), transfer["amount"])
    book.tell("transfer.reversed", transfer)


ROUTES = [
    ("POST", r"accounts", shape.AccountCreateParams, create_account),
    ("GET", r"accounts/([^/]+)", shape.AccountRetrieveParams, get_account),
    ("POST", r"account_links", shape.AccountLinkCreateParams, create_link),
    ("POST", r"transfers", shape.TransferCreateParams, create_transfer),
    ("GET", r"transfers/([^/]+)", shape.TransferRetrieveParams, lambda book, _, i: book.get(i, kind="transfer")),
]
