"""Subscribing in three steps: ask the provider about an unpaid subscription, record ours, make the provider's calls.

Apart from the rooms: a verb in several transactions with the network in between, which service.py never does.
"""

from functools import partial
from typing import Any

from marketplace.auth.models import User
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.subscriptions import reconciliation, service


def subscribe(user: User, *, plan: str, **how: Any) -> int:
    """As `service.subscribe`, with the provider's answer; not inside a transaction. Returns its id."""
    reconciliation.ask_about_unpaid(user.id)
    subscribe = partial(service.subscribe, user, plan=plan, **how)
    return provider_requests_handlers.at_once("subscription", lambda: subscribe().id)
