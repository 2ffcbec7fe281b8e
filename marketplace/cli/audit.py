"""`flask audit`: what must hold between tables, whatever happened; read with plain SQL."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any

import click
from sqlalchemy import TextClause, bindparam, select, text

from marketplace.cli.errors import on_database
from marketplace.core import encryption, search
from marketplace.core.db import UTCDateTime, db, fetch
from marketplace.core.leases import QUEUES
from marketplace.core.lifecycle import Stateful
from marketplace.disputes.models import Dispute, Offer
from marketplace.kit.clock import now
from marketplace.listings.models import Listing
from marketplace.offerings.models import Offering
from marketplace.payments.ledger import proofs
from marketplace.payments.models import Payment, Payout, Refund
from marketplace.subscriptions.models import Subscription
from marketplace.tasks.models import Application, Task
from marketplace.uploads.addresses import key_of
from marketplace.uploads.gateways.chosen import storage
from marketplace.uploads.models import Upload
from marketplace.verification.models import Verification

STATEFUL: tuple[Any, ...] = (
    *(Listing, Task, Application, Offering, Verification, Payment, Refund, Payout),
    *(Dispute, Offer, Subscription),
)
TOO_LONG = timedelta(days=2)
STUCK_AFTER = timedelta(minutes=20)  # longer than any lease and the pause after it
AGES = {"long_ago": STUCK_AFTER, "days_ago": TOO_LONG}

# Each finds rows that should not be: (what is wrong, statement whose first column is an id).
RULES = (
    (
        "users: the rating sums differ from the reviews",
        """SELECT u.id FROM users u LEFT JOIN reviews r ON r.reviewed_user_id = u.id
        GROUP BY u.id, u.rating_sum, u.reviews_count
        HAVING u.rating_sum <> COALESCE(SUM(r.rating), 0) OR u.reviews_count <> COUNT(r.id)""",
    ),
    (
        "users: closed, and still signed in somewhere",
        "SELECT u.id FROM users u JOIN sign_ins s ON s.user_id = u.id WHERE NOT u.is_active AND s.ended_at IS NULL",
    ),
    (
        "users: erased, and still somebody",
        """SELECT id FROM users WHERE erased_at IS NOT NULL AND erased_at < :long_ago AND
        (is_active OR is_verified OR phone_key IS NOT NULL OR first_name || last_name || bio <> '' OR
        email <> 'erased-' || id || '@erased.invalid')""",
    ),
    (
        "users: erased long ago, and something is left on offer or in the storage",
        """SELECT u.id FROM users u WHERE u.erased_at < :long_ago AND (
        EXISTS (SELECT 1 FROM listings l WHERE l.seller_id = u.id AND l.status <> 'deleted') OR
        EXISTS (SELECT 1 FROM offerings o WHERE o.creator_id = u.id AND o.status <> 'deleted') OR
        EXISTS (SELECT 1 FROM tasks t WHERE t.creator_id = u.id AND t.status = 'open') OR
        EXISTS (SELECT 1 FROM uploads f WHERE f.owner_id = u.id))""",
    ),
    (
        "verifications: waiting without the mark, or marked and decided",
        "SELECT id FROM verifications WHERE (status = 'pending') <> (open_for IS NOT NULL)",
    ),
    (
        "users: the average differs from the sums",
        """SELECT id FROM users WHERE ABS(average_rating * reviews_count - rating_sum) > 0.001""",
    ),
    (
        "users: completed_tasks differs from the tasks",
        """SELECT u.id FROM users u LEFT JOIN tasks t ON t.assigned_to_id = u.id AND t.status = 'completed'
        GROUP BY u.id, u.completed_tasks HAVING u.completed_tasks <> COUNT(t.id)""",
    ),
    (
        "tasks: a worker where there should be none, or none where there should be one",
        """SELECT id FROM tasks WHERE (assigned_to_id IS NULL) = (status IN
        ('assigned', 'in_progress', 'pending_confirmation', 'completed', 'disputed'))
        AND NOT (status = 'cancelled' AND assigned_to_id IS NOT NULL)""",
    ),
    (
        "tasks: more than one accepted application",
        "SELECT task_id FROM applications WHERE status = 'accepted' GROUP BY task_id HAVING COUNT(*) > 1",
    ),
    (
        "tasks: the accepted application is not the worker's",
        """SELECT t.id FROM tasks t JOIN applications a ON a.task_id = t.id AND a.status = 'accepted'
        WHERE t.assigned_to_id IS NULL OR t.assigned_to_id <> a.applicant_id""",
    ),
    (
        "tasks: applications wait on a task that is not open",
        """SELECT t.id FROM tasks t JOIN applications a ON a.task_id = t.id
        WHERE a.status = 'pending' AND t.status <> 'open'""",
    ),
    (
        "tasks: responses_count differs from the applications",
        """SELECT t.id FROM tasks t LEFT JOIN applications a ON a.task_id = t.id AND a.status <> 'withdrawn'
        GROUP BY t.id, t.responses_count HAVING t.responses_count <> COUNT(a.id)""",
    ),
    (
        "tasks: completed without a time, or with one and not completed",
        "SELECT id FROM tasks WHERE (status = 'completed') = (completed_at IS NULL)",
    ),
    (
        "payments: money is held for a task that is not going on",
        """SELECT p.id FROM payments p JOIN tasks t ON p.reference = 'task:' || t.id WHERE p.status = 'held'
        AND t.status NOT IN ('assigned', 'in_progress', 'pending_confirmation', 'disputed')""",
    ),
    (
        "payments: held for somebody who does not do the task",
        """SELECT p.id FROM payments p JOIN tasks t ON p.reference = 'task:' || t.id WHERE p.open_for IS NOT NULL
        AND (t.assigned_to_id IS NULL OR t.assigned_to_id <> p.payee_id OR t.creator_id <> p.payer_id)""",
    ),
    (
        "payments: for a task that is not there",
        """SELECT p.id FROM payments p LEFT JOIN tasks t ON p.reference = 'task:' || t.id
        WHERE p.reference LIKE 'task:%' AND t.id IS NULL""",
    ),
    (
        "provider calls: asked for two days and not through",
        "SELECT id FROM provider_calls WHERE done_at IS NULL AND first_at < :days_ago",
    ),
    (
        "payments: released to somebody who did not do the task",
        """SELECT p.id FROM payments p JOIN tasks t ON p.reference = 'task:' || t.id WHERE p.status = 'released'
        AND (t.status <> 'completed' OR t.assigned_to_id <> p.payee_id OR t.creator_id <> p.payer_id)""",
    ),
    (
        "fake provider: its book differs from ours",
        """SELECT f.name FROM (SELECT name, SUM(amount_minor) AS amount FROM fake_lines
        GROUP BY name HAVING MAX(made_at) < :long_ago) f
        LEFT JOIN (SELECT provider_id AS name, captured_minor AS amount FROM payments WHERE captured_at IS NOT NULL
        UNION ALL SELECT provider_id, amount_minor FROM refunds WHERE status = 'done'
        UNION ALL SELECT provider_id, amount_minor FROM payouts WHERE status = 'paid'
        UNION ALL SELECT provider_id, amount_minor FROM subscription_invoices) o ON o.name = f.name
        WHERE f.amount <> COALESCE(o.amount, 0)""",
    ),
    (
        "subscriptions: a paid invoice is not in the ledger as it was paid",
        """SELECT i.id FROM subscription_invoices i LEFT JOIN ledger_transfers t
        ON t.key = 'invoice:' || i.provider || ':' || i.provider_id AND t.amount_minor = i.amount_minor
        AND t.currency = i.currency AND t.reference = 'subscription:' || i.subscription_id WHERE t.id IS NULL""",
    ),
    (
        "subscriptions: the ledger has an invoice that nobody paid",
        """SELECT t.key FROM ledger_transfers t LEFT JOIN subscription_invoices i
        ON t.key = 'invoice:' || i.provider || ':' || i.provider_id WHERE t.kind = 'plan' AND i.id IS NULL""",
    ),
    (
        "subscriptions: what was paid differs from the invoices",
        """SELECT s.id FROM subscriptions s LEFT JOIN subscription_invoices i ON i.subscription_id = s.id
        GROUP BY s.id, s.paid_minor HAVING s.paid_minor <> COALESCE(SUM(i.amount_minor), 0)""",
    ),
    (
        "subscriptions: active, and nobody paid for it",
        """SELECT id FROM subscriptions WHERE status IN ('active', 'past_due') AND paid_minor = 0
        AND asked_at < :long_ago""",
    ),
    (
        "subscriptions: living and not marked so, or over and still marked",
        """SELECT id FROM subscriptions WHERE (status = 'ended') <> (open_for IS NULL)
        OR (status = 'ended') <> (ended_at IS NOT NULL) OR open_for <> user_id""",
    ),
    (
        "subscriptions: of somebody erased long ago, and not to end",
        """SELECT s.id FROM subscriptions s JOIN users u ON u.id = s.user_id
        WHERE u.erased_at < :long_ago AND s.status <> 'ended' AND s.wish <> 'end_now'""",
    ),
    (
        "tasks: disputed without a file about it, or an open file about one that is not disputed",
        """SELECT t.id FROM tasks t LEFT JOIN disputes d ON d.open_for = t.id WHERE
        (t.status = 'disputed' AND d.id IS NULL AND t.updated_at < :long_ago) OR
        (t.status <> 'disputed' AND d.id IS NOT NULL)""",
    ),
    (
        "disputes: over and marked as open, or the other way round",
        "SELECT id FROM disputes WHERE (status IN ('resolved', 'withdrawn')) = (open_for IS NOT NULL)",
    ),
    (
        "disputes: an offer is open in one that is over",
        """SELECT d.id FROM disputes d JOIN dispute_offers o ON o.dispute_id = d.id
        WHERE o.status = 'open' AND d.open_for IS NULL""",
    ),
    (
        "disputes: decided without a decision, or with more than two",
        """SELECT d.id FROM disputes d LEFT JOIN dispute_decisions n ON n.dispute_id = d.id GROUP BY d.id, d.status
        HAVING COUNT(n.id) > 2 OR (d.status IN ('decided', 'appealed') AND COUNT(n.id) <> 1)""",
    ),
    (
        "disputes: the worker's part of the escrow differs from what was settled",
        """SELECT d.id FROM disputes d LEFT JOIN ledger_transfers l ON l.reference = 'task:' || d.task_id
        AND l.kind IN ('release', 'fee', 'tax') WHERE d.status = 'resolved'
        GROUP BY d.id, d.to_worker_minor HAVING COALESCE(SUM(l.amount_minor), 0) <> COALESCE(d.to_worker_minor, 0)""",
    ),
    (
        "reviews: not of a completed task between the two",
        """SELECT r.id FROM reviews r JOIN tasks t ON t.id = r.task_id WHERE t.status <> 'completed' OR NOT (
        (r.reviewer_id = t.creator_id AND r.reviewed_user_id = t.assigned_to_id AND r.reviewed_as = 'worker') OR
        (r.reviewer_id = t.assigned_to_id AND r.reviewed_user_id = t.creator_id AND r.reviewed_as = 'client'))""",
    ),
    (
        "conversations: a gap or a repeat in the numbering",
        """SELECT c.id FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id
        GROUP BY c.id, c.last_seq HAVING COUNT(m.id) <> c.last_seq OR COALESCE(MAX(m.seq), 0) <> c.last_seq""",
    ),
    (
        "messages: sent by somebody who is not in the conversation",
        """SELECT m.id FROM messages m WHERE NOT EXISTS (SELECT 1 FROM memberships s
        WHERE s.conversation_id = m.conversation_id AND s.user_id = m.sender_id)""",
    ),
    (
        "conversations: a change that is counted and not there, or the other way round",
        """SELECT c.id FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id
        GROUP BY c.id, c.last_rev HAVING COALESCE(MAX(m.rev), 0) <> c.last_rev""",
    ),
    (
        "memberships: read further than anything was said",
        """SELECT s.id FROM memberships s JOIN conversations c ON c.id = s.conversation_id
        WHERE s.delivered_seq > c.last_seq OR s.read_seq > c.last_seq""",
    ),
    (
        "uploads: the room they take differs from the files",
        """SELECT u.user_id FROM upload_usage u LEFT JOIN uploads f ON f.owner_id = u.user_id
        GROUP BY u.user_id, u.size, u.files HAVING u.size <> COALESCE(SUM(f.size), 0) OR u.files <> COUNT(f.id)""",
    ),
    (
        "notifications: two of one person tell the same fact",
        "SELECT MIN(id) FROM notifications GROUP BY user_id, key HAVING COUNT(*) > 1",
    ),
    (
        "deliveries: sent and given up at once",
        "SELECT id FROM deliveries WHERE done_at IS NOT NULL AND dead_at IS NOT NULL",
    ),
)


def findings() -> list[str]:
    """Everything that is not as it must be, one sentence each; empty when all is well."""
    found = [*_broken_rules(), *proofs.findings(), *_broken_histories(), *_stuck_rows(), *_missing_files()]
    return [*found, *_outdated_words(), *encryption.told(encryption.unreadable(db.session.connection()))]


def _broken_rules() -> Iterator[str]:
    moments = {name: now() - age for name, age in AGES.items()}
    for what, statement in _STATEMENTS:
        ids = [row[0] for row in fetch(statement, moments)]
        if ids:
            yield f"{what} ({len(ids)}: {', '.join(map(str, ids[:5]))})"


def _statement(statement: str) -> TextClause:
    timed = [bindparam(name, type_=UTCDateTime()) for name in AGES if f":{name}" in statement]
    return text(statement).bindparams(*timed)


def _broken_histories() -> Iterator[str]:
    """Every history is a path in its table and ends in the thing's present status."""
    steps = {key: list(rows) for key, rows in groupby(fetch(_changes), key=lambda row: (row.thing, row.thing_id))}
    for model, statuses in _statuses:
        for row in fetch(statuses):
            problem = _history_problem(model, row.status, steps.get((model.lifecycle.thing, row.id), []))
            if problem:
                yield f"{model.lifecycle.thing} {row.id}: {problem}"


