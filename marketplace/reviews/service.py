"""Write, change and take back a review; the reviewed person's sums move in the same transaction."""

from datetime import timedelta

from sqlalchemy import delete as delete_rows

from marketplace.auth import queries as auth_queries
from marketplace.auth.models import User
from marketplace.auth.service import count_rating
from marketplace.core.database.db import db, execute, save
from marketplace.core.ops import current_settings
from marketplace.core.queues.outbox import publish
from marketplace.deals import queries as deals_queries
from marketplace.deals.models import task_reference
from marketplace.events.reviews import ReviewChanged, ReviewDeleted, ReviewReplied, ReviewWritten
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid, NotAllowed
from marketplace.kit.json_types import JsonObject
from marketplace.reviews import deals, queries
from marketplace.reviews.deals import Reviewable
from marketplace.reviews.models import Review, ReviewedAlready
from marketplace.tasks import queries as tasks_queries

REPLY_DAYS = 14
SHORTEST_CONTENT = 0  # stars alone are a review


class NoDeal(NotAllowed):
    """403: the two have no completed deal."""

    code = "no_completed_deal"
    sentence = "You can review somebody only after a completed deal with them."


class WindowClosed(NotAllowed):
    """403: a review can be changed for REVIEW_WINDOW_DAYS."""

    code = "review_window_closed"
    sentence = "It is too late to change this review."


def write(
    reviewer: User,
    *,
    reviewed_user_id: int,
    rating: int,
    content: str = "",
    deal: str | None = None,
    task_id: int | None = None,
    order_id: int | None = None,
    listing_id: int | None = None,
) -> Review:
    """Rate the other side; without a deal named, of the latest one not reviewed yet.

    Raises Invalid (422) for oneself, NotFound (404), NoDeal (403), ReviewedAlready (409).
    """
    if reviewed_user_id == reviewer.id:
        raise Invalid.field("reviewed_user_id", "You cannot review yourself.")
    auth_queries.find(reviewer, reviewed_user_id)
    if task_id is not None:
        about = _of_task(reviewer, task_id)
    elif deal is not None:
        about = _to_review(reviewer, deals_queries.find(reviewer, deal).reference)
    elif order_id is not None or listing_id is not None:
        raise NoDeal()  # orders are not there yet, and a listing alone is no deal
    else:
        about = _latest_deal(reviewer, reviewed_user_id)
    if about.other_id != reviewed_user_id:
        raise NoDeal("This deal was not with that person.")
    return _save(reviewer, about, rating, content)


def write_about_task(reviewer: User, task_id: int, *, rating: int, content: str = "") -> Review:
    """Review the other side of a task; raises as `write`."""
    return _save(reviewer, _of_task(reviewer, task_id), rating, content)


def edit(user: User, review_id: int, *, rating: int | None = None, content: str | None = None) -> Review:
    """Change one's own review; raises NotFound, NotAllowed, WindowClosed (403)."""
    review = _own_and_open(user, review_id)
    if rating is not None:
        count_rating(review.reviewed_user_id, rating=rating - review.rating, reviews=0)
        review.rating = rating
    if content is not None:
        review.content = content
    review.touch()
    db.session.flush()
    publish(ReviewChanged(review_id=review.id, reviewed_user_id=review.reviewed_user_id, rating=review.rating))
    return review


def delete(user: User, review_id: int) -> None:
    """Delete one's own review; raises as `edit`."""
    review = _own_and_open(user, review_id)
    if execute(delete_rows(Review).where(Review.id == review.id)):
        count_rating(review.reviewed_user_id, rating=-review.rating, reviews=-1)
    publish(ReviewDeleted(review_id=review_id, reviewed_user_id=review.reviewed_user_id))


