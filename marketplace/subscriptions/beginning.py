"""Beginning a plan in steps: what was done at the provider, our part, and what is asked for."""

from marketplace.auth.models import User
from marketplace.core.db import in_transaction
from marketplace.payments import calling
from marketplace.subscriptions import reconciling, service


def subscribe(user: User, *, plan: str, provider: str | None = None, payment_method: str | None = None) -> int:
    """As `service.subscribe`, with the provider's answer; not inside a transaction. Returns its id."""
    user_id = user.id
    reconciling.ask_about_unpaid(user_id)
    begun = in_transaction(
        lambda: service.subscribe(user, plan=plan, provider=provider, payment_method=payment_method).id
    )
    calling.call_now("subscription", begun)
    return begun