def _history_problem(model: type[Stateful], status: str, steps: list[Any]) -> str | None:
    path = [model.lifecycle.initial, *(step.to_state for step in steps)]
    if [step.from_state for step in steps] != path[:-1]:
        return "a step of its history starts where none ended"
    if not model.lifecycle.is_path(path):
        return f"its history {' → '.join(path)} is not in the table"
    return None if path[-1] == status else f"it is {status}, its history says {path[-1]}"


def _stuck_rows() -> Iterator[str]:
    """Nothing waits far beyond its time where somebody works."""
    for queue in QUEUES.values():
        rows = queue.table.c
        late = queue.table.select().where(rows.done_at.is_(None), rows.dead_at.is_(None))
        for row in fetch(late.where(rows.due_at < now() - STUCK_AFTER).limit(20)):
            yield f"{queue.name} {row.id}: should have been worked on long ago"


def _missing_files() -> Iterator[str]:
    """Every file that counts is in its place."""
    there = {file.key for prefix in ("public/", "private/") for file in storage().files(prefix)}
    for upload in fetch(select(Upload.__table__).where(Upload.ready_at.is_not(None))):
        if key_of(upload) not in there:
            yield f"upload {upload.id}: its file {key_of(upload)} is not in the storage"


def _outdated_words() -> Iterator[str]:
    """What a search looks through was written by this version."""
    for name in search.outdated():
        yield f"{name}: old rows are indexed as an earlier version did it; run flask reindex"


_STATEMENTS = [(what, _statement(statement)) for what, statement in RULES]
_changes = text("SELECT thing, thing_id, from_state, to_state FROM state_changes ORDER BY thing, thing_id, id")
_statuses = [(model, text(f"SELECT id, status FROM {model.__tablename__}")) for model in STATEFUL]


@click.command("audit")
@on_database
def audit() -> None:
    """Check what must hold between tables; exit 1 on a finding."""
    found = findings()
    for line in found:
        click.echo(line)
    click.echo(f"{len(found)} findings." if found else "Everything is as it must be.")
    raise SystemExit(1 if found else 0)
