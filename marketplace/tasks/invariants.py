"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from marketplace.auth.invariants import LEFT_BEHIND
from marketplace.core.manifest import Invariant
from marketplace.deals.invariants import stage_follows
from marketplace.tasks.lifecycle import TASK_LIFECYCLE

INVARIANTS = (
    stage_follows("tasks", TASK_LIFECYCLE),
    Invariant(
        "deals: a task that somebody does is no deal of theirs",
        """SELECT t.id FROM tasks t LEFT JOIN deals d ON d.reference = 'task:' || t.id
        WHERE t.assigned_to_id IS NOT NULL AND (d.id IS NULL OR d.provider_id <> t.assigned_to_id
        OR d.client_id <> t.creator_id OR (d.kind = 'booking') <> t.booked)""",
    ),
    Invariant(
        "tasks: a worker where there should be none, or none where there should be one",
        """SELECT id FROM tasks WHERE (assigned_to_id IS NULL) = (status IN
        ('assigned', 'in_progress', 'pending_confirmation', 'completed', 'disputed'))
        AND NOT (status = 'cancelled' AND assigned_to_id IS NOT NULL)""",
    ),
    Invariant(
        "tasks: more than one accepted application",
        "SELECT task_id FROM applications WHERE status = 'accepted' GROUP BY task_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "tasks: the accepted application is not the worker's",
        """SELECT t.id FROM tasks t JOIN applications a ON a.task_id = t.id AND a.status = 'accepted'
        WHERE t.assigned_to_id IS NULL OR t.assigned_to_id <> a.applicant_id""",
    ),
    Invariant(
        "tasks: applications wait on a task that is not open",
        """SELECT t.id FROM tasks t JOIN applications a ON a.task_id = t.id
        WHERE a.status = 'pending' AND t.status <> 'open'""",
    ),
    Invariant(
        "tasks: responses_count differs from the applications",
        """SELECT t.id FROM tasks t LEFT JOIN applications a ON a.task_id = t.id AND a.status <> 'withdrawn'
        GROUP BY t.id, t.responses_count HAVING t.responses_count <> COUNT(a.id)""",
    ),
    Invariant(
        "tasks: completed without a time, or with one and not completed",
        "SELECT id FROM tasks WHERE (status = 'completed') = (completed_at IS NULL)",
    ),
    Invariant(
        "payments: for a task that is not there",
        # by the task's id: SQLite would go through all tasks for each payment
        """SELECT p.id FROM payment_shares p LEFT JOIN tasks t
        ON t.id = CASE WHEN p.reference LIKE 'task:%' THEN CAST(SUBSTR(p.reference, 6) AS BIGINT) END
        WHERE p.reference LIKE 'task:%' AND t.id IS NULL""",
    ),
    Invariant(
        LEFT_BEHIND,
        """SELECT u.id FROM users u WHERE u.erased_at < :long_ago AND EXISTS (
        SELECT 1 FROM tasks t WHERE t.creator_id = u.id AND t.status = 'open')""",
    ),
)
