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
        FROM ledger_accounts WHERE purpose IN ('available', 'promotions', 'disputed', 'losses') AND balance_minor < 0
        GROUP BY provider, currency) w
        ON w.provider = a.provider AND w.currency = a.currency
        WHERE a.purpose = 'provider' AND a.balance_minor + COALESCE(w.debts, 0) > 0""",
    ),
    (
        "ledger: below zero where nothing may be owed",
        """SELECT key FROM ledger_accounts WHERE balance_minor < 0
        AND purpose NOT IN ('provider', 'available', 'promotions', 'disputed', 'losses')""",
    ),
    (
        "ledger: the last transfer of an account says another balance",
        """SELECT a.key FROM ledger_accounts a JOIN ledger_transfers t ON t.id = (
        SELECT MAX(id) FROM ledger_transfers WHERE debit_id = a.id OR credit_id = a.id)
        WHERE a.balance_minor <> CASE WHEN t.credit_id = a.id THEN t.credit_after ELSE t.debit_after END""",
    ),
    (
        "payment shares: the escrow is not what the share says",
        """SELECT s.id FROM payment_shares s JOIN payments p ON p.id = s.payment_id
        LEFT JOIN ledger_accounts a ON a.key = 'escrow/' || p.payer_id || '/share:' || s.id || '/' || p.currency
        WHERE COALESCE(a.balance_minor, 0) <> s.payee_left_minor + s.fee_left_minor + s.tax_left_minor
        OR (s.status = 'held') <> (s.payee_left_minor + s.fee_left_minor + s.tax_left_minor > 0)""",
    ),
    (
        "payment shares: held and paid differ from what came and did not go back",
        """SELECT id FROM payment_shares WHERE payee_left_minor + fee_left_minor + tax_left_minor
        + paid_payee_minor + paid_fee_minor + paid_tax_minor <> captured_minor - refunded_minor - lost_minor
        + CASE WHEN status IN ('held', 'released', 'refunded') THEN subsidy_minor - unsubsidized_minor ELSE 0 END""",
    ),
    (
        "payments: differ from the sum of their shares",
        """SELECT p.id FROM payments p LEFT JOIN payment_shares s ON s.payment_id = p.id
        GROUP BY p.id, p.amount_minor, p.captured_minor, p.refunded_minor, p.lost_minor
        HAVING p.amount_minor <> COALESCE(SUM(s.amount_minor), 0) OR p.captured_minor <> SUM(s.captured_minor)
        OR p.refunded_minor <> SUM(s.refunded_minor) OR p.lost_minor <> SUM(s.lost_minor)""",
    ),
    (
        "payments: the state is not that of their shares",
        """SELECT p.id FROM payments p JOIN payment_shares s ON s.payment_id = p.id
        GROUP BY p.id, p.status HAVING p.status <> CASE
        WHEN SUM(CASE WHEN s.status = 'held' THEN 1 ELSE 0 END) > 0 THEN 'held'
        WHEN SUM(CASE WHEN s.status = 'released' THEN 1 ELSE 0 END) > 0 THEN 'released'
        WHEN SUM(CASE WHEN s.status = 'refunded' THEN 1 ELSE 0 END) > 0 THEN 'refunded'
        WHEN SUM(CASE WHEN s.status = 'cancelled' THEN 1 ELSE 0 END) = COUNT(*)
        THEN CASE WHEN p.status = 'failed' THEN 'failed' ELSE 'cancelled' END
        WHEN p.status IN ('held', 'released', 'refunded', 'cancelled', 'failed') THEN '' ELSE p.status END""",
    ),
    (
        "payment shares: what went back differs from the refunds",
        """SELECT s.id FROM payment_shares s LEFT JOIN refunds r ON r.share_id = s.id
        GROUP BY s.id, s.refunded_minor HAVING s.refunded_minor <> COALESCE(SUM(r.amount_minor), 0)
        UNION SELECT s.id FROM payment_shares s JOIN refunds r ON r.share_id = s.id
        WHERE r.payment_id <> s.payment_id""",
    ),
    (
        "payment shares: under way and not marked so, or over and still marked",
        """SELECT id FROM payment_shares WHERE (active_reference IS NULL) <>
        (status IN ('released', 'refunded', 'cancelled') OR intended_outcome = 'call_off')""",
    ),
    (
        "refunds: what is on its way back differs from the pending ones",
        """SELECT a.key FROM ledger_accounts a LEFT JOIN (
        SELECT payer_id, provider, currency, SUM(amount_minor) AS amount FROM (
        SELECT p.payer_id, p.provider, r.currency, r.amount_minor
        FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.status = 'pending'
        UNION ALL SELECT payer_id, provider, currency, amount_minor
        FROM subscription_refunds WHERE status = 'pending') r GROUP BY payer_id, provider, currency) w
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
        "chargebacks: what banks dispute differs from the open ones",
        """SELECT a.key FROM ledger_accounts a LEFT JOIN (
        SELECT provider, currency, SUM(withdrawn_minor) AS amount FROM chargebacks
        WHERE status = 'open' GROUP BY provider, currency) w ON w.provider = a.provider AND w.currency = a.currency
        WHERE a.purpose = 'disputed' AND a.balance_minor + COALESCE(w.amount, 0) <> 0""",
    ),
    (
        "chargebacks: a payment is frozen and none is open, or the other way round",
        """SELECT p.id FROM payments p LEFT JOIN chargebacks c ON c.payment_id = p.id AND c.status = 'open'
        GROUP BY p.id, p.is_frozen HAVING p.is_frozen <> (COUNT(c.id) > 0)""",
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
