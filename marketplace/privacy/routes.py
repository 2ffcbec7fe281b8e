"""/api/auth/export and /api/auth/account: my data, and leaving."""

from typing import Any

from marketplace.auth import token_response
from marketplace.core.http.access import PROVED, PROVED_TWICE, SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.rate_limits import sign_in_limit
from marketplace.core.http.schemas import MessageSchema
from marketplace.core.queues.routes import JobSchema
from marketplace.privacy import service
from marketplace.privacy.schemas import ErasureSchema, ExportAskedSchema

bp = Blueprint("privacy", __name__, url_prefix="/api/auth", description="My data, and leaving")

PACKING = "We are packing your data. A letter comes when it is ready."
PACKED = "Your data was packed today already: fetch it at result_url, or ask again tomorrow."


@bp.post("/export", access=PROVED)
@bp.response(202, ExportAskedSchema)
def ask_for_export() -> Answer:
    """Have all my data packed, once a day; a letter says where the file is."""
    job_id = service.ask_for_export(current_user())
    export = service.export_of(current_user(), job_id)
    message = PACKED if export["status"] == "done" else PACKING
    return {"message": message, "id": job_id, "export": export}


@bp.get("/export/<int:job_id>", access=SIGNED_IN)
@bp.response(200, JobSchema)
def show_export(job_id: int) -> Answer:
    """Show how far it is, and where the file can be fetched."""
    return service.export_of(current_user(), job_id)


@bp.delete("/account", access=PROVED_TWICE, transaction=False)
@sign_in_limit
@bp.arguments(ErasureSchema)
@bp.response(200, MessageSchema)
def erase_account(data: dict[str, Any]) -> Answer:
    """Erase my account for good: what I wrote goes, what others are owed stays without a name."""
    service.erase(current_user(), data["password"])
    return token_response.leaving({"message": "Your account is erased. Thank you for having been here."})
