"""/api/auth/2fa: the second factor."""

from typing import Any

from marketplace.auth.second_factor import service
from marketplace.auth.second_factor.schemas import (
    CodeSchema,
    RecoveryCodesSchema,
    SecondFactorSchema,
    SecretSchema,
    SwitchOffSchema,
)
from marketplace.core.http.access import PROVED, SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.rate_limits import code_limit
from marketplace.core.http.schemas import MessageSchema

bp = Blueprint("second_factor", __name__, url_prefix="/api/auth/2fa", description="The second factor")
KEEP = "Keep these codes where your telephone is not: each signs you in once without it."


@bp.get("", access=SIGNED_IN)
@bp.response(200, SecondFactorSchema)
def show_second_factor() -> Answer:
    """Show whether it is on."""
    return service.state_of(current_user())


@bp.post("/setup", access=PROVED, no_replay=True)
@bp.response(200, SecretSchema)
def set_up_second_factor() -> Answer:
    """Make a secret for my authenticator; it counts once a code of it was shown."""
    return service.set_up(current_user())


@bp.post("/enable", access=PROVED, transaction=False, no_replay=True)
@code_limit
@bp.arguments(CodeSchema)
@bp.response(200, RecoveryCodesSchema)
def enable_second_factor(data: dict[str, Any]) -> Answer:
    """Switch it on by a first code; answers the recovery codes, once."""
    return {"message": KEEP, "recovery_codes": service.enable(current_user().id, data["code"])}


@bp.post("/recovery-codes", access=SIGNED_IN, transaction=False, no_replay=True)
@code_limit
@bp.arguments(CodeSchema)
@bp.response(200, RecoveryCodesSchema)
def replace_recovery_codes(data: dict[str, Any]) -> Answer:
    """Make new recovery codes; the old ones count no more."""
    return {"message": KEEP, "recovery_codes": service.new_recovery_codes(current_user().id, data["code"])}


@bp.post("/disable", access=SIGNED_IN, transaction=False)
@code_limit
@bp.arguments(SwitchOffSchema)
@bp.response(200, MessageSchema)
def disable_second_factor(data: dict[str, Any]) -> Answer:
    """Switch it off by password and code."""
    user = current_user()
    service.disable(user.id, password_hash=user.password_hash, **data)
    return {"message": "The second factor is off. Your password alone signs you in."}
