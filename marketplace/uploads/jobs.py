"""Periodic and delayed jobs of files."""

from datetime import timedelta
from itertools import islice

from marketplace.core.database.db import in_transaction
from marketplace.core.ops import current_settings
from marketplace.core.queues.jobs import Run, job
from marketplace.kit.clock import now
from marketplace.uploads import intake, service
from marketplace.uploads.addresses import stem_of
from marketplace.uploads.gateways.registry import storage

ARRIVAL = timedelta(hours=1)
STRAY = timedelta(days=1)
AT_ONCE = 200


@job("make_thumbnails", timeout=60)
def make_thumbnails(run: Run, upload_id: int) -> None:
    """Three smaller WebP pictures of an upload."""
    intake.make_thumbnails(upload_id)


@job("remove_files", timeout=60)
def remove_files(run: Run, keys: list[str]) -> None:
    """Delete the bytes of deleted rows."""
    for key in keys:
        storage().delete(key)


@job("sweep_uploads", timeout=600, every=timedelta(hours=1))
def sweep_uploads(run: Run) -> None:
    """Delete files nothing uses, uploads that never arrived, and bytes without a row."""
    unused = current_settings.days("UPLOAD_ORPHAN_DAYS")
    moment = now()
    while in_transaction(
        lambda: service.sweep(orphans_before=moment - unused, strangers_before=moment - ARRIVAL, batch=AT_ONCE)
    ):
        run.progress(0, 0)
    storage().tidy(moment - STRAY)
    strays = (file.key for file in storage().files() if file.modified < moment - STRAY)
    while keys := list(islice(strays, AT_ONCE)):
        _remove_unknown(keys)


def _remove_unknown(keys: list[str]) -> None:
    stems = {key: stem_of(key) for key in keys}
    known = service.known_stems(set(stems.values()))
    for key, stem in stems.items():
        if stem not in known:
            storage().delete(key)
