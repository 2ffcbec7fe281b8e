"""/api/admin: accounts, the audit log, security signals."""

from typing import Any

from marketplace.admin import people
from marketplace.admin.people_schemas import (
    AccountQuery,
    AccountSchema,
    AuditQuery,
    AuditRowSchema,
    RoleSchema,
    SignalQuery,
    SignalSchema,
    SuspensionSchema,
)
from marketplace.core.access import allowed_to, current_user
from marketplace.core.permissions import May
from marketplace.core.schemas import page_of, written
from marketplace.core.web import Answer, Blueprint
from marketplace.core.web import written as written_answer

bp = Blueprint("admin_people", __name__, url_prefix="/api/admin", description="Accounts, for staff")


@bp.get("/users", access=allowed_to(May.SEE_PEOPLE))
@bp.arguments(people.ACCOUNTS.arguments(AccountQuery), location="query")
@bp.response(200, page_of(AccountSchema, "users"))
def list_accounts(query: dict[str, Any]) -> Answer:
    """List accounts, the newest first."""
    return people.browse(**query)


@bp.get("/users/<int:user_id>", access=allowed_to(May.SEE_PEOPLE))
@bp.response(200, AccountSchema)
def show_account(user_id: int) -> Answer:
    """Show one account."""
    return people.show(user_id)


@bp.put("/users/<int:user_id>/role", access=allowed_to(May.GRANT_ROLES, proof="always"))
@bp.arguments(RoleSchema)
@bp.response(200, written(AccountSchema, "user"))
def set_role(data: dict[str, Any], user_id: int) -> Answer:
    """Give a role: user, moderator or admin."""
    return written_answer("user", people.set_role(current_user(), user_id, data["role"]), "The role is changed.")


@bp.post("/users/<int:user_id>/ban", access=allowed_to(May.SUSPEND_PEOPLE))
@bp.arguments(SuspensionSchema)
@bp.response(200, written(AccountSchema, "user"))
def suspend_account(data: dict[str, Any], user_id: int) -> Answer:
    """Suspend an account: nobody signs in to it, nothing of it is on offer."""
    found = people.suspend(current_user(), user_id, data["reason"])
    return written_answer("user", found, "The account is suspended.")


@bp.post("/users/<int:user_id>/unban", access=allowed_to(May.SUSPEND_PEOPLE))
@bp.response(200, written(AccountSchema, "user"))
def reinstate_account(user_id: int) -> Answer:
    """Open a suspended account again."""
    return written_answer("user", people.reinstate(current_user(), user_id), "The account is open again.")


@bp.get("/audit-log", access=allowed_to(May.READ_AUDIT_LOG))
@bp.arguments(people.AUDIT_LOG.arguments(AuditQuery), location="query")
@bp.response(200, page_of(AuditRowSchema, "audit_log"))
def list_audit_log(query: dict[str, Any]) -> Answer:
    """List who did what to what, the newest first; the rows cannot be changed by anybody."""
    return people.AUDIT_LOG.page(query, people.row_view)


@bp.get("/signals", access=allowed_to(May.READ_SIGNALS))
@bp.arguments(people.SECURITY.arguments(SignalQuery), location="query")
@bp.response(200, page_of(SignalSchema, "signals"))
def list_signals(query: dict[str, Any]) -> Answer:
    """List sign-ins, refused ones too, with their scores and reasons."""
    return people.SECURITY.page(query, people.row_view)
