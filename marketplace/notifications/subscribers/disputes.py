"""Who is told what about disputes; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.events.disputes import (
    DisputeAnswered,
    DisputeAppealed,
    DisputeDecided,
    DisputeOpened,
    DisputeResolved,
    OfferDeclined,
    OfferMade,
)
from marketplace.notifications import notification_builder


@subscribe(DisputeOpened)
def confirm_dispute(event: DisputeOpened) -> None:
    """Whoever opened it; the other side hears of it by `task_disputed`."""
    to, by = event.by_id, event.other_id
    notification_builder.of_dispute(
        to, "dispute_opened", str(event.dispute_id), event.dispute_id, event.reference, by_id=by
    )


@subscribe(DisputeAnswered)
def tell_of_answer(event: DisputeAnswered) -> None:
    """The other side has spoken."""
    to, by = event.other_id, event.by_id
    notification_builder.of_dispute(
        to, "dispute_answered", str(event.statement_id), event.dispute_id, event.reference, by_id=by
    )


@subscribe(OfferMade)
def tell_of_offer(event: OfferMade) -> None:
    """It takes one word to settle."""
    to, by = event.other_id, event.by_id
    notification_builder.of_dispute(
        to, "dispute_offer", str(event.offer_id), event.dispute_id, event.reference, by_id=by
    )


@subscribe(OfferDeclined)
def tell_of_declined_offer(event: OfferDeclined) -> None:
    """Another may be accepted."""
    to, by = event.other_id, event.by_id
    notification_builder.of_dispute(
        to, "dispute_offer_declined", str(event.offer_id), event.dispute_id, event.reference, by_id=by
    )


@subscribe(DisputeDecided)
def tell_of_decision(event: DisputeDecided) -> None:
    """Both sides, while they can appeal."""
    for to in (event.opened_by_id, event.against_id):
        notification_builder.of_dispute(to, "dispute_decided", str(event.dispute_id), event.dispute_id, event.reference)


@subscribe(DisputeAppealed)
def tell_of_appeal(event: DisputeAppealed) -> None:
    """It is decided once more."""
    to, by = event.other_id, event.by_id
    notification_builder.of_dispute(
        to, "dispute_appealed", str(event.dispute_id), event.dispute_id, event.reference, by_id=by
    )


@subscribe(DisputeResolved)
def tell_of_end(event: DisputeResolved) -> None:
    """Both sides; where it was withdrawn, the other one."""
    about = (str(event.dispute_id), event.dispute_id, event.reference)
    if event.outcome == "withdrawn":
        notification_builder.of_dispute(event.against_id, "dispute_withdrawn", *about, by_id=event.opened_by_id)
        return
    for to in (event.opened_by_id, event.against_id):
        notification_builder.of_dispute(to, "dispute_resolved", *about)
