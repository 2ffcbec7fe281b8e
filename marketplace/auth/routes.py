"""/api/auth: accounts, tokens, profiles."""

from typing import Any

from flask import request

from marketplace.auth import queries, refreshing, service, sessions
from marketplace.auth.schemas import (
    AvailabilitySchema,
    CredentialsSchema,
    PasswordChangeSchema,
    ProfileChangesSchema,
    PublicUserSchema,
    RegisteredSchema,
    RegistrationSchema,
    SessionsSchema,
    TokensSchema,
    UserSchema,
)
from marketplace.auth.sessions import SIGNED_OUT
from marketplace.core.access import ANYONE, NEWCOMER, REFRESHING, SIGNED_IN, claims, current_user, viewer
from marketplace.core.limits import sign_in_limit
from marketplace.core.schemas import MessageSchema, written
from marketplace.core.web import Blueprint, Created
from marketplace.core.web import written as written_answer

bp = Blueprint("auth", __name__, url_prefix="/api/auth", description="Accounts, tokens and profiles")


@bp.post("/register", access=NEWCOMER)
@sign_in_limit
@bp.arguments(RegistrationSchema)
@bp.response(201, RegisteredSchema)
def register(data: dict[str, Any]) -> Any:
    """Open an account and sign in."""
    user = service.register(**data)
    tokens = sessions.tokens_of(sessions.begin(user, **_place()), "Welcome to the marketplace.")
    return Created("user", queries.private_view(user), "/api/auth/users", **tokens)


@bp.post("/login", access=NEWCOMER)
@sign_in_limit
@bp.arguments(CredentialsSchema)
@bp.response(200, TokensSchema)
def log_in(data: dict[str, Any]) -> Any:
    """Sign in with e-mail (or username) and password."""
    user = service.authenticate(**data)
    tokens = sessions.tokens_of(sessions.begin(user, **_place()), "Welcome back.")
    return {**tokens, "user": queries.private_view(user)}


@bp.post("/refresh", access=REFRESHING, phased=True)
@bp.response(200, TokensSchema)
def refresh() -> Any:
    """Trade the refresh token (sent as Bearer) for new tokens; each counts once."""
    return {**refreshing.refresh(claims()), "user": queries.private_view(current_user())}


@bp.post("/logout", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def log_out() -> Any:
    """End this sign-in; its tokens stop counting at once."""
    sessions.end(claims()["sid"], SIGNED_OUT)
    return {"message": "You are signed out."}


@bp.get("/sessions", access=SIGNED_IN)
@bp.response(200, SessionsSchema)
def list_sessions() -> Any:
    """List where I am signed in, the last used first."""
    found = sessions.of(current_user(), claims()["sid"])
    return {"sessions": found, "total": len(found)}


@bp.delete("/sessions/<session_id>", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def end_session(session_id: str) -> Any:
    """Sign out there."""
    sessions.end_one(current_user(), session_id)
    return {"message": "Signed out there."}


@bp.delete("/sessions", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def end_other_sessions() -> Any:
    """Sign out everywhere but here."""
    count = sessions.end_others(current_user().id, claims()["sid"])
    return {"message": f"Signed out in {count} other places."}


@bp.put("/password", access=SIGNED_IN)
@sign_in_limit
@bp.arguments(PasswordChangeSchema)
@bp.response(200, MessageSchema)
def change_password(data: dict[str, Any]) -> Any:
    """Change my password; every other sign-in ends."""
    service.change_password(current_user(), **data, sign_in_id=claims()["sid"])
    return {"message": "Your password is changed. You are signed out everywhere else."}


@bp.get("/profile", access=SIGNED_IN)
@bp.response(200, UserSchema)
def show_profile() -> Any:
    """Show my profile."""
    return queries.private_view(current_user())


@bp.put("/profile", access=SIGNED_IN)
@bp.arguments(ProfileChangesSchema)
@bp.response(200, written(UserSchema, "user"))
def edit_profile(data: dict[str, Any]) -> Any:
    """Change what is sent of my profile."""
    user = service.edit_profile(current_user(), **data)
    return written_answer("user", queries.private_view(user), "Your profile is saved.")


@bp.get("/users/<int:user_id>", access=ANYONE)
@bp.response(200, PublicUserSchema)
def show_user(user_id: int) -> Any:
    """Show a person as others see them."""
    return queries.public_view(queries.find(viewer(), user_id))


@bp.get("/check-username/<name>", access=ANYONE)
@bp.response(200, AvailabilitySchema)
def check_availability(name: str) -> Any:
    """Say whether a username can still be had."""
    reason = service.why_unavailable(name)
    return {"available": reason is None, **({"reason": reason} if reason else {})}


def _place() -> dict[str, str]:
    """Where a sign-in comes from."""
    return {"device": request.user_agent.string, "address": request.remote_addr or ""}
