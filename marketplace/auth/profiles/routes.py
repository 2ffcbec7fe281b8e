"""/api/auth/profile and /api/auth/users: people as they and others see them."""

from typing import Any

from marketplace.auth import queries, service
from marketplace.auth.schemas import FirstVisitSchema, ProfileChangesSchema, PublicUserSchema, UserSchema
from marketplace.core.http.access import ANYONE, SIGNED_IN, current_user, viewer
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.schemas import written

bp = Blueprint("profile", __name__, url_prefix="/api/auth", area="profile", description="Profiles")
people_bp = Blueprint("people", __name__, url_prefix="/api/auth", area="people", description="People")


@bp.get("/profile", access=SIGNED_IN)
@bp.response(200, UserSchema)
def show_profile() -> Answer:
    """Show my profile."""
    return queries.private_view(current_user())


@bp.put("/profile", access=SIGNED_IN)
@bp.arguments(ProfileChangesSchema)
@bp.response(200, written(UserSchema, "user"))
def edit_profile(data: dict[str, Any]) -> Answer:
    """Change what is sent of my profile."""
    user = service.edit_profile(current_user(), **data)
    return written_answer("user", queries.private_view(user), "Your profile is saved.")


@bp.post("/complete-registration", access=SIGNED_IN)
@bp.arguments(FirstVisitSchema)
@bp.response(200, written(UserSchema, "user"))
def complete_registration(data: dict[str, Any]) -> Answer:
    """Finish my first visit: what is sent is stored, and a username can be chosen once more."""
    user = service.complete_registration(current_user(), **data)
    return written_answer("user", queries.private_view(user), "Welcome. Your profile is ready.")


@people_bp.get("/users/<int:user_id>", access=ANYONE)
@people_bp.response(200, PublicUserSchema)
def show_user(user_id: int) -> Answer:
    """Show a person as others see them."""
    return queries.public_view(queries.find(viewer(), user_id))
