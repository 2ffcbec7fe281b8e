"""Lists of files, and single ones."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Table, bindparam, select

from marketplace.auth.models import User
from marketplace.core.database.db import fetch, fetch_as, first_as, one
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.ops import current_settings
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.uploads.addresses import NAME, is_signed, url_of
from marketplace.uploads.images import THUMBNAILS
from marketplace.uploads.models import EXPORT, Upload, UploadUsage

UPLOADS: Table = table_of(Upload)
BY_STEM = select(UPLOADS).where(UPLOADS.c.stem == bindparam("stem"), UPLOADS.c.ready_at.is_not(None))


class UploadRow(Protocol):
    """A row of uploads."""

    id: int
    owner_id: int
    stem: str
    extension: str
    purpose: str
    is_private: bool
    content_type: str
    original_name: str | None
    size: int
    width: int | None
    height: int | None
    has_thumbnails: bool
    created_at: datetime
    ready_at: datetime | None
    unused_since: datetime


UPLOADS_LIST = ListQuery(
    name="uploads",
    table=UPLOADS,
    columns=list(UPLOADS.c),
    filters={
        "owner_id": (UPLOADS.c.owner_id == bindparam("owner_id"))
        & UPLOADS.c.ready_at.is_not(None)
        & (UPLOADS.c.purpose != EXPORT)
    },
    sorts={"created_at": UPLOADS.c.created_at},
    default_sort="-created_at",
)


def of(user: User, **query: Any) -> Page:
    """One's own files, with the quota used."""
    quota = {"used_bytes": used(user.id), "quota_bytes": current_settings.whole("UPLOAD_QUOTA_BYTES")}
    return UPLOADS_LIST.page({**query, "owner_id": user.id}, view, extra=quota)


def used(user_id: int) -> int:
    """Bytes of a person's files."""
    rows = fetch(select(UploadUsage.size).where(UploadUsage.user_id == user_id))
    return int(rows[0].size) if rows else 0


def view(upload: "UploadRow | Upload") -> JsonObject:
    """A file as its owner sees it."""
    pictured = upload.width is not None
    return {
        "id": upload.id,
        "url": url_of(upload),
        "filename": f"{upload.stem}.{upload.extension}",
        "original_name": upload.original_name,
        "content_type": upload.content_type,
        "size": upload.size,
        "width": upload.width,
        "height": upload.height,
        "is_private": upload.is_private,
        "thumbnails": {size: url_of(upload, size) for size in THUMBNAILS} if pictured else {},
        "created_at": upload.created_at,
    }


def to_serve(viewer: User | None, name: str, expires: str, signature: str) -> tuple[UploadRow, str]:
    """The file of this name and the thumbnail's size that is meant; raises NotFound, also for a private file without a
    valid signature."""
    parts = NAME.fullmatch(name)
    rows = fetch_as(UploadRow, BY_STEM, {"stem": parts["stem"]}) if parts else []
    if not parts or not rows or not _fits(rows[0], parts["size"] or "", parts["extension"]):
        raise NotFound.of("file")
    owner = viewer is not None and viewer.id == rows[0].owner_id and rows[0].purpose != EXPORT
    if rows[0].is_private and not owner and not is_signed(name, expires, signature):
        raise NotFound.of("file")
    return rows[0], parts["size"] or ""


def find(user: User, name: str) -> Upload:
    """One of one's own files by its name; raises NotFound."""
    parts = NAME.fullmatch(name)
    mine = select(Upload).where(Upload.owner_id == user.id, Upload.ready_at.is_not(None))
    return one(mine.where(Upload.stem == (parts["stem"] if parts else "")), "file")


def own_documents(user: User, names: Iterable[str]) -> list[UploadRow]:
    """One's own private files among these names or addresses."""
    stems = {parts["stem"] for name in names if (parts := NAME.fullmatch(_last(name))) and not parts["size"]}
    mine = select(UPLOADS).where(UPLOADS.c.owner_id == user.id, UPLOADS.c.ready_at.is_not(None), UPLOADS.c.is_private)
    return fetch_as(UploadRow, mine.where(UPLOADS.c.stem.in_(stems)).order_by(UPLOADS.c.id)) if stems else []


