"""What the two sides do in a dispute: open, answer, add evidence, appeal."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from sqlalchemy import func, select

from marketplace.auth.models import User
from marketplace.core.database.db import db, fetch, save
from marketplace.core.manifest import deal_kinds
from marketplace.core.ops import current_settings
from marketplace.core.queues.outbox import publish
from marketplace.deals import queries as deals_queries
from marketplace.deals.models import TASK, Deal, task_reference
from marketplace.disputes import policy, queries
from marketplace.disputes.lifecycle import SYSTEM
from marketplace.disputes.models import Dispute, Evidence, Statement
from marketplace.events.disputes import DisputeAnswered, DisputeAppealed, DisputeOpened
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, NotAllowed
from marketplace.kit.lifecycle import WrongState
from marketplace.uploads import queries as uploads_queries
from marketplace.uploads import service as uploads_service
from marketplace.uploads.addresses import url_of
from marketplace.uploads.queries import UploadRow

OTHER = "other"
MOST_OF_A_SIDE = 50


class TooMuch(Conflict):
    """409: a side has MOST_OF_A_SIDE statements or files, as people have to read them."""

    code = "too_much"
    sentence = f"There are {MOST_OF_A_SIDE} of yours in this dispute already, which is all there can be."


def open_dispute(
    user: User,
    *,
    deal: str | None = None,
    task_id: int | None = None,
    reason: str,
    description: str,
    shown: Mapping[str, str] | None = None,
) -> Dispute:
    """Move what a deal is about to disputed and open its dispute, in one transaction: of a deal by its name ("task:7"),
    or of the one that a task is. `shown` as in `show`. Raises what the trade says: 403, 404, WrongState (409)."""
    if task_id is not None:  # whoever names a task is told of the task, before it is a deal too
        deal_kinds()[TASK].settlement.dispute(user, task_id)
        about = deals_queries.find(user, task_reference(task_id))
    else:
        about = deals_queries.find(user, deal or "")
        deal_kinds()[about.kind].settlement.dispute(user, about.subject_id)
    dispute = _file(about, user.id, reason=reason, description=description)
    _keep(user, dispute, shown or {}, "")
    db.session.flush()
    return dispute


def open_missing(deal_id: int) -> None:
    """Open the dispute of a deal that was disputed at the trade itself; no effect where there is one, or the deal is
    not disputed any more."""
    deal = queries.without_file(deal_id)
    opener = None if deal is None else deals_queries.disputed_by(deal)
    if deal is not None and opener is not None:
        said = deal_kinds()[deal.kind].settlement.reason_of(deal.subject_id)
        _file(deal, opener, reason=OTHER, description=said)


def respond(user: User, dispute_id: int, *, content: str, shown: Mapping[str, str] | None = None) -> Dispute:
    """Write a statement; the other side's first one brings the dispute before staff. `shown` as in `show`."""
    dispute = queries.to_change(user, dispute_id)
    dispute.advance("respond", actor=policy.role_of(user, dispute), actor_id=user.id)
    _refuse_too_much(Statement, dispute, user, 1)
    statement = save(Statement(dispute_id=dispute.id, author_id=user.id, content=content))
    _keep(user, dispute, shown or {}, "")
    publish(DisputeAnswered(statement_id=statement.id, **_by(dispute, user)))
    return dispute


def show(user: User, dispute_id: int, *, shown: Mapping[str, str], note: str = "") -> Dispute:
    """Add one's own files as evidence; `shown` maps their names to their SHA-256 (evidence/service.py). Raises 403,
    404, 409, Invalid (422) for what is no file of one's own."""
    dispute = queries.to_change(user, dispute_id)
    dispute.advance("add_evidence", actor=policy.role_of(user, dispute), actor_id=user.id)
    _keep(user, dispute, shown, note)
    db.session.flush()
    return dispute


def appeal(user: User, dispute_id: int, *, reason: str) -> Dispute:
    """Ask for a second decision, once a dispute and before the first is final; raises 403, 404, 409."""
    dispute = queries.to_change(user, dispute_id)
    dispute.advance("appeal", actor=policy.role_of(user, dispute), actor_id=user.id)
    if dispute.final_at is not None and dispute.final_at <= now():
        raise WrongState("The time to appeal is over: this decision is final.")
    dispute.appealed_by_id, dispute.appeal_reason, dispute.final_at = user.id, reason, None
    db.session.flush()
    publish(DisputeAppealed(**_by(dispute, user)))
    return dispute


def lapse(dispute_id: int) -> None:
    """Bring the dispute before staff after the other side's time to answer; no effect where it has answered."""
    dispute = queries.UNANSWERED.locked_row(dispute_id)
    if dispute is not None:
        dispute.advance("lapse", actor=SYSTEM)
        db.session.flush()


def demand_side(user: User, dispute: Dispute) -> None:
    """Raises NotAllowed (403) for who is no side of this dispute."""
    if not policy.role_of(user, dispute) & (policy.OPENER | policy.RESPONDENT):
        raise NotAllowed("Only the two sides can speak in this dispute.")


def own_files(user: User, names: Sequence[str]) -> list[UploadRow]:
    """One's own files of these names; raises Invalid (422) where one is not."""
    found = uploads_queries.own_files(user, names)
    if len(found) != len(set(names)):
        raise Invalid.field("files", "Name your own files: send them to /api/uploads or /api/uploads/document first.")
    return found


def _file(deal: Deal, opener_id: int, *, reason: str, description: str) -> Dispute:
    days = current_settings.days("DISPUTE_RESPONSE_DAYS")
    other = deal.provider_id if opener_id == deal.client_id else deal.client_id
    dispute = save(
        Dispute(
            deal_id=deal.id,
            active_reference=deal.id,
            opened_by_id=opener_id,
            against_id=other,
            reason=reason,
            description=description,
            response_due_at=now() + days,
        )
    )
    publish(
        DisputeOpened(dispute_id=dispute.id, reference=deal.reference, by_id=opener_id, other_id=dispute.against_id)
    )
    return dispute


def _keep(user: User, dispute: Dispute, shown: Mapping[str, str], note: str) -> None:
    _refuse_too_much(Evidence, dispute, user, len(shown))
    for upload in own_files(user, list(shown)):
        evidence = save(
            Evidence(
                dispute_id=dispute.id,
                author_id=user.id,
                upload_id=upload.id,
                sha256=shown[f"{upload.stem}.{upload.extension}"],
                size=upload.size,
                content_type=upload.content_type,
                note=note,
            )
        )
        uploads_service.use("evidence", evidence.id, [url_of(upload)])


def _refuse_too_much(kind: type[Statement | Evidence], dispute: Dispute, user: User, more: int) -> None:
    mine = select(func.count()).where(kind.dispute_id == dispute.id, kind.author_id == user.id)
    if fetch(mine)[0][0] + more > MOST_OF_A_SIDE:
        raise TooMuch()


class _By(TypedDict):
    dispute_id: int
    reference: str
    by_id: int
    other_id: int


def _by(dispute: Dispute, user: User) -> _By:
    other = policy.other_side(dispute, user.id)
    reference = deals_queries.by_id(dispute.deal_id).reference
    return {"dispute_id": dispute.id, "reference": reference, "by_id": user.id, "other_id": other}
