"""Web push subscriptions; their endpoints come from clients, so only public https addresses are taken."""

import base64
import binascii
import secrets

from marketplace.auth.models import User
from marketplace.core.database.db import in_transaction
from marketplace.core.http import outgoing_requests
from marketplace.core.ops import current_settings
from marketplace.kit.errors import Invalid
from marketplace.notifications import preferences
from marketplace.notifications import service as notifications_service

SIZES = {"p256dh": 65, "auth": 16}  # RFC 8291: an uncompressed point of P-256, and a secret


def subscribe(user: User, *, endpoint: str, keys: dict[str, str], user_agent: str) -> int:
    """Store a browser, and return the subscription's id; raises Invalid (422) for an endpoint that is no public https
    address."""
    for name, size in SIZES.items():
        if _size(keys.get(name, "")) != size:
            raise Invalid.field(f"keys.{name}", f"This is not the {name} key of a browser's subscription.")
    try:
        outgoing_requests.check(endpoint, allowed=current_settings.words("OUTGOING_ALLOWED"))
    except outgoing_requests.Refused as error:
        raise Invalid.field("endpoint", str(error)) from None
    browser = {"endpoint": endpoint, "p256dh": keys["p256dh"], "auth": keys["auth"], "user_agent": user_agent}
    return in_transaction(lambda: preferences.subscribe_browser(user, **browser).id)


def send_test(user: User) -> int:
    """Send a test push to each browser; returns how many there are."""
    key = f"test:{user.id}:{secrets.token_hex(8)}"
    notifications_service.send(user, "test", key, ["push"], related_id=None, data={})
    return len(preferences.browsers_of(user.id))


def _size(text: str) -> int:
    try:
        return len(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return 0
