"""/api/auth/api-keys: keys for programs."""

from typing import Any

from marketplace.auth.keys import service
from marketplace.auth.keys.schemas import ApiKeyRequestSchema, ApiKeysSchema, NewApiKeySchema
from marketplace.core.http.access import PROVED, SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, Created
from marketplace.core.http.schemas import MessageSchema

bp = Blueprint("api_keys", __name__, url_prefix="/api/auth/api-keys", description="Keys for programs")


@bp.get("", access=SIGNED_IN)
@bp.response(200, ApiKeysSchema)
def list_api_keys() -> Answer:
    """List my keys and what they were used for."""
    keys = service.of(current_user())
    return {"api_keys": keys, "total": len(keys)}


@bp.post("", access=PROVED, no_replay=True)
@bp.arguments(ApiKeyRequestSchema)
@bp.response(201, NewApiKeySchema)
def make_api_key(data: dict[str, Any]) -> Answer:
    """Make a key; its text is in this answer only."""
    key, text = service.make(current_user(), **data)
    return Created(
        "api_key", service.view(key), "/api/auth/api-keys", "Copy the key now: it is not shown again.", key=text
    )


@bp.delete("/<int:key_id>", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def end_api_key(key_id: int) -> Answer:
    """End a key; it opens nothing any more."""
    service.end(current_user(), key_id)
    return {"message": "The key has ended."}
