"""/api/auth/phone: codes by SMS."""

from typing import Any

from marketplace.auth import queries
from marketplace.auth.client_context import here
from marketplace.auth.phone import service
from marketplace.auth.phone.schemas import PhoneCodeSchema, PhoneSchema
from marketplace.auth.schemas import UserSchema
from marketplace.core.http.access import ANYONE, PROVED, current_user, viewer
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.rate_limits import code_limit
from marketplace.core.http.schemas import MessageSchema, written
from marketplace.kit.json_types import JsonObject

bp = Blueprint("phone", __name__, url_prefix="/api/auth/phone", description="Telephone numbers and codes by SMS")
ON_ITS_WAY = "The code is on its way."
PERHAPS = "If somebody has confirmed this number, a code is on its way to it."


@bp.post("/send-code", access=ANYONE)
@code_limit
@bp.arguments(PhoneSchema)
@bp.response(200, MessageSchema)
def send_phone_code(data: dict[str, Any]) -> Answer:
    """Send a code: signed in, to confirm my number; else to sign in by it."""
    person = viewer()
    if person is None:
        service.ask_for_log_in(data["phone"])
        return {"message": PERHAPS}
    service.send_to_verify(person, data["phone"])
    return {"message": ON_ITS_WAY}


@bp.post("/link", access=PROVED, transaction=False)
@code_limit
@bp.arguments(PhoneCodeSchema)
@bp.response(200, written(UserSchema, "user"))
def link_phone(data: dict[str, Any]) -> Answer:
    """The same as confirming it, under the address some clients use."""
    return _verified(data)


@bp.post("/verify", access=PROVED, transaction=False)
@code_limit
@bp.arguments(PhoneCodeSchema)
@bp.response(200, written(UserSchema, "user"))
def verify_phone(data: dict[str, Any]) -> Answer:
    """Confirm my number by the code that was sent to it."""
    return _verified(data)


def _verified(data: dict[str, Any]) -> JsonObject:
    user_id = current_user().id
    service.verify(user_id, data["phone"], data["code"], here())
    return written_answer("user", queries.private_view(queries.find(None, user_id)), "Your number is confirmed.")
