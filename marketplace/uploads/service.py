"""The rows of files: announced, arrived, in use, deleted. Bytes are moved outside these transactions."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, exists, insert, select, update

from marketplace.auth.models import User
from marketplace.core.database.db import execute, fetch, one, save
from marketplace.core.ops import current_settings
from marketplace.core.queues.jobs import enqueue
from marketplace.core.queues.outbox import publish
from marketplace.events.uploads import UploadDeleted, UploadStored
from marketplace.kit.clock import now
from marketplace.kit.errors import NotFound, Problem
from marketplace.uploads import addresses, queries
from marketplace.uploads.documents import Prepared
from marketplace.uploads.images import THUMBNAILS
from marketplace.uploads.models import EXPORT, Upload, UploadUsage, UploadUse

PRIVATE = {"document", EXPORT}


class QuotaExceeded(Problem):
    """The person's files have reached UPLOAD_QUOTA_BYTES or UPLOAD_QUOTA_FILES."""

    status = 413
    code = "quota_exceeded"
    sentence = "There is no room left for your files. Delete some that you do not need any more."


def announce(owner_id: int, *, size: int, content_type: str, purpose: str, **known: Any) -> Upload:
    """A row for a file whose bytes are still to come, with room reserved in the quota. Raises QuotaExceeded."""
    _take_room(owner_id, size, files=1, limited=purpose != EXPORT)
    return save(
        Upload(
            owner_id=owner_id,
            stem=addresses.new_stem(),
            size=size,
            content_type=content_type,
            purpose=purpose,
            is_private=purpose in PRIVATE,
            **known,
        )
    )


def describe(upload_id: int, prepared: Prepared) -> Upload:
    """Store what a direct upload turned out to be, and correct its room. Raises NotFound, QuotaExceeded."""
    upload = _incoming(upload_id)
    _take_room(upload.owner_id, len(prepared.data) - upload.size, files=0)
    upload.size, upload.content_type = len(prepared.data), prepared.content_type
    upload.extension, upload.width, upload.height = prepared.extension, prepared.width, prepared.height
    upload.original_name = prepared.name
    return save(upload)


def arrive(upload_id: int) -> Upload:
    """Mark the upload as arrived and queue its thumbnails; raises NotFound where it was swept away meanwhile."""
    upload = _incoming(upload_id)
    upload.ready_at = now()
    if upload.width is not None:
        enqueue("make_thumbnails", key=f"make_thumbnails:{upload.stem}", upload_id=upload.id)
    publish(UploadStored(upload_id=upload.id, owner_id=upload.owner_id))
    return save(upload)


def give_up(upload_id: int) -> None:
    """Delete the row of an upload that has not arrived."""
    rows = fetch(select(Upload.__table__).where(Upload.id == upload_id, Upload.ready_at.is_(None)))
    for upload in rows:
        _forget(upload)


def remove(user: User, name: str) -> None:
    """Delete one's own file, whatever shows it; raises NotFound."""
    upload = queries.find(user, name)
    if not _forget(upload):
        raise NotFound.of("file")
    publish(UploadDeleted(upload_id=upload.id, owner_id=upload.owner_id))


def remove_some_of(owner_id: int, batch: int) -> int:
    """Delete up to `batch` files of a person; returns how many."""
    found = queries.ids_of(owner_id, batch)
    for upload in fetch(select(Upload.__table__).where(Upload.id.in_(found)).order_by(Upload.id)):
        _forget(upload)
    return len(found)


def use(thing: str, thing_id: int, links: Iterable[str]) -> None:
    """Set which files a thing shows; no write where nothing changed."""
    mine = (UploadUse.thing == thing, UploadUse.thing_id == thing_id)
    stems = addresses.stems_in(links)
    before = {row.upload_id for row in fetch(select(UploadUse.upload_id).where(*mine))}
    shown = {row.id for row in fetch(select(Upload.id).where(Upload.stem.in_(stems)))} if stems else set()
    if before - shown:
        execute(delete(UploadUse).where(*mine, UploadUse.upload_id.in_(before - shown)))
        execute(update(Upload).where(Upload.id.in_(before - shown)).values(unused_since=now()))
    if shown - before:
        fresh = [{"upload_id": upload_id, "thing": thing, "thing_id": thing_id} for upload_id in sorted(shown - before)]
        execute(insert(UploadUse), fresh)


def sweep(*, orphans_before: Any, strangers_before: Any, batch: int = 200) -> int:
    """Delete files unused since `orphans_before` and those that have not arrived since `strangers_before`; returns how
    many."""
    unused = ~exists().where(UploadUse.upload_id == Upload.id)
    orphan = Upload.ready_at.is_not(None) & (Upload.unused_since < orphans_before) & unused
    lost = Upload.ready_at.is_(None) & (Upload.unused_since < strangers_before)
    rows = fetch(select(Upload.__table__).where(orphan | lost).order_by(Upload.id).limit(batch))
    for upload in rows:
        _forget(upload)
    return len(rows)


def known_stems(stems: set[str]) -> set[str]:
    """Those of these stems that have a row."""
    return {row.stem for row in fetch(select(Upload.stem).where(Upload.stem.in_(stems)))}


def thumbnails_made(upload_id: int) -> None:
    """Store that the thumbnails are in the storage."""
    execute(update(Upload).where(Upload.id == upload_id).values(has_thumbnails=True))


def _incoming(upload_id: int) -> Upload:
    return one(select(Upload).where(Upload.id == upload_id, Upload.ready_at.is_(None)), "upload")


def _forget(upload: Any) -> bool:
    """Delete the row now and queue the deletion of its bytes, so that a crash in between leaves nothing to be found.
    False where it was deleted before."""
    execute(delete(UploadUse).where(UploadUse.upload_id == upload.id))
    if not execute(delete(Upload).where(Upload.id == upload.id)):
        return False
    _take_room(upload.owner_id, -upload.size, files=-1)
    keys = [addresses.incoming_key(upload.stem)]
    if upload.extension:
        keys += [addresses.key_of(upload), *(addresses.thumbnail_key(upload, size) for size in THUMBNAILS)]
    enqueue("remove_files", keys=keys)
    return True


def _take_room(user_id: int, size: int, *, files: int, limited: bool = True) -> None:
    """Change the used quota; the limit is in the UPDATE, so that many at once cannot pass it together. Raises
    QuotaExceeded."""
    if not fetch(select(UploadUsage.user_id).where(UploadUsage.user_id == user_id)):
        execute(insert(UploadUsage), {"user_id": user_id, "size": 0, "files": 0})
    room = update(UploadUsage).where(UploadUsage.user_id == user_id)
    if size > 0 and limited:
        room = room.where(UploadUsage.size + size <= current_settings.whole("UPLOAD_QUOTA_BYTES"))
    if files > 0 and limited:
        room = room.where(UploadUsage.files + files <= current_settings.whole("UPLOAD_QUOTA_FILES"))
    if not execute(room.values(size=UploadUsage.size + size, files=UploadUsage.files + files)):
        raise QuotaExceeded()
