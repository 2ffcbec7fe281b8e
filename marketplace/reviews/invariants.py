"""What must hold in these tables and between them and those below, whatever happened: rules of `flask audit`."""

from marketplace.core.manifest import Invariant

INVARIANTS = (
    Invariant(
        "users: the rating sums differ from the reviews",
        """SELECT u.id FROM users u LEFT JOIN reviews r ON r.reviewed_user_id = u.id
        GROUP BY u.id, u.rating_sum, u.reviews_count
        HAVING u.rating_sum <> COALESCE(SUM(r.rating), 0) OR u.reviews_count <> COUNT(r.id)""",
    ),
    Invariant(
        "reviews: not of a completed deal between the two",
        """SELECT r.id FROM reviews r JOIN deals d ON d.id = r.deal_id WHERE d.stage <> 'completed' OR NOT (
        (r.reviewer_id = d.client_id AND r.reviewed_user_id = d.provider_id AND r.reviewed_as = 'worker') OR
        (r.reviewer_id = d.provider_id AND r.reviewed_user_id = d.client_id AND r.reviewed_as = 'client'))""",
    ),
)
