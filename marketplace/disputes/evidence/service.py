"""Adding evidence: files are hashed outside any transaction, then added in one."""

from collections.abc import Sequence
from typing import Any

from marketplace.auth.models import User
from marketplace.core.database.db import in_transaction
from marketplace.disputes import queries
from marketplace.disputes import service as disputes_service
from marketplace.disputes.models import Dispute
from marketplace.uploads.downloads import sha256_of


def open_dispute(user: User, *, files: Sequence[str] = (), **said: Any) -> Dispute:
    """Open a dispute (`said` as disputes/service.py has it), with files as evidence; raises 403, 404, 409, Invalid
    (422)."""
    shown = _hashes(user, files)
    return in_transaction(lambda: disputes_service.open_dispute(user, shown=shown, **said))


def respond(user: User, dispute_id: int, *, content: str, files: Sequence[str] = ()) -> None:
    """Answer a dispute, with files as evidence; raises 403, 404, 409, Invalid (422)."""
    shown = _summed_up(user, dispute_id, files)
    in_transaction(lambda: disputes_service.respond(user, dispute_id, content=content, shown=shown))


def show(user: User, dispute_id: int, *, file: str, note: str = "") -> None:
    """Add one file as evidence; raises as `respond`."""
    shown = _summed_up(user, dispute_id, [file])
    in_transaction(lambda: disputes_service.show(user, dispute_id, shown=shown, note=note))


def _summed_up(user: User, dispute_id: int, names: Sequence[str]) -> dict[str, str]:
    """SHA-256 by file name; the bytes behind a name never change, so hashing before the transaction is safe."""
    dispute: Dispute = queries.find(user, dispute_id)
    disputes_service.demand_side(user, dispute)
    return _hashes(user, names)


def _hashes(user: User, names: Sequence[str]) -> dict[str, str]:
    return {
        f"{upload.stem}.{upload.extension}": sha256_of(upload) for upload in disputes_service.own_files(user, names)
    }
