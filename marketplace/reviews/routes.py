"""/api/reviews, and the two pages under /api/auth that show them."""

from typing import Any

from marketplace.auth import queries as auth_queries
from marketplace.core.http.access import ANYONE, SIGNED_IN, current_user, viewer
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.schemas import MessageSchema, created, page_of, written
from marketplace.listings import queries as listings_queries
from marketplace.offerings import queries as offerings_queries
from marketplace.reviews import queries, service
from marketplace.reviews.schemas import (
    CanReviewSchema,
    CanReviewUserSchema,
    FullProfileSchema,
    ReviewChangesSchema,
    ReviewInputSchema,
    ReviewReplyInputSchema,
    ReviewSchema,
    ReviewsOfQuery,
    ReviewsQuery,
    ReviewStatsSchema,
    TaskReviewInputSchema,
)
from marketplace.tasks import queries as tasks_queries
from marketplace.tasks.applications import queries as applications_queries

bp = Blueprint(
    "reviews", __name__, url_prefix="/api/reviews", area="reviews", description="Reviews after completed deals"
)
profile_bp = Blueprint(
    "reviewed",
    __name__,
    follows="verification",
    url_prefix="/api/auth",
    area="people",
    description="People with their reviews",
)
ReviewsPage = page_of(ReviewSchema, "reviews")
ReviewCreated = created(ReviewSchema, "review")
NEWEST = {"page": 1, "per_page": 100}


def _created(review_id: int) -> Created:
    return Created("review", queries.detail(review_id), "/api/reviews", "Your review is published.")


@bp.get("", access=ANYONE)
@bp.arguments(queries.REVIEWS_LIST.arguments(ReviewsQuery), location="query")
@bp.response(200, ReviewsPage)
def browse_reviews(query: dict[str, Any]) -> Answer:
    """Browse reviews, newest first."""
    return queries.browse(**query)


@bp.post("", access=SIGNED_IN)
@bp.arguments(ReviewInputSchema)
@bp.response(201, ReviewCreated)
def write_review(data: dict[str, Any]) -> Answer:
    """Review the other side of a completed deal."""
    return _created(service.write(current_user(), **data).id)


@bp.get("/<int:review_id>", access=ANYONE)
@bp.response(200, ReviewSchema)
def show_review(review_id: int) -> Answer:
    """Show a review."""
    return queries.detail(review_id)


@bp.put("/<int:review_id>", access=SIGNED_IN)
@bp.arguments(ReviewChangesSchema)
@bp.response(200, written(ReviewSchema, "review"))
def edit_review(data: dict[str, Any], review_id: int) -> Answer:
    """Change my review within its window."""
    service.edit(current_user(), review_id, **data)
    return written_answer("review", queries.detail(review_id), "Your review is saved.")


@bp.put("/<int:review_id>/reply", access=SIGNED_IN)
@bp.arguments(ReviewReplyInputSchema)
@bp.response(200, written(ReviewSchema, "review"))
def reply_to_review(data: dict[str, Any], review_id: int) -> Answer:
    """Reply to a review about me; for fourteen days I can change what I said."""
    service.reply(current_user(), review_id, **data)
    return written_answer("review", queries.detail(review_id), "Your reply is published.")


@bp.delete("/<int:review_id>", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def delete_review(review_id: int) -> Answer:
    """Take my review back within its window."""
    service.delete(current_user(), review_id)
    return {"message": "Your review is deleted."}


@bp.get("/task/<int:task_id>", access=ANYONE)
@bp.arguments(queries.REVIEWS_LIST.arguments(ReviewsOfQuery), location="query")
@bp.response(200, ReviewsPage)
def list_task_reviews(query: dict[str, Any], task_id: int) -> Answer:
    """List the reviews of a task."""
    tasks_queries.find(viewer(), task_id)
    return queries.browse(**query, task_id=task_id)


@bp.post("/task/<int:task_id>", access=SIGNED_IN)
@bp.arguments(TaskReviewInputSchema)
@bp.response(201, ReviewCreated)
def review_task(data: dict[str, Any], task_id: int) -> Answer:
    """Review the other side of a task."""
    return _created(service.write_about_task(current_user(), task_id, **data).id)


@bp.get("/task/<int:task_id>/can-review", access=SIGNED_IN)
@bp.response(200, CanReviewSchema)
def can_review_task(task_id: int) -> Answer:
    """Say whether I can review the other side of a task."""
    return service.can_review_task(current_user(), task_id)


@bp.get("/can-review-user/<int:user_id>", access=SIGNED_IN)
@bp.response(200, CanReviewUserSchema)
def can_review_user(user_id: int) -> Answer:
    """List the completed deals with a person that wait for my review."""
    return service.can_review_user(current_user(), user_id)


@bp.get("/user/<int:user_id>/stats", access=ANYONE)
@bp.response(200, ReviewStatsSchema)
def show_review_stats(user_id: int) -> Answer:
    """Show a person's reviews in figures."""
    auth_queries.find(viewer(), user_id)
    return queries.stats(user_id)


@profile_bp.get("/users/<int:user_id>/reviews", access=ANYONE)
@profile_bp.arguments(queries.REVIEWS_LIST.arguments(ReviewsOfQuery), location="query")
@profile_bp.response(200, ReviewsPage)
def list_user_reviews(query: dict[str, Any], user_id: int) -> Answer:
    """List what others say of a person."""
    auth_queries.find(viewer(), user_id)
    return queries.browse(**query, reviewed_user_id=user_id)


@profile_bp.get("/profile/full", access=SIGNED_IN)
@profile_bp.response(200, FullProfileSchema)
def show_full_profile() -> Answer:
    """Show everything my profile page needs."""
    user = current_user()
    return {
        "profile": auth_queries.private_view(user),
        "reviews": queries.browse(reviewed_user_id=user.id, page=1, per_page=100).items,
        "listings": listings_queries.mine(user, **NEWEST).items,
        "offerings": offerings_queries.mine(user, **NEWEST).items,
        "created_tasks": tasks_queries.created_by(user, **NEWEST).items,
        "applications": applications_queries.by(user, **NEWEST).items,
    }
