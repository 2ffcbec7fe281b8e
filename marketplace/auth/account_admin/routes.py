"""/api/admin: accounts, the audit log, security signals."""

from typing import Any

from marketplace.auth.account_admin import queries, service
from marketplace.auth.account_admin.schemas import (
    AccountSchema,
    AuditQuery,
    AuditRowSchema,
    RoleSchema,
    SignalQuery,
    SignalSchema,
    SuspensionSchema,
)
from marketplace.core.http.access import allowed_to, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import page_of, written

bp = Blueprint("admin_people", __name__, url_prefix="/api/admin", description="Accounts, for staff", follows="admin")


@bp.get("/users/<int:user_id>", access=allowed_to(May.SEE_PEOPLE))
@bp.response(200, AccountSchema)
def show_account(user_id: int) -> Answer:
    """Show one account."""
    return queries.show(user_id)


@bp.put("/users/<int:user_id>/role", access=allowed_to(May.GRANT_ROLES, proof="always"))
@bp.arguments(RoleSchema)
@bp.response(200, written(AccountSchema, "user"))
def set_role(data: dict[str, Any], user_id: int) -> Answer:
    """Give a role: user, moderator or admin."""
    user = service.grant(queries.find(user_id), data["role"], by=current_user())
    return written_answer("user", queries.view(user), "The role is changed.")


@bp.post("/users/<int:user_id>/ban", access=allowed_to(May.SUSPEND_PEOPLE))
@bp.arguments(SuspensionSchema)
@bp.response(200, written(AccountSchema, "user"))
def suspend_account(data: dict[str, Any], user_id: int) -> Answer:
    """Suspend an account: nobody signs in to it, nothing of it is on offer."""
    user = service.suspend(queries.find(user_id), data["reason"], by=current_user())
    return written_answer("user", queries.view(user), "The account is suspended.")


@bp.post("/users/<int:user_id>/unban", access=allowed_to(May.SUSPEND_PEOPLE))
@bp.response(200, written(AccountSchema, "user"))
def reinstate_account(user_id: int) -> Answer:
    """Open a suspended account again."""
    user = service.reinstate(queries.find(user_id), by=current_user())
    return written_answer("user", queries.view(user), "The account is open again.")


@bp.get("/audit-log", access=allowed_to(May.READ_AUDIT_LOG))
@bp.arguments(queries.AUDIT_LOG.arguments(AuditQuery), location="query")
@bp.response(200, page_of(AuditRowSchema, "audit_log"))
def list_audit_log(query: dict[str, Any]) -> Answer:
    """List who did what to what, the newest first; the rows cannot be changed by anybody."""
    return queries.AUDIT_LOG.page(query, queries.row_view)


@bp.get("/signals", access=allowed_to(May.READ_SIGNALS))
@bp.arguments(queries.SECURITY.arguments(SignalQuery), location="query")
@bp.response(200, page_of(SignalSchema, "signals"))
def list_signals(query: dict[str, Any]) -> Answer:
    """List sign-ins, refused ones too, with their scores and reasons."""
    return queries.SECURITY.page(query, queries.row_view)
