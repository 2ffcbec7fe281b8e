"""/api/auth/verification: show who I am."""

from typing import Any

from marketplace.core.http.access import SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, Created
from marketplace.core.http.schemas import MessageSchema, created
from marketplace.verification import queries, service
from marketplace.verification.schemas import VerificationInputSchema, VerificationSchema, VerificationStateSchema

bp = Blueprint(
    "verification", __name__, url_prefix="/api/auth/verification", access=SIGNED_IN, description="The verified badge"
)


@bp.get("")
@bp.response(200, VerificationStateSchema)
def show_verification() -> Answer:
    """Show where I stand."""
    return queries.state_of(current_user())


@bp.post("")
@bp.arguments(VerificationInputSchema)
@bp.response(201, created(VerificationSchema, "verification"))
def submit_documents(data: dict[str, Any]) -> Answer:
    """Send documents to be looked at; they were uploaded as private documents before."""
    verification = queries.view(service.submit(current_user(), **data))
    return Created("verification", verification, "/api/auth/verification", "Thank you. We will look at them soon.")


@bp.delete("")
@bp.response(200, MessageSchema)
def withdraw_documents() -> Answer:
    """Take my documents back while they wait."""
    service.withdraw(current_user())
    return {"message": "Your documents are withdrawn."}
