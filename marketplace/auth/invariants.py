"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from marketplace.core.manifest import Invariant

LEFT_BEHIND = (
    "users: erased long ago, and something is left on offer or in the storage"  # in each slice that puts something up
)

INVARIANTS = (
    Invariant(
        "users: closed, and still signed in somewhere",
        "SELECT u.id FROM users u JOIN sign_ins s ON s.user_id = u.id WHERE NOT u.is_active AND s.ended_at IS NULL",
    ),
    Invariant(
        "users: erased, and still somebody",
        """SELECT id FROM users WHERE erased_at IS NOT NULL AND erased_at < :long_ago AND
        (is_active OR is_verified OR phone_key IS NOT NULL OR first_name || last_name || bio <> '' OR
        email <> 'erased-' || id || '@erased.invalid')""",
    ),
    Invariant(
        "users: the average differs from the sums",
        """SELECT id FROM users WHERE ABS(average_rating * reviews_count - rating_sum) > 0.001""",
    ),
)
