"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from collections.abc import Iterator

from sqlalchemy import select

from marketplace.auth.invariants import LEFT_BEHIND
from marketplace.core.database.db import fetch
from marketplace.core.manifest import Invariant
from marketplace.uploads.addresses import key_of
from marketplace.uploads.gateways.registry import storage
from marketplace.uploads.models import Upload

INVARIANTS = (
    Invariant(
        "uploads: the room they take differs from the files",
        """SELECT u.user_id FROM upload_usage u LEFT JOIN uploads f ON f.owner_id = u.user_id
        GROUP BY u.user_id, u.size, u.files HAVING u.size <> COALESCE(SUM(f.size), 0) OR u.files <> COUNT(f.id)""",
    ),
    Invariant(
        LEFT_BEHIND,
        """SELECT u.id FROM users u WHERE u.erased_at < :long_ago AND EXISTS (
        SELECT 1 FROM uploads f WHERE f.owner_id = u.id)""",
    ),
)


def missing_files() -> Iterator[str]:
    """Uploads that have arrived and whose file is not in the storage."""
    there = {file.key for prefix in ("public/", "private/") for file in storage().files(prefix)}
    for upload in fetch(select(Upload.__table__).where(Upload.ready_at.is_not(None))):
        if key_of(upload) not in there:
            yield f"upload {upload.id}: its file {key_of(upload)} is not in the storage"