def own_files(user: User, names: Iterable[str]) -> list[UploadRow]:
    """One's own files among these names or addresses, pictures and private documents."""
    stems = {parts["stem"] for name in names if (parts := NAME.fullmatch(_last(name))) and not parts["size"]}
    mine = select(UPLOADS).where(UPLOADS.c.owner_id == user.id, UPLOADS.c.ready_at.is_not(None))
    mine = mine.where(UPLOADS.c.purpose != EXPORT, UPLOADS.c.stem.in_(stems))
    return fetch_as(UploadRow, mine.order_by(UPLOADS.c.id)) if stems else []


def ready(upload_id: int) -> UploadRow | None:
    """An upload that has arrived; None for others."""
    return first_as(UploadRow, select(UPLOADS).where(UPLOADS.c.id == upload_id, UPLOADS.c.ready_at.is_not(None)))


def ready_after(last: int, batch: int) -> list[UploadRow]:
    """Arrived uploads of everybody with ids above `last`, by id."""
    there = select(UPLOADS).where(UPLOADS.c.id > last, UPLOADS.c.ready_at.is_not(None))
    return fetch_as(UploadRow, there.order_by(UPLOADS.c.id).limit(batch))


def of_owner(owner_id: int) -> list[UploadRow]:
    """All uploads of a person; the quota limits how many."""
    mine = select(UPLOADS).where(UPLOADS.c.owner_id == owner_id, UPLOADS.c.ready_at.is_not(None))
    return fetch_as(UploadRow, mine.where(UPLOADS.c.purpose != EXPORT).order_by(UPLOADS.c.id))


def ids_of(owner_id: int, batch: int) -> list[int]:
    """Up to `batch` ids of a person's uploads, arrived or not."""
    mine = select(UPLOADS.c.id).where(UPLOADS.c.owner_id == owner_id)
    return [row.id for row in fetch(mine.order_by(UPLOADS.c.id).limit(batch))]


def by_stems(stems: Iterable[str]) -> list[UploadRow]:
    """The uploads with these stems."""
    return fetch_as(UploadRow, select(UPLOADS).where(UPLOADS.c.stem.in_(list(stems))).order_by(UPLOADS.c.id))


def own(user: User, upload_id: int) -> UploadRow:
    """One's own upload, arrived or not; raises NotFound."""
    upload = first_as(UploadRow, select(UPLOADS).where(UPLOADS.c.owner_id == user.id, UPLOADS.c.id == upload_id))
    if upload is None:
        raise NotFound.of("upload")
    return upload


def own_ready(user: User, upload_id: int) -> UploadRow:
    """One's own upload that has arrived; raises NotFound."""
    upload = own(user, upload_id)
    if upload.ready_at is None:
        raise NotFound.of("upload")
    return upload


def to_shrink(upload_id: int) -> UploadRow | None:
    """An arrived picture without thumbnails; None for others."""
    waiting = select(UPLOADS).where(UPLOADS.c.id == upload_id, UPLOADS.c.ready_at.is_not(None))
    return first_as(UploadRow, waiting.where(UPLOADS.c.has_thumbnails.is_(False), UPLOADS.c.width.is_not(None)))


def expected_size(stem: str) -> int:
    """The bytes announced by a direct upload; raises NotFound where none is expected."""
    rows = fetch(select(UPLOADS.c.size).where(UPLOADS.c.stem == stem, UPLOADS.c.ready_at.is_(None)))
    if not rows:
        raise NotFound.of("upload")
    return int(rows[0].size)


def _last(name: str) -> str:
    return name.partition("?")[0].rpartition("/")[2]


def _fits(upload: UploadRow, size: str, extension: str) -> bool:
    if size:
        return upload.width is not None and extension == "webp"
    return bool(extension == upload.extension)
