"""Responses of stored files: from the disk with ranges and validators, or a redirect to the bucket's signed URL.

Apart from the rooms: it builds HTTP responses with ranges and validators.
"""

import hashlib
import re
from typing import Any

from flask import Response, redirect, request, send_file
from werkzeug.wrappers import Response as BaseResponse

from marketplace.core.database.db import release_connection
from marketplace.core.ops import current_settings
from marketplace.kit.errors import Busy, NotFound
from marketplace.uploads.addresses import key_of, thumbnail_key
from marketplace.uploads.gateways.registry import storage
from marketplace.uploads.gateways.storage import StorageFailed

LAST_BYTES = re.compile(r"\s*bytes\s*=\s*-(\d{1,19})\s*", re.IGNORECASE)
A_YEAR = 31_536_000
LINK_SECONDS = 600
FOREVER = f"public, max-age={A_YEAR}, immutable"
UNTIL_THERE_IS_A_SMALL_ONE = "public, max-age=5"
NOT_SHARED = "private, no-store"


def send(upload: Any, size: str) -> BaseResponse:
    """The file or its thumbnail; the file itself while there is no thumbnail. Raises NotFound."""
    small = bool(size) and upload.has_thumbnails
    key = thumbnail_key(upload, size) if small else key_of(upload)
    response = _from_disk(upload, key, small=small) or _from_bucket(upload, key, small=small)
    response.headers["Cache-Control"] = _keeping(upload, size, small=small, redirected=response.status_code == 302)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def sha256_of(upload: Any) -> str:
    """SHA-256 of the bytes as stored; not inside a transaction. Raises NotFound, Busy (503) without a storage."""
    key = key_of(upload)
    release_connection()
    try:
        data = storage().get(key)
    except StorageFailed:
        raise Busy("Files cannot be read right now. Try again in a moment.") from None
    if data is None:
        raise NotFound.of("file")
    return hashlib.sha256(data).hexdigest()


def _from_disk(upload: Any, key: str, *, small: bool) -> Response | None:
    path = storage().path(key)
    if path is None:
        return None
    if (last := LAST_BYTES.fullmatch(request.headers.get("Range", ""))) and int(last[1]) > path.stat().st_size:
        request.environ["HTTP_RANGE"] = "bytes=0-"  # RFC 9110, 14.1.2: the whole; werkzeug would answer 416
    return send_file(
        path,
        mimetype="image/webp" if small else upload.content_type,
        as_attachment=upload.is_private,
        download_name=_download_name(upload, key, small=small),
        conditional=True,
        etag=key.rpartition("/")[2],
    )


def _download_name(upload: Any, key: str, *, small: bool) -> str:
    own = key.rpartition("/")[2]
    return own if small else upload.original_name or own


def _from_bucket(upload: Any, key: str, *, small: bool) -> BaseResponse:
    filename = _download_name(upload, key, small=small) if upload.is_private else None
    link = storage().link(key, seconds=LINK_SECONDS, filename=filename)
    if link is None:
        raise NotFound.of("file")
    base = current_settings.text("UPLOADS_BASE_URL")
    return redirect(link if upload.is_private or not base else f"{base}/{key}")


def _keeping(upload: Any, size: str, *, small: bool, redirected: bool) -> str:
    if upload.is_private:
        return NOT_SHARED
    if size and not small:
        return UNTIL_THERE_IS_A_SMALL_ONE
    return f"public, max-age={LINK_SECONDS // 2}" if redirected else FOREVER
