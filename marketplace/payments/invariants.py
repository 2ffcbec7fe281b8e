"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from marketplace.core.manifest import Invariant

INVARIANTS = (
    Invariant(
        "provider calls: asked for two days and not through",
        "SELECT id FROM provider_calls WHERE done_at IS NULL AND first_at < :days_ago",
    ),
    Invariant(
        "fake provider: its book differs from ours",
        """SELECT f.name FROM (SELECT name, SUM(amount_minor) AS amount FROM fake_lines
        GROUP BY name HAVING MAX(made_at) < :long_ago) f
        LEFT JOIN (SELECT name, SUM(amount) AS amount FROM (
        SELECT provider_id AS name, captured_minor AS amount FROM payments WHERE captured_at IS NOT NULL
        UNION ALL SELECT provider_id, amount_minor FROM refunds WHERE status = 'done'
        UNION ALL SELECT provider_id, amount_minor FROM subscription_refunds WHERE status = 'done'
        UNION ALL SELECT provider_id, amount_minor FROM payouts WHERE status = 'paid'
        UNION ALL SELECT provider_id, withdrawn_minor + fee_minor FROM chargebacks
        UNION ALL SELECT provider_id, amount_minor FROM subscription_invoices) ours
        GROUP BY name) o ON o.name = f.name
        WHERE f.amount <> COALESCE(o.amount, 0)""",
    ),
    Invariant(
        "subscriptions: a paid invoice is not in the ledger as it was paid",
        """SELECT i.id FROM subscription_invoices i LEFT JOIN ledger_transfers t
        ON t.key = 'invoice:' || i.provider || ':' || i.provider_id AND t.amount_minor = i.amount_minor
        AND t.currency = i.currency AND t.reference = 'subscription:' || i.subscription_id WHERE t.id IS NULL""",
    ),
    Invariant(
        "subscriptions: the ledger has an invoice that nobody paid",
        """SELECT t.key FROM ledger_transfers t LEFT JOIN subscription_invoices i
        ON t.key = 'invoice:' || i.provider || ':' || i.provider_id WHERE t.kind = 'plan' AND i.id IS NULL""",
    ),
    Invariant(
        "subscriptions: what was paid differs from the invoices",
        """SELECT s.id FROM subscriptions s LEFT JOIN subscription_invoices i ON i.subscription_id = s.id
        GROUP BY s.id, s.paid_minor HAVING s.paid_minor <> COALESCE(SUM(i.amount_minor), 0)""",
    ),
    Invariant(
        "subscriptions: what went back of an invoice differs from its refunds",
        """SELECT i.id FROM subscription_invoices i LEFT JOIN subscription_refunds r ON r.invoice_id = i.id
        GROUP BY i.id, i.refunded_minor HAVING i.refunded_minor <> COALESCE(SUM(r.amount_minor), 0)""",
    ),
    Invariant(
        "subscriptions: a refund is not in the ledger as it was asked for, or over and without a credit note",
        """SELECT r.id FROM subscription_refunds r LEFT JOIN ledger_transfers t ON t.kind = 'plan_back'
        AND t.subject = 'invoice_refund:' || r.id AND t.amount_minor = r.amount_minor
        WHERE t.id IS NULL OR (r.status = 'pending') <> (r.receipt_id IS NULL)""",
    ),
    Invariant(
        "subscriptions: active, and nobody paid for it",
        """SELECT id FROM subscriptions WHERE status IN ('active', 'past_due') AND paid_minor = 0
        AND asked_at < :long_ago""",
    ),
    Invariant(
        "subscriptions: living and not marked so, or over and still marked",
        """SELECT id FROM subscriptions WHERE (status = 'ended') <> (active_reference IS NULL)
        OR (status = 'ended') <> (ended_at IS NOT NULL) OR active_reference <> user_id""",
    ),
    Invariant(
        "subscriptions: of somebody erased long ago, and not to end",
        """SELECT s.id FROM subscriptions s JOIN users u ON u.id = s.user_id
        WHERE u.erased_at < :long_ago AND s.status <> 'ended' AND s.intended_outcome <> 'end_now'""",
    ),
)
