"""Files are read and summed up first, outside of any transaction; then they become evidence."""

from collections.abc import Sequence

from marketplace.auth.models import User
from marketplace.core.database.db import in_transaction
from marketplace.disputes import queries
from marketplace.disputes import service as disputes_service
from marketplace.disputes.models import Dispute
from marketplace.uploads.downloads import sha256_of


def respond(user: User, dispute_id: int, *, content: str, files: Sequence[str] = ()) -> None:
    """Say how one sees it, and show files with it; raises 403, 404, 409, Invalid (422)."""
    shown = _summed_up(user, dispute_id, files)
    in_transaction(lambda: disputes_service.respond(user, dispute_id, content=content, shown=shown))


def show(user: User, dispute_id: int, *, file: str, note: str = "") -> None:
    """Show one file; raises as `respond`."""
    shown = _summed_up(user, dispute_id, [file])
    in_transaction(lambda: disputes_service.show(user, dispute_id, shown=shown, note=note))


def _summed_up(user: User, dispute_id: int, names: Sequence[str]) -> dict[str, str]:
    """The SHA-256 of each by its file's name. The bytes behind a name never change, they are only ever deleted."""
    dispute: Dispute = queries.find(user, dispute_id)
    disputes_service.demand_side(user, dispute)
    return {
        f"{upload.stem}.{upload.extension}": sha256_of(upload) for upload in disputes_service.own_files(user, names)
    }
