"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from marketplace.core.manifest import Invariant

INVARIANTS = (
    Invariant(
        "provider calls: asked for two days and not through",
        "SELECT id FROM provider_calls WHERE done_at IS NULL AND first_at < :days_ago",
    ),
)
