"""/api/uploads."""

from typing import Any

from flask import request

from marketplace.core.http.access import ANYONE, NEWCOMER, SIGNED_IN, current_user, viewer
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.schemas import MessageSchema, ProblemSchema
from marketplace.kit.json_types import JsonObject
from marketplace.uploads import downloads, intake, queries, service
from marketplace.uploads.addresses import url_of
from marketplace.uploads.gateways.registry import provider
from marketplace.uploads.schemas import (
    DirectCreatedSchema,
    DirectInputSchema,
    LinkSchema,
    SignedQuery,
    StorageStatusSchema,
    UploadedSchema,
    UploadsPage,
    UploadsQuery,
)

bp = Blueprint(
    "uploads", __name__, url_prefix="/api/uploads", area="uploads", access=SIGNED_IN, description="Pictures and papers"
)


@bp.post("", transaction=False, body_limit="UPLOAD_MAX_BYTES")
@bp.sends_file()
@bp.response(201, UploadedSchema)
def upload_image() -> Answer:
    """Store a picture (PNG, JPEG, GIF, WebP, HEIC, AVIF); what is kept is made anew from its pixels."""
    return _stored(intake.receive(current_user(), request))


@bp.post("/task-image", transaction=False, body_limit="UPLOAD_MAX_BYTES")
@bp.sends_file()
@bp.response(201, UploadedSchema)
def upload_task_image() -> Answer:
    """Store a picture of a task."""
    return _stored(intake.receive(current_user(), request), "task")


@bp.post("/chat-image", transaction=False, body_limit="UPLOAD_MAX_BYTES")
@bp.sends_file()
@bp.response(201, UploadedSchema)
def upload_chat_image() -> Answer:
    """Store a picture for a conversation; whoever has its address can see it (a private one: /document)."""
    return _stored(intake.receive(current_user(), request), "chat")


@bp.post("/avatar", transaction=False, body_limit="UPLOAD_MAX_BYTES")
@bp.sends_file()
@bp.response(201, UploadedSchema)
def upload_avatar() -> Answer:
    """Store a picture and make it my avatar."""
    return _stored(intake.receive_avatar(current_user(), request), "avatar")


@bp.post("/document", transaction=False, body_limit="UPLOAD_MAX_FILE_BYTES")
@bp.sends_file()
@bp.response(201, UploadedSchema)
def upload_document() -> Answer:
    """Store a paper, sound, video or picture that only signed addresses open, as a download."""
    return _stored(intake.receive(current_user(), request, purpose="document"), "document")


@bp.post("/direct", transaction=False)
@bp.arguments(DirectInputSchema)
@bp.response(201, DirectCreatedSchema)
def begin_direct_upload(data: dict[str, Any]) -> Answer:
    """Ask where to PUT a file without sending it through this server."""
    way = intake.begin_direct(current_user(), **data)
    return {"message": "Send the file to this address, then complete it.", "id": way["id"], "upload": way}


@bp.put("/incoming/<stem>", access=NEWCOMER, transaction=False, body_limit="UPLOAD_MAX_FILE_BYTES")
@bp.response(200, MessageSchema)
def put_direct_upload(stem: str) -> Answer:
    """Take the bytes at a signed address, as a bucket does in production."""
    intake.accept_direct(stem, request)
    return {"message": "Arrived. Now complete the upload."}


@bp.post("/<int:upload_id>/complete", transaction=False)
@bp.response(200, UploadedSchema)
@bp.alt_response(422, schema=ProblemSchema, description="Nothing has arrived, or no picture")
def complete_direct_upload(upload_id: int) -> Answer:
    """Look at what arrived at the address and keep it."""
    upload = intake.complete_direct(current_user(), upload_id)
    return _stored(upload, "document" if upload["is_private"] else "image")


@bp.get("")
@bp.arguments(queries.UPLOADS_LIST.arguments(UploadsQuery), location="query")
@bp.response(200, UploadsPage)
def list_uploads(query: dict[str, Any]) -> Answer:
    """List my files, with the quota and how much of it they take."""
    return queries.of(current_user(), **query)


@bp.get("/status", access=ANYONE)
@bp.response(200, StorageStatusSchema)
def show_storage_status() -> Answer:
    """Say whether files can be stored, and where: in a folder (`local`) or in a bucket (`s3`)."""
    return {"configured": True, "provider": provider()}


@bp.get("/<filename>", access=ANYONE)
@bp.arguments(SignedQuery, location="query")
@bp.sends_bytes("image/*", "application/pdf", "application/octet-stream")
def serve_upload(query: dict[str, Any], filename: str) -> Answer:
    """Send a file, or a thumbnail of it; a private one needs a signature that counts, or its owner."""
    upload, size = queries.to_serve(viewer(), filename, **query)
    return downloads.send(upload, size)


@bp.get("/<filename>/link")
@bp.response(200, LinkSchema)
def link_to_upload(filename: str) -> Answer:
    """Make an address of my file that opens it, for a quarter of an hour where it is private."""
    return {"url": url_of(queries.find(current_user(), filename))}


@bp.delete("/<filename>")
@bp.response(200, MessageSchema)
def delete_upload(filename: str) -> Answer:
    """Delete my file, whatever shows it."""
    service.remove(current_user(), filename)
    return {"message": "The file is deleted."}


def _stored(upload: dict[str, Any], category: str = "image") -> JsonObject:
    return {"message": "The file is stored.", "category": category, **upload}
