"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from marketplace.core.manifest import Invariant

INVARIANTS = (
    Invariant(
        "notifications: two of one person tell the same fact",
        "SELECT MIN(id) FROM notifications GROUP BY user_id, key HAVING COUNT(*) > 1",
    ),
    Invariant(
        "deliveries: sent and given up at once",
        "SELECT id FROM deliveries WHERE done_at IS NOT NULL AND dead_at IS NOT NULL",
    ),
)