def reply(user: User, review_id: int, *, content: str) -> Review:
    """Say something to a review about oneself, once; for REPLY_DAYS it can be changed. Raises NotFound, NotAllowed,
    WindowClosed (403)."""
    review = queries.find_locked(review_id)
    if review.reviewed_user_id != user.id:
        raise NotAllowed("Only whom this review is about can reply to it.")
    if review.replied_at is not None and review.replied_at < now() - timedelta(days=REPLY_DAYS):
        raise WindowClosed(f"It is too late to change this reply: that is possible for {REPLY_DAYS} days.")
    if review.replied_at is None:
        review.replied_at = now()
        publish(ReviewReplied(review_id=review.id, reviewer_id=review.reviewer_id, by_id=user.id))
    review.reply = content
    db.session.flush()
    return review


def can_review_task(user: User, task_id: int) -> JsonObject:
    """Whether one can review it, whom, and as what; or why not."""
    beside: JsonObject = {"task": tasks_queries.shown(user, task_id), "min_content_length": SHORTEST_CONTENT}
    return {**_can_review(user, task_reference(task_id)), **beside}


def _can_review(user: User, reference: str) -> JsonObject:
    deal = deals.completed(user, reference)
    if deal is None:
        return {"can_review": False, "reason": "Only the two sides of a completed task can review each other."}
    found = queries.mine_about(user, deal.deal_id)
    if found is not None:
        return {
            "can_review": False,
            "reason": ReviewedAlready.sentence,
            "review_type": deal.review_type,
            "existing_review": queries.detail(found),
        }
    reviewee = auth_queries.public_view(auth_queries.find(user, deal.other_id))
    return {"can_review": True, "review_type": deal.review_type, "reviewee": reviewee}


def can_review_user(user: User, other_id: int) -> JsonObject:
    """Completed deals with a person that one has not reviewed."""
    open_deals = deals.unreviewed(user, other_id)
    rows = [
        {
            "deal": deal.reference,
            "type": deal.reference.partition(":")[0],
            "id": int(deal.reference.partition(":")[2]),
            "title": deal.title,
            "completed_at": deal.completed_at,
            "your_role": deal.my_role,
            "review_type": deal.review_type,
        }
        for deal in open_deals
    ]
    reason = None if rows else NoDeal.sentence
    return {"can_review": bool(rows), "reason": reason, "reviewable_transactions": rows}


def _of_task(user: User, task_id: int) -> Reviewable:
    tasks_queries.find(user, task_id)
    return _to_review(user, task_reference(task_id))


def _to_review(user: User, reference: str) -> Reviewable:
    deal = deals.completed(user, reference)
    if deal is None:
        raise NoDeal()
    if queries.mine_about(user, deal.deal_id) is not None:
        raise ReviewedAlready()
    return deal


def _latest_deal(user: User, other_id: int) -> Reviewable:
    found = deals.unreviewed(user, other_id)
    if not found:
        raise NoDeal()
    return found[0]


def _save(reviewer: User, deal: Reviewable, rating: int, content: str) -> Review:
    review = save(
        Review(
            reviewer_id=reviewer.id,
            reviewed_user_id=deal.other_id,
            reviewed_as=deal.other_was,
            deal_id=deal.deal_id,
            rating=rating,
            content=content,
        )
    )
    count_rating(deal.other_id, rating=rating, reviews=1)
    publish(ReviewWritten(review_id=review.id, reviewer_id=reviewer.id, reviewed_user_id=deal.other_id, rating=rating))
    return review


def _own_and_open(user: User, review_id: int) -> Review:
    """One's own review, locked: two edits at once must not both count the same difference. Raises NotAllowed,
    WindowClosed (403)."""
    review = queries.find_locked(review_id)
    if review.reviewer_id != user.id:
        raise NotAllowed("Only its writer can change this review.")
    days = current_settings.whole("REVIEW_WINDOW_DAYS")
    if review.created_at < now() - timedelta(days=days):
        raise WindowClosed(f"It is too late to change this review: that is possible for {days} days.")
    return review
