"""Submit documents, withdraw, decide; every step is in the audit log.

Documents are wanted no longer than it takes to look at them: decided or withdrawn, the files are no
longer in use and are swept away like every file that nothing shows.
"""

from collections.abc import Sequence

from marketplace.auth.account_admin import service as account_admin_service
from marketplace.auth.models import User
from marketplace.core.database.db import db, save
from marketplace.core.ops import audit_log
from marketplace.core.queues.outbox import publish
from marketplace.events.verification import VerificationDecided
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, NotAllowed, NotFound
from marketplace.kit.lifecycle import WrongState
from marketplace.uploads import queries as uploads_queries
from marketplace.uploads import service as uploads_service
from marketplace.uploads.addresses import url_of
from marketplace.uploads.queries import UploadRow
from marketplace.verification import policy, queries
from marketplace.verification.models import Verification

SYSTEM = frozenset({"system"})
PAPERS = ("image/", "application/pdf")  # what a reviewer looks at; sounds and sheets prove nobody
THING = "verification"


class IsVerified(Conflict):
    """409: the person has the badge already."""

    code = "verified_already"
    sentence = "You are verified already."


def submit(user: User, *, document_type: str, files: Sequence[str], note: str = "") -> Verification:
    """Submit documents; raises WaitsAlready, IsVerified (409), Invalid (422) for files that are not one's own private
    documents."""
    if user.is_verified:
        raise IsVerified()
    documents = _documents(user, files)
    verification = save(
        Verification(
            user_id=user.id,
            active_reference=user.id,
            document_type=document_type,
            note=note,
            files=[row.stem for row in documents],
        )
    )
    uploads_service.use(THING, verification.id, [url_of(row) for row in documents])
    audit_log.record("verification.submitted", THING, verification.id, document_type=document_type)
    return verification


def withdraw(user: User) -> None:
    """Take one's pending submission back; raises NotFound."""
    verification = queries.waiting_of(user.id)
    if verification is None:
        raise NotFound.of("verification")
    _close(verification, "withdraw", policy.role_of(user, verification), user.id)
    audit_log.record("verification.withdrawn", THING, verification.id)


def look_at(verification_id: int) -> Verification:
    """The submission for staff, recorded in the audit log; raises NotFound."""
    verification = queries.find(verification_id)
    audit_log.record("verification.seen", THING, verification.id)
    return verification


def approve(admin: User, verification_id: int) -> Verification:
    """Give the badge; raises NotFound, NotAllowed (403) for one's own, WrongState (409)."""
    waiting = queries.find(verification_id)
    if len(uploads_queries.by_stems(waiting.files)) < len(waiting.files):
        raise Conflict("The person has deleted documents that this rests on. Refuse it, so that they send others.")
    verification = _decide(admin, verification_id, "approve", "")
    account_admin_service.set_verified(verification.user_id, True)
    return verification


def refuse(admin: User, verification_id: int, reason: str) -> Verification:
    """Refuse with a reason for the person. Raises as `approve`."""
    return _decide(admin, verification_id, "refuse", reason)


def set_badge(admin: User, user_id: int, *, is_verified: bool) -> None:
    """Give the badge without documents, or take it away; raises NotAllowed (403) for oneself."""
    if admin.id == user_id:
        raise NotAllowed("You cannot verify yourself.")
    waiting = queries.waiting_of(user_id)
    if is_verified and waiting is not None:
        approve(admin, waiting.id)
        return
    if not is_verified:
        _revoke(user_id, frozenset({"admin"}), admin.id)
    account_admin_service.set_verified(user_id, is_verified)
    audit_log.record("badge.given" if is_verified else "badge.taken", "user", user_id)


def take_down_of(user_id: int) -> None:
    """Withdraw the pending submission and revoke the badge of a closed account."""
    waiting = queries.waiting_of(user_id)
    if waiting is not None:
        _close(waiting, "withdraw", SYSTEM, None)
    _revoke(user_id, SYSTEM, None)


def _revoke(user_id: int, roles: frozenset[str], actor_id: int | None) -> None:
    for verification in queries.approved_of(user_id):
        verification.advance("revoke", actor=roles, actor_id=actor_id)


def _decide(admin: User, verification_id: int, verb: str, reason: str) -> Verification:
    verification = queries.find(verification_id)
    roles = policy.role_of(admin, verification)
    if "owner" in roles:
        raise NotAllowed("Somebody else decides about your own documents.")
    verification.reason, verification.decided_by_id, verification.decided_at = reason, admin.id, now()
    _close(verification, verb, roles, admin.id)
    publish(
        VerificationDecided(
            verification_id=verification.id, user_id=verification.user_id, is_approved=verb == "approve"
        )
    )
    return verification


def _close(verification: Verification, verb: str, roles: frozenset[str], actor_id: int | None) -> None:
    if verification.active_reference is None:
        raise WrongState(f"These documents are {verification.status} already.")
    verification.advance(verb, actor=roles, actor_id=actor_id)
    verification.active_reference = None
    db.session.flush()
    uploads_service.use(THING, verification.id, [])


def _documents(user: User, names: Sequence[str]) -> list[UploadRow]:
    found = [one for one in uploads_queries.own_documents(user, names) if one.content_type.startswith(PAPERS)]
    if len(found) != len(set(names)):
        raise Invalid.field(
            "files", "Name your own private documents, PDF or pictures: send them to /api/uploads/document first."
        )
    return found
