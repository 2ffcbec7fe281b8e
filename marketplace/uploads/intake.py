"""Uploading in steps: room is reserved, the bytes are stored outside any transaction, then the file counts.

Whatever dies in between leaves a row that never arrived (swept after an hour, its room given back)
and perhaps a file that nothing knows of (swept a day later); the sender was never told it was done.

Apart from the rooms: verbs in two transactions with the storage in between; service.py has the verbs of one.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from flask import Request
from werkzeug.datastructures import FileStorage

from marketplace.auth import service as auth_service
from marketplace.auth.models import User
from marketplace.core.database.db import in_transaction, release_connection
from marketplace.core.ops import current_settings
from marketplace.kit.clock import now
from marketplace.kit.errors import Busy, Invalid, Malformed, NotFound, Problem
from marketplace.kit.json_types import JsonObject
from marketplace.uploads import addresses, images, queries, service
from marketplace.uploads.documents import Prepared, prepare
from marketplace.uploads.gateways.registry import storage
from marketplace.uploads.gateways.storage import StorageFailed
from marketplace.uploads.models import Upload

T = TypeVar("T")
DIRECT_SECONDS = 900
FIELDS = ("file", "image", "avatar")


class TooLarge(Problem):
    """413: the file has more bytes than its type may have."""

    status = 413
    code = "too_large"


def receive(owner: User, request: Request, *, purpose: str = "image") -> JsonObject:
    """Store the file of a multipart body; raises 413, 415, 422, and Busy (503) without a storage."""
    data, name = _read(request, purpose)
    return store(owner.id, data, name, purpose=purpose)


def store(owner_id: int, data: bytes, name: str = "", *, purpose: str = "image") -> JsonObject:
    """Check a file and store it, outside any transaction; answers and raises as `receive`."""
    release_connection()
    prepared = _looked_at(data, name, purpose)
    upload = in_transaction(lambda: _announce(owner_id, prepared, purpose))
    return _bring_in(upload.id, addresses.key_of(upload), prepared)


def make_thumbnails(upload_id: int) -> None:
    """Three smaller WebP pictures beside a picture, unless it has them; raises StorageFailed."""
    upload = queries.to_shrink(upload_id)
    data = storage().get(addresses.key_of(upload)) if upload is not None else None
    if upload is None or data is None:
        return
    for size, small in images.thumbnails(data).items():
        storage().put(addresses.thumbnail_key(upload, size), small, "image/webp", public=not upload.is_private)
    in_transaction(lambda: service.thumbnails_made(upload_id))


def receive_avatar(owner: User, request: Request) -> JsonObject:
    """Store a picture and make it the person's avatar."""
    stored = receive(owner, request)
    in_transaction(lambda: auth_service.edit_profile(owner, avatar_url=stored["url"]))
    return stored


def begin_direct(owner: User, *, content_type: str, size: int, purpose: str, name: str) -> JsonObject:
    """URL and headers to PUT a file past this server; raises TooLarge (413), QuotaExceeded."""
    _refuse_large(size, is_picture=content_type.startswith("image/") or purpose != "document")
    named = {"original_name": name[-200:] or None}
    upload = in_transaction(
        lambda: service.announce(owner.id, size=size, content_type=content_type, purpose=purpose, **named)
    )
    key = addresses.incoming_key(upload.stem)
    direct = storage().direct(key, content_type=content_type, size=size, seconds=DIRECT_SECONDS)
    way: JsonObject = {"id": upload.id, "expires_at": now() + timedelta(seconds=DIRECT_SECONDS)}
    if direct is not None:
        return {**way, "method": direct.method, "url": direct.url, "headers": direct.headers}
    url = addresses.incoming_url(upload.stem, DIRECT_SECONDS)
    return {**way, "method": "PUT", "url": url, "headers": {"Content-Type": content_type}}


