"""Invariants of the ledger, read with plain SQL."""

from sqlalchemy import text

from marketplace.core.database.db import fetch

# Each finds rows that should not be: (what is wrong, statement whose first column names one).
RULES = (
    (
        "ledger: a balance differs from the sum of its transfers",
        """SELECT a.key FROM ledger_accounts a LEFT JOIN (
        SELECT account_id, SUM(amount) AS amount FROM (
        SELECT credit_id AS account_id, amount_minor AS amount FROM ledger_transfers UNION ALL
        SELECT debit_id, -amount_minor FROM ledger_transfers) sides GROUP BY account_id) moved
        ON moved.account_id = a.id WHERE a.balance_minor <> COALESCE(moved.amount, 0)""",
    ),
    (
        "ledger: the balances of a currency do not sum to zero",
        "SELECT currency FROM ledger_accounts GROUP BY currency HAVING SUM(balance_minor) <> 0",
    ),
    (
        "ledger: money went from one provider's accounts to another's",
        """SELECT t.key FROM ledger_transfers t JOIN ledger_accounts d ON d.id = t.debit_id
        JOIN ledger_accounts c ON c.id = t.credit_id WHERE d.provider <> c.provider""",
    ),
    (
        "ledger: the balances at a provider do not sum to zero",
        """SELECT provider || '/' || currency FROM ledger_accounts GROUP BY provider, currency
        HAVING SUM(balance_minor) <> 0""",
    ),
    (  # a provider may have paid more than it took only where somebody owes it, as after a refund of what was paid out
        "ledger: a provider's account is on the wrong side",
        """SELECT a.key FROM ledger_accounts a LEFT JOIN (SELECT provider, currency, SUM(balance_minor) AS debts
        FROM ledger_accounts WHERE purpose = 'available' AND balance_minor < 0 GROUP BY provider, currency) w
        ON w.provider = a.provider AND w.currency = a.currency
        WHERE a.purpose = 'provider' AND a.balance_minor + COALESCE(w.debts, 0) > 0""",
    ),
    (
        "ledger: below zero where nothing may be owed",
        "SELECT key FROM ledger_accounts WHERE balance_minor < 0 AND purpose NOT IN ('provider', 'available')",
    ),
    (
        "ledger: the last transfer of an account says another balance",
        """SELECT a.key FROM ledger_accounts a JOIN ledger_transfers t ON t.id = (
        SELECT MAX(id) FROM ledger_transfers WHERE debit_id = a.id OR credit_id = a.id)
        WHERE a.balance_minor <> CASE WHEN t.credit_id = a.id THEN t.credit_after ELSE t.debit_after END""",
    ),
    (
        "payments: the escrow is not what the state says",
        """SELECT p.id FROM payments p LEFT JOIN ledger_accounts a ON a.purpose = 'escrow'
        AND a.key = 'escrow/' || p.payer_id || '/payment:' || p.id || '/' || p.currency
        WHERE COALESCE(a.balance_minor, 0) <>
        CASE WHEN p.status = 'held' THEN p.captured_minor - p.refunded_minor ELSE 0 END
        OR (p.status = 'held' AND p.captured_minor = p.refunded_minor)""",
    ),
    (
        "payments: what was shared differs from what was captured and not given back",
        """SELECT id FROM payments WHERE paid_payee_minor + paid_fee_minor + paid_tax_minor <>
        CASE WHEN status IN ('released', 'refunded') THEN captured_minor - refunded_minor ELSE 0 END""",
    ),
    (
        "payments: what went back differs from its refunds",
        """SELECT p.id FROM payments p LEFT JOIN refunds r ON r.payment_id = p.id
        GROUP BY p.id, p.refunded_minor HAVING p.refunded_minor <> COALESCE(SUM(r.amount_minor), 0)""",
    ),
    (
        "payments: under way and not marked so, or over and still marked",
        """SELECT id FROM payments WHERE (active_reference IS NULL) <>
        (status IN ('released', 'refunded', 'cancelled', 'failed') OR intended_outcome = 'call_off')""",
    ),
    (
        "refunds: what is on its way back differs from the pending ones",
        """SELECT a.key FROM ledger_accounts a LEFT JOIN (
        SELECT p.payer_id, p.provider, r.currency, SUM(r.amount_minor) AS amount
        FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.status = 'pending'
        GROUP BY p.payer_id, p.provider, r.currency) w
        ON w.payer_id = a.owner_id AND w.provider = a.provider AND w.currency = a.currency
        WHERE a.purpose = 'refund' AND a.balance_minor <> COALESCE(w.amount, 0)""",
    ),
    (
        "payouts: what is on its way out differs from the open ones",
        """SELECT a.key FROM ledger_accounts a LEFT JOIN (
        SELECT user_id, provider, currency, SUM(amount_minor) AS amount FROM payouts
        WHERE status IN ('requested', 'on_hold', 'sent') GROUP BY user_id, provider, currency) w
        ON w.user_id = a.owner_id AND w.provider = a.provider AND w.currency = a.currency
        WHERE a.purpose = 'payout' AND a.balance_minor <> COALESCE(w.amount, 0)""",
    ),
    (
        "receipts: a gap or a repeat in a series",
        """SELECT s.name FROM receipt_series s LEFT JOIN receipts r ON r.series = s.name
        GROUP BY s.name, s.last HAVING COUNT(r.id) <> s.last OR COALESCE(MAX(r.number), 0) <> s.last
        UNION SELECT series FROM receipts WHERE series NOT IN (SELECT name FROM receipt_series)""",
    ),
    (
        "receipts: captured without a receipt, or the other way round",
        """SELECT p.id FROM payments p LEFT JOIN receipts r ON r.subject = 'payment:' || p.id
        WHERE (p.captured_at IS NULL) <> (r.id IS NULL)""",
    ),
)


def findings() -> list[str]:
    """Every violated invariant, a sentence each."""
    found = []
    for what, statement in _STATEMENTS:
        names = [str(row[0]) for row in fetch(statement)]
        if names:
            found.append(f"{what} ({len(names)}: {', '.join(names[:5])})")
    return found


_STATEMENTS = [(what, text(statement)) for what, statement in RULES]
