"""Beginning a plan in steps: what was done at the provider, our part, and what is asked for."""

from functools import partial
from typing import Any

from marketplace.auth.models import User
from marketplace.payments import calling
from marketplace.subscriptions import reconciling, service


def subscribe(user: User, *, plan: str, **how: Any) -> int:
    """As `service.subscribe`, with the provider's answer; not inside a transaction. Returns its id."""
    reconciling.ask_about_unpaid(user.id)
    wish = partial(service.subscribe, user, plan=plan, **how)
    return calling.at_once("subscription", lambda: wish().id)
