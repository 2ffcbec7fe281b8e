"""Limits on guessing a password: counted by account, by whatever name, spelling or route it is tried.

Apart from the rooms: rate limits that signing in and every question for the present password share.
"""

from marketplace.auth.client_context import Place
from marketplace.auth.sign_in_risk import service as sign_in_risk_service
from marketplace.core.http.rate_limits import spend
from marketplace.core.ops import security_log
from marketplace.kit.errors import TooMany
from marketplace.kit.network import network_of


def spend_own(user_id: int, place: Place) -> None:
    """Count one try at the own password of somebody signed in, so that a stolen token has no more of them; raises
    TooMany (429)."""
    spend("own-password", str(user_id), "LIMIT_ACCOUNT")
    spend_one(user_id, "", place)


def spend_one(user_id: int | None, name: str, place: Place) -> None:
    """Count one try to sign in; raises TooMany (429). Where strangers have used up an account's tries, its owner has
    others from networks they signed in from before. Names that nobody has are limited alike."""
    account = str(user_id) if user_id is not None else f"name:{name}"
    try:
        spend("account", account, "LIMIT_ACCOUNT")
    except TooMany:
        if not sign_in_risk_service.is_known(user_id, place):
            security_log.record("account_locked", user_id=user_id)
            raise
        spend("account-here", f"{account}|{network_of(place.address)}", "LIMIT_ACCOUNT")
