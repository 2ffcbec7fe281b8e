"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from marketplace.core.manifest import Invariant

INVARIANTS = (
    Invariant(
        "verifications: waiting without the mark, or marked and decided",
        "SELECT id FROM verifications WHERE (status = 'pending') <> (active_reference IS NOT NULL)",
    ),
)
