"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from marketplace.core.manifest import Invariant

INVARIANTS = (
    Invariant(
        "deals: disputed without a file about it, or an open file about one that is not disputed",
        """SELECT a.id FROM deals a LEFT JOIN disputes d ON d.active_reference = a.id WHERE
        (a.stage = 'disputed' AND d.id IS NULL AND a.updated_at < :long_ago) OR
        (a.stage <> 'disputed' AND d.id IS NOT NULL)""",
    ),
    Invariant(
        "disputes: over and marked as open, or the other way round",
        "SELECT id FROM disputes WHERE (status IN ('resolved', 'withdrawn')) = (active_reference IS NOT NULL)",
    ),
    Invariant(
        "disputes: an offer is open in one that is over",
        """SELECT d.id FROM disputes d JOIN dispute_offers o ON o.dispute_id = d.id
        WHERE o.status = 'open' AND d.active_reference IS NULL""",
    ),
    Invariant(
        "disputes: decided without a decision, or with more than two",
        """SELECT d.id FROM disputes d LEFT JOIN dispute_decisions n ON n.dispute_id = d.id GROUP BY d.id, d.status
        HAVING COUNT(n.id) > 2 OR (d.status IN ('decided', 'appealed') AND COUNT(n.id) <> 1)""",
    ),
    Invariant(
        "disputes: the worker's part of the escrow differs from what was settled",
        """SELECT d.id FROM disputes d JOIN deals a ON a.id = d.deal_id
        LEFT JOIN ledger_transfers l ON l.reference = a.reference
        AND l.kind IN ('release', 'fee', 'tax') WHERE d.status = 'resolved'
        GROUP BY d.id, d.to_worker_minor HAVING COALESCE(SUM(l.amount_minor), 0) <> COALESCE(d.to_worker_minor, 0)""",
    ),
)
