"""Express accounts of those who earn, and transfers to them.

Apart from the rooms: a gateway's part: one ability.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stripe import InvalidRequestError
from stripe.params import AccountCreateParams

from marketplace.payments.providers.provider import Done, NotSettled, PayeeState, PayoutState
from marketplace.payments.providers.stripe.account import Account, asking, carries
from marketplace.payments.providers.stripe.money import from_stripe, to_be_paid_out


class Payouts(Account):
    """What those who earned it get."""

    def register_payee(self, *, payee_id: str | None, user_id: int, email: str, country: str, key: str) -> PayeeState:
        """An Express account and a link to where its owner tells Stripe who they are; a link works once."""
        with asking():
            account = self._account(payee_id) if payee_id else self._new_account(user_id, email, country, key)
            if _is_ready(account):
                return PayeeState(id=account["id"], ready=True)
            link = self._api.account_links.create(
                {
                    "account": account["id"],
                    "type": "account_onboarding",
                    "refresh_url": self._return_url,
                    "return_url": self._return_url,
                },
                {"idempotency_key": f"{key}:link"},
            )
            return PayeeState(id=account["id"], ready=False, url=link.url)

    def fetch_payee(self, payee_id: str) -> PayeeState:
        """Whether they can be paid; raises Unknown. There is no URL: a link is made for who is about to follow it."""
        with asking():
            return PayeeState(id=payee_id, ready=_is_ready(self._account(payee_id)))

    def pay_out(self, *, payee_id: str, amount_minor: int, currency: str, key: str, reference: str) -> PayoutState:
        """A transfer from our balance; raises NotSettled where there is too little of it yet."""
        amount = to_be_paid_out(amount_minor, currency)
        with asking(), waiting_for_settlement():
            transfer = self._api.transfers.create(
                {
                    "amount": amount,
                    "currency": currency.lower(),
                    "destination": payee_id,
                    "transfer_group": key,
                    "metadata": {"key": key, "reference": reference},
                },
                {"idempotency_key": key},
            )
            return _payout(transfer.to_dict())

    def fetch_payout(self, payout_id: str) -> PayoutState:
        """How it stands; raises Unknown."""
        with asking():
            return _payout(self._api.transfers.retrieve(payout_id).to_dict())

    def find_payout(self, key: str) -> PayoutState | None:
        """By its group, which is our key."""
        with asking():
            for transfer in self._api.transfers.list({"transfer_group": key, "limit": 100}).auto_paging_iter():
                if carries(one := transfer.to_dict(), key):
                    return _payout(one)
        return None

    def _account(self, payee_id: str) -> dict[str, Any]:
        return self._api.accounts.retrieve(payee_id).to_dict()

    def _new_account(self, user_id: int, email: str, country: str, key: str) -> dict[str, Any]:
        params: AccountCreateParams = {
            "type": "express",
            "email": email,
            "country": country,
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"key": key, "user_id": str(user_id)},
        }
        return self._api.accounts.create(params, {"idempotency_key": key}).to_dict()


@contextmanager
def waiting_for_settlement() -> Iterator[None]:
    """What is not in our balance yet is no reason to give up."""
    try:
        yield
    except InvalidRequestError as error:
        if error.code == "balance_insufficient":
            raise NotSettled("Stripe has not settled the money for this payout yet.") from None
        raise


def _is_ready(account: dict[str, Any]) -> bool:
    """Money can be sent to them, and they can take it to their bank."""
    capabilities = account.get("capabilities") or {}
    return bool(account.get("payouts_enabled")) and capabilities.get("transfers") == "active"


def _payout(transfer: dict[str, Any]) -> PayoutState:
    currency = transfer["currency"].upper()
    came_back = bool(transfer["reversed"])
    return PayoutState(
        id=transfer["id"],
        status=Done.FAILED if came_back else Done.DONE,
        amount_minor=from_stripe(transfer["amount"], currency),
        currency=currency,
        failure="The transfer was reversed." if came_back else "",
        key=(transfer.get("metadata") or {}).get("key", ""),
    )