def accept_direct(stem: str, request: Request) -> None:
    """Store what was PUT to a signed URL, as a bucket does in production. Raises 404, 413, 422."""
    given = request.args
    if not addresses.is_signed(f"incoming/{stem}", given.get("expires", ""), given.get("signature", "")):
        raise NotFound.of("upload")
    expected = queries.expected_size(stem)
    data = request.get_data(cache=False)
    if len(data) != expected:
        raise Invalid.field("file", f"{expected} bytes were announced and {len(data)} came.")
    _or_busy(lambda: storage().put(addresses.incoming_key(stem), data, "application/octet-stream", public=False))


def complete_direct(owner: User, upload_id: int) -> JsonObject:
    """Check what was PUT and take it in; asked again it answers the same. Raises 404, 409, 413, 415, 422."""
    upload = queries.own(owner, upload_id)
    if upload.ready_at is not None:
        return queries.view(upload)
    try:
        return _complete(upload)
    except NotFound:
        return queries.view(queries.own_ready(owner, upload_id))  # somebody was faster, or it is gone


def _complete(upload: Any) -> JsonObject:
    data = _or_busy(lambda: storage().get(addresses.incoming_key(upload.stem)))
    if data is None:
        raise Invalid.field("file", "Nothing has arrived at the address yet. PUT the file there first.")
    try:
        prepared = _looked_at(data, upload.original_name or "", upload.purpose)
        described = in_transaction(lambda: service.describe(upload.id, prepared))
    except NotFound:
        raise
    except Problem:
        in_transaction(lambda: service.give_up(upload.id))
        raise
    stored = _bring_in(upload.id, addresses.key_of(described), prepared)
    _or_busy(lambda: storage().delete(addresses.incoming_key(upload.stem)))
    return stored


def _announce(owner_id: int, prepared: Prepared, purpose: str) -> Upload:
    return service.announce(
        owner_id,
        size=len(prepared.data),
        content_type=prepared.content_type,
        purpose=purpose,
        extension=prepared.extension,
        width=prepared.width,
        height=prepared.height,
        original_name=prepared.name,
    )


def _bring_in(upload_id: int, key: str, prepared: Prepared) -> JsonObject:
    public = key.startswith("public/")
    try:
        storage().put(key, prepared.data, prepared.content_type, public=public)
    except StorageFailed:
        in_transaction(lambda: service.give_up(upload_id))
        raise Busy("Files cannot be stored right now. Try again in a moment.") from None
    return in_transaction(lambda: queries.view(service.arrive(upload_id)))


def _looked_at(data: bytes, name: str, purpose: str) -> Prepared:
    """The file, checked; size limits depend on its type. Raises TooLarge (413), and as `documents.prepare`."""
    _refuse_large(len(data), is_picture=purpose != "document")
    prepared = prepare(data, purpose, name)
    _refuse_large(len(data), is_picture=prepared.width is not None)
    return prepared


def _read(request: Request, purpose: str) -> tuple[bytes, str]:
    file = next((request.files[name] for name in FIELDS if name in request.files), None)
    if file is None:
        raise Invalid.field("file", "Send one file in a multipart part that is called file.")
    data = _bytes_of(file, _most(is_picture=purpose != "document"))
    if not data:
        raise Invalid.field("file", "This file is empty.")
    return data, file.filename or ""


def _bytes_of(file: FileStorage, most: int) -> bytes:
    try:
        return file.stream.read(most + 1)
    except OSError:
        raise Malformed("The file did not come through whole. Send it again.") from None


def _most(*, is_picture: bool) -> int:
    return current_settings.whole("UPLOAD_MAX_BYTES" if is_picture else "UPLOAD_MAX_FILE_BYTES")


def _refuse_large(size: int, *, is_picture: bool) -> None:
    most = _most(is_picture=is_picture)
    if size > most:
        kind = "picture" if is_picture else "file"
        raise TooLarge(f"This {kind} is too large: {most / 1024 / 1024:g} MB at most.")


def _or_busy(work: Callable[[], T]) -> T:
    release_connection()
    try:
        return work()
    except StorageFailed:
        raise Busy("Files cannot be stored right now. Try again in a moment.") from None
