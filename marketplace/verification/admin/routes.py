"""/api/admin/verifications: documents that wait for a decision."""

from typing import Any

from marketplace.auth.account_admin import queries as account_admin_queries
from marketplace.auth.account_admin.schemas import AccountSchema, BadgeSchema
from marketplace.core.http.access import allowed_to, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import page_of, written
from marketplace.verification import queries, service
from marketplace.verification.admin.schemas import (
    RefusalSchema,
    VerificationFilesSchema,
    VerificationQuery,
    WaitingSchema,
)
from marketplace.verification.schemas import VerificationSchema

bp = Blueprint(
    "admin_verification",
    __name__,
    url_prefix="/api/admin",
    access=allowed_to(May.VERIFY_PEOPLE),
    description="Who is verified, for staff",
    follows="admin_people",
)


@bp.get("/verifications")
@bp.arguments(queries.QUEUE.arguments(VerificationQuery), location="query")
@bp.response(200, page_of(WaitingSchema, "verifications"))
def list_verifications(query: dict[str, Any]) -> Answer:
    """List documents, the oldest first."""
    return queries.queue(**query)


@bp.post("/verifications/<int:verification_id>/open")
@bp.response(200, VerificationFilesSchema)
def open_verification(verification_id: int) -> Answer:
    """Look at the documents, by addresses that open for a quarter of an hour; who looks is in the audit log."""
    return queries.with_files(service.look_at(verification_id))


@bp.post("/verifications/<int:verification_id>/approve")
@bp.response(200, written(VerificationSchema, "verification"))
def approve_verification(verification_id: int) -> Answer:
    """Give the badge."""
    found = queries.view(service.approve(current_user(), verification_id))
    return written_answer("verification", found, "The badge is given.")


@bp.post("/verifications/<int:verification_id>/refuse")
@bp.arguments(RefusalSchema)
@bp.response(200, written(VerificationSchema, "verification"))
def refuse_verification(data: dict[str, Any], verification_id: int) -> Answer:
    """Refuse the documents; the reason is told."""
    found = queries.view(service.refuse(current_user(), verification_id, data["reason"]))
    return written_answer("verification", found, "The documents are refused.")


@bp.post("/users/<int:user_id>/verify")
@bp.arguments(BadgeSchema)
@bp.response(200, written(AccountSchema, "user"))
def set_badge(data: dict[str, Any], user_id: int) -> Answer:
    """Give the badge (also by approving what waits), or take it away with `is_verified` false."""
    account_admin_queries.show(user_id)
    service.set_badge(current_user(), user_id, is_verified=data["is_verified"])
    return written_answer("user", account_admin_queries.show(user_id), "The badge is set.")
