"""/api/auth: accounts, tokens, sign-ins."""

from typing import Any

from marketplace.auth import service, token_response
from marketplace.auth import step_up as auth_step_up
from marketplace.auth.client_context import here
from marketplace.auth.passwords import service as passwords_service
from marketplace.auth.phone.schemas import PhoneCodeSchema
from marketplace.auth.schemas import (
    AvailabilitySchema,
    CredentialsSchema,
    PasswordChangeSchema,
    RegisteredSchema,
    RegistrationSchema,
    SessionsSchema,
    SignInSchema,
    StepUpSchema,
    TokensSchema,
    TwoFactorProblemSchema,
    VerificationRequiredSchema,
)
from marketplace.auth.second_factor.schemas import ChallengeAnswerSchema
from marketplace.auth.sessions import refresh as sessions_refresh
from marketplace.auth.sessions import service as sessions_service
from marketplace.auth.sessions.service import SIGNED_OUT
from marketplace.auth.sign_in import service as sign_in_service
from marketplace.core.http.access import ANYONE, NEWCOMER, PROVED_TWICE, REFRESHING, SIGNED_IN, claims, current_user
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.rate_limits import code_limit, sign_in_limit, sign_up_limit
from marketplace.core.http.schemas import MessageSchema

bp = Blueprint("auth", __name__, url_prefix="/api/auth", description="Accounts, tokens and sign-ins")
CHALLENGE = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "detail": sign_in_service.ASK["totp"],
    "instance": "urn:request:4f2c9a7e1b3d4c5e",
    "error": sign_in_service.ASK["totp"],
    "code": "two_factor_required",
    "two_factor_required": True,
    "challenge_token": "17.mM5T1LQ0x3kXb7eYxM3RSP",
    "method": "totp",
}
accepts_challenge = bp.doc(
    parameters=[
        {
            "in": "header",
            "name": token_response.ACCEPTS_CHALLENGE,
            "description": "1: a challenge is answered 200. Without it a challenge is a 401, `two_factor_required`",
            "schema": {"type": "string"},
            "example": "1",
        }
    ],
    responses={
        "401": {
            "description": "Not right, or `two_factor_required`: the second proof is asked for",
            "content": {"application/problem+json": {"schema": TwoFactorProblemSchema, "example": CHALLENGE}},
        }
    },
)


@bp.post("/register", access=NEWCOMER, transaction=False)
@sign_up_limit
@bp.arguments(RegistrationSchema)
@bp.response(201, RegisteredSchema)
@bp.alt_response(
    202, schema=VerificationRequiredSchema, description="With REGISTRATION_HIDES_ACCOUNTS, for any address"
)
def register_account(data: dict[str, Any]) -> Answer:
    """Open an account and sign in."""
    return token_response.entering(sign_in_service.register(here(), **data), created=True)


@bp.post("/login", access=NEWCOMER, transaction=False)
@sign_in_limit
@bp.arguments(CredentialsSchema)
@accepts_challenge
@bp.response(200, SignInSchema)
def log_in(data: dict[str, Any]) -> Answer:
    """Sign in with e-mail (or username) and password; where a second proof is needed, tokens come after it."""
    return token_response.entering(sign_in_service.by_password(here(), **data))


@bp.post("/2fa/verify", access=NEWCOMER, transaction=False)
@code_limit
@bp.arguments(ChallengeAnswerSchema)
@bp.response(200, SignInSchema)
def verify_second_factor(data: dict[str, Any]) -> Answer:
    """Finish a log-in by its second proof."""
    return token_response.entering(sign_in_service.by_challenge(here(), **data))


@bp.post("/phone/login", access=NEWCOMER, transaction=False)
@code_limit
@bp.arguments(PhoneCodeSchema)
@accepts_challenge
@bp.response(200, SignInSchema)
def log_in_by_phone(data: dict[str, Any]) -> Answer:
    """Sign in by a number and the code that was sent to it."""
    return token_response.entering(sign_in_service.by_phone(here(), **data))


@bp.post("/refresh", access=REFRESHING, transaction=False, no_replay=True)
@bp.response(200, TokensSchema)
def refresh_tokens() -> Answer:
    """Trade the refresh token (sent as Bearer) for new tokens; each counts once."""
    return token_response.entering(sessions_refresh.refresh(claims(), current_user().id))


@bp.post("/logout", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def log_out() -> Answer:
    """End this sign-in; its tokens stop counting at once."""
    sessions_service.end(claims()["sid"], SIGNED_OUT)
    return token_response.leaving({"message": "You are signed out."})


@bp.post("/step-up", access=SIGNED_IN, transaction=False)
@sign_in_limit
@bp.arguments(StepUpSchema)
@bp.response(200, MessageSchema)
def step_up(data: dict[str, Any]) -> Answer:
    """Show once more that it is me, before something that needs it."""
    auth_step_up.step_up(current_user(), claims()["sid"], here(), **data)
    return {"message": "Thank you. You can go on for a while."}


@bp.get("/sessions", access=SIGNED_IN)
@bp.response(200, SessionsSchema)
def list_sessions() -> Answer:
    """List where I am signed in, the last used first."""
    found = sessions_service.of(current_user(), claims()["sid"])
    return {"sessions": found, "total": len(found)}


@bp.delete("/sessions/<session_id>", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def end_session(session_id: str) -> Answer:
    """Sign out there."""
    sessions_service.end_one(current_user(), session_id)
    return {"message": "Signed out there."}


@bp.delete("/sessions", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def end_other_sessions() -> Answer:
    """Sign out everywhere but here."""
    count = sessions_service.end_others(current_user().id, claims()["sid"])
    return {"message": f"Signed out in {count} other places."}


@bp.put("/password", access=PROVED_TWICE, transaction=False)
@sign_in_limit
@bp.arguments(PasswordChangeSchema)
@bp.response(200, MessageSchema)
def change_password(data: dict[str, Any]) -> Answer:
    """Change my password; every other sign-in ends."""
    passwords_service.change(current_user(), claims()["sid"], **data)
    return {"message": "Your password is changed. You are signed out everywhere else."}


@bp.get("/check-username/<name>", access=ANYONE)
@bp.response(200, AvailabilitySchema)
def check_username(name: str) -> Answer:
    """Say whether a username can still be had."""
    reason = service.why_unavailable(name)
    return {"available": reason is None, **({"reason": reason} if reason else {})}
