"""Lists of disputes, and one in full."""

from email.utils import parseaddr
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, select

from marketplace.auth.models import User
from marketplace.auth.queries import name_in, person_columns
from marketplace.core.database.db import AnyRow, db, fetch, fetch_as, locked, one
from marketplace.core.database.timers import Timer
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import MAX_PER_PAGE, Page
from marketplace.core.ops import current_settings
from marketplace.core.queues.work_queue import table_of
from marketplace.deals.lifecycle import DealStage
from marketplace.deals.models import Deal, task_of
from marketplace.disputes import policy, reason_labels, summary, timeline
from marketplace.disputes.lifecycle import DISPUTE_LIFECYCLE, OFFER_LIFECYCLE, WAITING_FOR_STAFF, DisputeStatus
from marketplace.disputes.models import REASONS, Decision, Dispute, Evidence, Offer, Statement
from marketplace.kit.clock import now
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.payments import queries as payments_queries
from marketplace.uploads.addresses import url_of
from marketplace.uploads.models import Upload

Chosen = TypeVar("Chosen")

DISPUTES, DEALS, USERS = table_of(Dispute), table_of(Deal), table_of(User)
OPENER, RESPONDENT = USERS.alias("opener"), USERS.alias("respondent")
SAME = ("id", "status", "reason", "description", "opened_by_id", "against_id", "outcome")
MOMENTS = ("response_due_at", "final_at", "created_at", "updated_at")
NAMES = [*person_columns(OPENER, "opener"), *person_columns(RESPONDENT, "respondent")]
COLUMNS = [*DISPUTES.c, DEALS.c.title, DEALS.c.reference, DEALS.c.price_minor, *NAMES]
JOINED = (
    DISPUTES.join(DEALS, DEALS.c.id == DISPUTES.c.deal_id)
    .join(OPENER, OPENER.c.id == DISPUTES.c.opened_by_id)
    .join(RESPONDENT, RESPONDENT.c.id == DISPUTES.c.against_id)
)

BROWSE = ListQuery(
    name="disputes",
    table=DISPUTES,
    columns=COLUMNS,
    joined=JOINED,
    filters={
        "status": DISPUTES.c.status == bindparam("status"),
        "statuses": DISPUTES.c.status.in_(bindparam("statuses", expanding=True)),
        "reference": DISPUTES.c.deal_id.in_(select(DEALS.c.id).where(DEALS.c.reference == bindparam("reference"))),
        "seen_by": policy.seen_by(DISPUTES.c, bindparam("seen_by")),
    },
    sorts={"created_at": DISPUTES.c.created_at, "updated_at": DISPUTES.c.updated_at},
    default_sort="-created_at",
)

UNANSWERED = Timer(Dispute, lambda: (Dispute.status == DisputeStatus.OPEN) & (Dispute.response_due_at <= now()))
UNAPPEALED = Timer(Dispute, lambda: (Dispute.status == DisputeStatus.DECIDED) & (Dispute.final_at <= now()))


def reasons(language: str) -> list[dict[str, str]]:
    """Every reason a dispute can have, with its label in this language."""
    labels = {reason: reason_labels.label(reason, language) for reason in REASONS}
    return [{"key": key, "title": label, "value": key, "label": label} for key, label in labels.items()]


def support_email() -> str:
    """Where people write to when the file is not enough: SUPPORT_EMAIL, else the sender of our mails."""
    return current_settings.text("SUPPORT_EMAIL") or parseaddr(current_settings.text("MAIL_FROM"))[1]


def of(user: User, **query: Any) -> Page:
    """Disputes one is a side of, newest first; all of them for staff who decide."""
    return _completed(BROWSE.page({**query, **policy.eyes_of(user)}, lambda row: view(user, row)))


def queue(user: User, **query: Any) -> Page:
    """Disputes that wait for staff, or those in one state, oldest first."""
    narrowed = query if query.get("status") else {**query, "statuses": list(WAITING_FOR_STAFF)}
    return _completed(BROWSE.page({"sort": "created_at", **narrowed}, lambda row: view(user, row)))


def find(user: User, dispute_id: int) -> Dispute:
    """One visible dispute; raises NotFound."""
    return one(policy.visible_to(user).where(Dispute.id == dispute_id), "dispute")


def to_change(user: User, dispute_id: int) -> Dispute:
    """As `find`, locked until the commit: the two sides may write at once."""
    return one(locked(policy.visible_to(user).where(Dispute.id == dispute_id)), "dispute")


def offer_of(dispute: Dispute, offer_id: int) -> Offer:
    """An offer of this dispute, by id; raises NotFound."""
    return one(select(Offer).where(Offer.dispute_id == dispute.id, Offer.id == offer_id), "offer")


def without_file(deal_id: int) -> Deal | None:
    """The deal of this id if it is disputed and has no open dispute."""
    return db.session.scalar(_without_file(select(Deal)).where(Deal.id == deal_id))


def deals_without_file(batch: int) -> list[int]:
    """Ids of disputed deals that have no open dispute."""
    return [row.id for row in fetch(_without_file(select(Deal.id)).order_by(Deal.id).limit(batch))]


def about(user: User, reference: str) -> JsonObject:
    """The newest visible dispute about a deal in full, and all of them as lists show them; raises NotFound."""
    newest = _detail(user, DISPUTES.c.deal_id.in_(select(DEALS.c.id).where(DEALS.c.reference == reference)))
    page = of(user, reference=reference, per_page=MAX_PER_PAGE)
    return {**newest, "disputes": page.items, "total": page.total}


