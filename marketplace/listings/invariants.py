"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from marketplace.auth.invariants import LEFT_BEHIND
from marketplace.core.manifest import Invariant

INVARIANTS = (
    Invariant(
        LEFT_BEHIND,
        """SELECT u.id FROM users u WHERE u.erased_at < :long_ago AND EXISTS (
        SELECT 1 FROM listings l WHERE l.seller_id = u.id AND l.status <> 'deleted')""",
    ),
)
