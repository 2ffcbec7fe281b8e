"""Periodic jobs of reviews."""

from datetime import timedelta

from marketplace.core.database.db import in_transaction
from marketplace.core.queues.jobs import Run, job
from marketplace.core.queues.outbox import publish
from marketplace.events.reviews import ReviewDue
from marketplace.kit.clock import now
from marketplace.reviews import deals

FROM, UNTIL = timedelta(days=10), timedelta(days=3)


@job("remind_of_reviews", timeout=300, every=timedelta(days=1))
def remind_of_reviews(run: Run) -> None:
    """Publish ReviewDue for deals completed some days ago that a side has not reviewed; may repeat itself, listeners
    tell once."""
    moment = now()
    for due in deals.unrated(moment - FROM, moment - UNTIL):
        fact = ReviewDue(reference=due.reference, user_id=due.user_id, other_id=due.other_id)
        in_transaction(lambda fact=fact: publish(fact))  # type: ignore[misc]