def detail(user: User, dispute_id: int) -> JsonObject:
    """One visible dispute with statements, evidence, offers, decisions and timeline; raises NotFound."""
    return _detail(user, DISPUTES.c.id == dispute_id)


def view(user: User, row: Any) -> JsonObject:
    """A dispute as lists show it."""
    return {
        **{name: getattr(row, name) for name in (*SAME, *MOMENTS)},
        "reason_label": reason_labels.label(row.reason, user.language),
        "deal": row.reference,
        "task_id": task_of(row.reference),
        "task_title": row.title,
        **_side("opened_by", "filed_by", row.opened_by_id, name_in(row, "opener")),
        **_side("against", "filed_against", row.against_id, name_in(row, "respondent")),
        "resolution": summary.resolution(row.outcome, row.to_worker_minor, row.price_minor),
        "support_email": support_email(),
        **_money("to_worker", row.to_worker_minor, row.currency),
        "currency": row.currency,
        "appealed_by_id": row.appealed_by_id,
        "appeal_reason": row.appeal_reason,
        "available_actions": DISPUTE_LIFECYCLE.actions(row.status, policy.role_of(user, row)),
    }


def with_envelope(dispute: JsonObject) -> JsonObject:
    """One dispute, and the same once more under its name."""
    return {**dispute, "dispute": dispute}


def _side(ours: str, alias: str, user_id: int, name: str) -> JsonObject:
    ids = {f"{ours}_id": user_id, f"{alias}_id": user_id}
    return {**ids, f"{ours}_name": name, f"{alias}_name": name}


def _completed(page: Page) -> Page:
    """The page with what lists show of each file."""
    ids = [item["id"] for item in page.items]
    files = {"statements": _rows(Statement, *ids), "evidence": _evidence(*ids), "decisions": _rows(Decision, *ids)}
    apart, ended = summary.by_dispute(**files), summary.resolved_at(ids)
    for item in page.items:
        item.update(summary.of(item, apart[item["id"]]), resolved_at=ended.get(item["id"]))
    return page


def _detail(user: User, wanted: Any) -> JsonObject:
    row = _newest(user, wanted)
    statements, decisions, offers = _rows(Statement, row.id), _rows(Decision, row.id), _rows(Offer, row.id)
    evidence, seen = _evidence(row.id), view(user, row)
    held, currency = payments_queries.held_of(row.reference) or (None, None)
    return {
        **seen,
        **summary.of(seen, summary.Rows(statements, evidence, decisions)),
        "resolved_at": summary.resolved_at([row.id]).get(row.id),
        **_money("held", held, currency),
        "statements": [_statement(said) for said in statements],
        "evidence": [_shown(piece) for piece in evidence],
        "offers": [_offer(user, row, made) for made in offers],
        "decisions": [_decision(decided) for decided in decisions],
        "timeline": timeline.of(row, statements=statements, evidence=evidence, offers=offers, decisions=decisions),
    }


def _newest(user: User, wanted: Any) -> AnyRow:
    found = select(*COLUMNS).select_from(JOINED).where(wanted).order_by(DISPUTES.c.id.desc()).limit(1)
    rows = fetch(found if policy.decides(user) else found.where(policy.seen_by(DISPUTES.c, user.id)))
    if not rows:
        raise NotFound.of("dispute")
    return rows[0]


def _rows(kind: Any, *dispute_ids: int) -> list[AnyRow]:
    table = table_of(kind)
    return fetch_as(AnyRow, select(table).where(table.c.dispute_id.in_(dispute_ids)).order_by(table.c.id))


def _evidence(*dispute_ids: int) -> list[AnyRow]:
    shown, uploads = table_of(Evidence), table_of(Upload)
    names = [uploads.c[name] for name in ("stem", "extension", "is_private")]
    joined = shown.outerjoin(uploads, uploads.c.id == shown.c.upload_id)
    added = select(shown, *names).select_from(joined).where(shown.c.dispute_id.in_(dispute_ids))
    return fetch_as(AnyRow, added.order_by(shown.c.id))


def _statement(row: Any) -> JsonObject:
    return {name: getattr(row, name) for name in ("id", "author_id", "content", "created_at")}


def _shown(row: Any) -> JsonObject:
    is_there = row.stem is not None
    return {
        **{name: getattr(row, name) for name in ("id", "author_id", "note", "sha256", "size", "content_type")},
        "filename": f"{row.stem}.{row.extension}" if is_there else None,
        "url": url_of(row) if is_there else None,
        "created_at": row.created_at,
    }


def _offer(user: User, dispute: Any, row: Any) -> JsonObject:
    roles = policy.offer_role_of(user, dispute, row)
    return {
        **{name: getattr(row, name) for name in ("id", "author_id", "status", "outcome", "currency", "created_at")},
        **_money("to_worker", row.to_worker_minor, row.currency),
        "available_actions": OFFER_LIFECYCLE.actions(row.status, roles),
    }


def _decision(row: Any) -> JsonObject:
    return {
        **{name: getattr(row, name) for name in ("id", "decided_by_id", "decided_at", "outcome", "currency", "note")},
        **_money("to_worker", row.to_worker_minor, row.currency),
    }


def _money(name: str, minor: int | None, currency: str | None) -> JsonObject:
    major = None if minor is None or currency is None else to_major(minor, currency)
    return {name: major, f"{name}_minor": minor}


def _without_file(chosen: Select[Chosen]) -> Select[Chosen]:
    missing = select(Dispute.id).where(Dispute.active_reference == Deal.id).exists()
    return chosen.where(Deal.stage == DealStage.DISPUTED, ~missing)
