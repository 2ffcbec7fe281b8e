"""`flask copy-uploads`: the files of a folder into the storage that the settings name, each compared by hash."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
from flask import current_app

from marketplace.cli.errors import on_database
from marketplace.uploads import queries as uploads_queries
from marketplace.uploads import service as uploads_service
from marketplace.uploads.addresses import key_of, stem_of, thumbnail_key
from marketplace.uploads.gateways.local import LocalStorage
from marketplace.uploads.gateways.registry import storage
from marketplace.uploads.gateways.storage import Storage, StorageFailed
from marketplace.uploads.images import THUMBNAILS
from marketplace.uploads.queries import UploadRow

BATCH = 500
COPIED, THERE, MISSING, DIFFERENT = "copied", "there already", "missing", "not what was sent"
AGAIN = "Run this again: what has arrived is not sent again."


@click.command("copy-uploads")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@on_database
def copy_uploads(folder: Path) -> None:
    """Copy the files of FOLDER (the UPLOADS_DIR of before) into the storage of the settings; safe to repeat."""
    target = storage()
    if isinstance(target, LocalStorage) and target.root.resolve() == folder.resolve():
        raise click.ClickException(f"{folder} is where files are kept now. Set S3_BUCKET, or another UPLOADS_DIR.")
    try:
        counts = _copy_all(LocalStorage(folder), target)
        unknown = _unknown(LocalStorage(folder))
    except StorageFailed as error:
        raise click.ClickException(f"The storage failed ({error}). {AGAIN}") from None
    known = ", ".join(f"{counts[word]} {word}" for word in (COPIED, THERE, MISSING, DIFFERENT))
    click.echo(f"{known}. {unknown} files in {folder} are known to no row of the database and were left.")
    if counts[MISSING] or counts[DIFFERENT]:
        raise click.ClickException("Not every file that the database knows is in the storage.")
    if unknown and not counts:
        raise click.ClickException(f"The database at DATABASE_URL ({_database()}) knows none of these files.")


def _copy_all(source: Storage, target: Storage) -> Counter[str]:
    counts: Counter[str] = Counter()
    for upload, key, content_type in _expected():
        became = _copy(source, target, key, content_type)
        counts[became] += 1
        if became in (MISSING, DIFFERENT):
            click.echo(f"upload {upload.id} of user {upload.owner_id}: {key} is {became}")
    return counts


def _expected() -> Iterator[tuple[UploadRow, str, str]]:
    """Every file that a row says is there, thumbnails too."""
    last = 0
    while uploads := uploads_queries.ready_after(last, BATCH):
        last = uploads[-1].id
        for upload in uploads:
            yield upload, key_of(upload), upload.content_type
            for size in THUMBNAILS if upload.has_thumbnails else ():
                yield upload, thumbnail_key(upload, size), "image/webp"


def _copy(source: Storage, target: Storage, key: str, content_type: str) -> str:
    """What became of one file: it is read back, as a write that was answered is not yet a file that is there."""
    data, there = source.get(key), target.get(key)
    if data is None:
        return MISSING if there is None else THERE
    if there is not None and _hash(there) == _hash(data):
        return THERE
    target.put(key, data, content_type, public=key.startswith("public/"))
    return COPIED if _hash(target.get(key) or b"") == _hash(data) else DIFFERENT


def _unknown(source: Storage) -> int:
    stems = Counter(stem_of(file.key) for file in source.files())
    known = uploads_service.known_stems(set(stems)) if stems else set()
    return sum(count for stem, count in stems.items() if stem not in known)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _database() -> str:
    return str(current_app.config["DATABASE_URL"].rpartition("@")[2])
