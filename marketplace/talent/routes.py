"""/api/helpers."""

from typing import Any

from marketplace.core.http.access import ANYONE
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.schemas import page_of, widened
from marketplace.talent import queries
from marketplace.talent.schemas import HelperSchema, HelpersQuery

bp = Blueprint("helpers", __name__, url_prefix="/api/helpers", area="people", description="People who help")


@bp.get("", access=ANYONE, shared="people")
@bp.arguments(queries.HELPERS.arguments(HelpersQuery), location="query")
@bp.response(200, page_of(HelperSchema, "helpers", **widened()))
def browse_helpers(query: dict[str, Any]) -> Answer:
    """Browse people who help, nearest first when asked by position."""
    return queries.browse(**query)
