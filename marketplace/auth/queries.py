"""A person as others and as the person sees them."""

from typing import Any

from marketplace.auth.models import User
from marketplace.auth.policy import visible_to
from marketplace.core.db import one
from marketplace.kit.money import to_major
from marketplace.kit.text import join_list

PRIOR_REVIEWS, PRIOR_MEAN = 5, 3.5


def find(viewer: User | None, user_id: int) -> User:
    """One visible person; raises NotFound."""
    return one(visible_to(viewer).where(User.id == user_id), "person")


def public_view(user: Any) -> dict[str, Any]:
    """No e-mail, no phone, no exact position (2 decimals are about a kilometre)."""
    return {
        "id": user.id,
        "username": user.username,
        **_profile(user),
        "skills": user.skills,
        "helper_categories": user.helper_categories,
        "latitude": user.area_latitude,
        "longitude": user.area_longitude,
        **_standing(user),
        "created_at": user.created_at,
    }


def private_view(user: User) -> dict[str, Any]:
    """What the person sees of themselves."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "phone": user.phone,
        **_profile(user),
        "is_active": user.is_active,
        "phone_verified": user.phone_verified,
        "skills": join_list(user.skills),
        "helper_categories": join_list(user.helper_categories),
        "latitude": user.latitude,
        "longitude": user.longitude,
        **_standing(user),
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def display_name(username: str, first_name: str, last_name: str) -> str:
    """The full name where there is one, else the username."""
    return f"{first_name} {last_name}".strip() or username


def hourly_rate(user: Any) -> float | None:
    """Major units of the person's currency."""
    return None if user.hourly_rate_minor is None else to_major(user.hourly_rate_minor, user.currency)


def completion_rate(user: Any) -> float:
    """Per cent of taken-up tasks that were completed rather than given back."""
    ended = user.completed_tasks + user.declined_tasks
    return round(100 * user.completed_tasks / ended, 1) if ended else 0.0


def reputation_score(user: Any) -> float:
    """Bayesian mean of the ratings: five imaginary reviews of 3.5 keep one vote from ruling."""
    if not user.reviews_count:
        return 0.0
    weighed: float = PRIOR_REVIEWS * PRIOR_MEAN + user.rating_sum
    return float(round(weighed / (PRIOR_REVIEWS + user.reviews_count), 2))


def _profile(user: Any) -> dict[str, Any]:
    return {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "avatar_url": user.avatar_url,
        "profile_picture_url": user.profile_picture_url,
        "bio": user.bio,
        "city": user.city,
        "country": user.country,
        "is_verified": user.is_verified,
        "user_type": user.role,
        "is_helper": user.is_helper,
        "hourly_rate": hourly_rate(user),
        "hourly_rate_minor": user.hourly_rate_minor,
        "currency": user.currency,
    }


def _standing(user: Any) -> dict[str, Any]:
    return {
        "reputation_score": reputation_score(user),
        "completion_rate": completion_rate(user),
        "completed_tasks": user.completed_tasks,
        "average_rating": round(user.average_rating, 2),
        "reviews_count": user.reviews_count,
    }
