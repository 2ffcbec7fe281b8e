"""/api/push."""

from typing import Any

from flask import request

from marketplace.core.http.access import ANYONE, SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.schemas import MessageSchema
from marketplace.notifications import preferences
from marketplace.notifications.gateways.push import public_key
from marketplace.notifications.gateways.registry import push_key
from marketplace.notifications.push import service
from marketplace.notifications.schemas import (
    BrowsersSchema,
    BrowserSubscribedSchema,
    EndpointSchema,
    PublicKeySchema,
    PushTestSchema,
    SubscriptionInputSchema,
)

bp = Blueprint("push", __name__, url_prefix="/api/push", access=SIGNED_IN, description="News in the browser")


@bp.get("/vapid-public-key", access=ANYONE)
@bp.response(200, PublicKeySchema)
def show_vapid_public_key() -> Answer:
    """Show the key that a browser subscribes with."""
    key = public_key(push_key())
    return {"public_key": key, "publicKey": key}


@bp.post("/subscribe", transaction=False)
@bp.arguments(SubscriptionInputSchema)
@bp.response(201, BrowserSubscribedSchema)
def subscribe_browser(data: dict[str, Any]) -> Answer:
    """Tell this browser from now on."""
    subscription_id = service.subscribe(current_user(), **data, user_agent=request.user_agent.string)
    return {"message": "This browser will be told.", "subscription_id": subscription_id}


@bp.post("/unsubscribe")
@bp.arguments(EndpointSchema)
@bp.response(200, MessageSchema)
def unsubscribe_browser(data: dict[str, Any]) -> Answer:
    """Tell this browser no more."""
    preferences.unsubscribe_browser(current_user().id, data["endpoint"])
    return {"message": "This browser will not be told any more."}


@bp.get("/subscriptions")
@bp.response(200, BrowsersSchema)
def list_push_subscriptions() -> Answer:
    """List my browsers that are told."""
    found = preferences.browsers(current_user())
    return {"subscriptions": found, "total": len(found), "count": len(found)}


@bp.post("/test")
@bp.response(200, PushTestSchema)
def send_test_push() -> Answer:
    """Send a test to all my browsers."""
    count = service.send_test(current_user())
    return {"message": f"A test is on its way to {count} of your browsers.", "sent": count, "failed": 0}
