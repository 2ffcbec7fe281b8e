"""Jobs of export and erasure."""

import tempfile

from marketplace.auth import service as auth_service
from marketplace.auth.account_admin import service as account_admin_service
from marketplace.core.database.db import in_transaction
from marketplace.core.queues.jobs import Run, job
from marketplace.core.queues.outbox import publish
from marketplace.events.privacy import ExportReady
from marketplace.privacy.erasure import erase_rest
from marketplace.privacy.export_archive import pack
from marketplace.uploads import service as uploads_service
from marketplace.uploads.addresses import PATH, key_of
from marketplace.uploads.gateways.registry import storage
from marketplace.uploads.models import EXPORT, Upload

ZIP = "application/zip"


@job("export_account", timeout=600)
def export_account(run: Run, user_id: int) -> None:
    """Make the export, store it as the person's private file, and mail a link."""
    if account_admin_service.is_erased(user_id):
        return
    known = {"content_type": ZIP, "purpose": EXPORT, "extension": "zip"}
    with tempfile.TemporaryFile() as packed:
        pack(user_id, packed, run.progress)
        size = packed.tell()
        packed.seek(0)
        upload = in_transaction(lambda: uploads_service.announce(user_id, size=size, **known))
        storage().put(key_of(upload), packed, ZIP, public=False)
    run.result_url = in_transaction(lambda: _arrived(upload.id, user_id))


@job("erase_account", timeout=600)
def erase_account(run: Run, user_id: int) -> None:
    """Erase what a closed account left behind."""
    erase_rest(user_id)


def _arrived(upload_id: int, user_id: int) -> str | None:
    """The export's address; None, and the file is deleted, where the person was erased meanwhile."""
    auth_service.hold(user_id)
    if account_admin_service.is_erased(user_id):
        uploads_service.give_up(upload_id)
        return None
    upload: Upload = uploads_service.arrive(upload_id)
    publish(ExportReady(user_id=user_id, upload_id=upload.id))
    return f"{PATH}/{upload.filename}"
