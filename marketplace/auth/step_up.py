"""Step-up authentication: a fresh proof (password or second factor) before what could hurt the account.

Apart from the rooms: the check of every route that asks for a fresh proof, registered by the manifest.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from marketplace.auth.client_context import Place
from marketplace.auth.models import SignIn
from marketplace.auth.second_factor import service as second_factor_service
from marketplace.auth.second_factor import totp
from marketplace.auth.service import WrongPassword, knows_password
from marketplace.auth.sign_in_risk import service as sign_in_risk_service
from marketplace.core.database.db import execute, fetch, in_transaction
from marketplace.core.ops import current_settings
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid, NotAllowed


class StepUpRequired(NotAllowed):
    """403: the last proof of who they are is older than STEP_UP_MINUTES."""

    code = "step_up_required"
    sentence = "Please confirm that it is you: POST /api/auth/step-up with your password, or a code if you use them."


def demand(person: Any, claims: dict[str, Any], kind: str) -> None:
    """Raises StepUpRequired (403) where the last proof is older than STEP_UP_MINUTES; "second factor"
    asks only those who have one."""
    if kind == "second factor" and not totp.is_on(person.id):
        return
    proved = fetch(select(SignIn.proved_at).where(SignIn.id == claims["sid"]))
    lasts = timedelta(minutes=current_settings.whole("STEP_UP_MINUTES"))
    if not proved or proved[0].proved_at < now() - lasts:
        raise StepUpRequired()


def step_up(user: Any, sign_in_id: str, place: Place, *, password: str = "", code: str = "") -> None:
    """Prove oneself again, by a code where there is a second factor, else by the password; raises Invalid (422),
    WrongPassword (403), TooManyCodes, TooMany (429)."""
    user_id, password_hash = user.id, user.password_hash
    if totp.is_on(user_id):
        if not code:
            raise Invalid.field("code", "Enter a code of your authenticator: your password alone is not enough.")
        second_factor_service.guess(user_id)
        if not in_transaction(lambda: second_factor_service.proves(user_id, code)):
            in_transaction(lambda: sign_in_risk_service.note(sign_in_risk_service.REFUSED_CODE, user_id, place))
            raise Invalid.field("code", second_factor_service.WRONG_CODE)
    elif not password:
        raise Invalid.field("password", "Enter your password.")
    elif not knows_password(user_id, password_hash, password):
        in_transaction(lambda: sign_in_risk_service.note(sign_in_risk_service.FAILED, user_id, place))
        raise WrongPassword()
    in_transaction(lambda: execute(update(SignIn).where(SignIn.id == sign_in_id).values(proved_at=now())))
