"""Report something, and decide about it."""

from marketplace.auth.account_admin import queries as account_admin_queries
from marketplace.auth.account_admin import service as account_admin_service
from marketplace.auth.models import User
from marketplace.core.database.db import db, save
from marketplace.core.queues.outbox import publish
from marketplace.events.reports import ReportResolved
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid
from marketplace.reports import policy, queries
from marketplace.reports.models import BAN, DELETE_CONTENT, DISMISS, Report

YOURSELF = "You cannot report yourself, nor what is yours."
NO_CONTENT = "This report is about a person: there is nothing to delete. Warn or ban them, or dismiss it."


def report(user: User, *, type: str, target_id: int, reason: str, description: str = "") -> Report:
    """Tell staff of something visible; raises NotFound, ReportedAlready (409), Invalid (422) for what is one's own."""
    owner_id = queries.owner_of(user, type, target_id)
    if owner_id == user.id:
        raise Invalid.field("target_id", YOURSELF)
    said = {"type": type, "target_id": target_id, "reason": reason, "description": description}
    return save(Report(reporter_id=user.id, reported_id=owner_id, **said))


def resolve(staff: User, report_id: int, *, action: str, note: str = "") -> Report:
    """Do what was decided, and close the report. Raises NotFound, NotAllowed (403) for what is said of oneself,
    WrongState (409) for a closed one and for what cannot be deleted now, Invalid (422)."""
    found = queries.to_resolve(report_id)
    found.advance("dismiss" if action == DISMISS else "resolve", actor=policy.role_of(staff, found), actor_id=staff.id)
    found.action, found.note, found.resolved_by_id, found.resolved_at = action, note, staff.id, now()
    db.session.flush()
    if action == BAN:
        account_admin_service.suspend(account_admin_queries.find(found.reported_id), note or found.reason, by=staff)
    elif action == DELETE_CONTENT:
        _delete(staff, found)
    if action != DISMISS:
        publish(ReportResolved(report_id=found.id, reported_id=found.reported_id, action=action))
    return found


def _delete(staff: User, found: Report) -> None:
    subject = policy.removable().get(found.type)
    if subject is None or subject.delete is None:
        raise Invalid.field("action", NO_CONTENT)
    subject.delete(staff, found.target_id)
