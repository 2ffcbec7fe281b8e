"""/api/search: one search over everything."""

from typing import Any

from marketplace.core.http.access import ANYONE, viewer
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.fields import Choice, Str
from marketplace.core.http.schemas import page_of
from marketplace.search import facets, service
from marketplace.search.schemas import (
    FacetsQuery,
    FacetsSchema,
    ResultSchema,
    SearchQuery,
    SuggestionsSchema,
    SuggestQuery,
)

bp = Blueprint(
    "search", __name__, url_prefix="/api/search", area="search", access=ANYONE, description="One search over everything"
)


@bp.get("")
@bp.arguments(SearchQuery, location="query")
@bp.response(
    200,
    page_of(
        ResultSchema,
        "results",
        corrected=Str(required=True, allow_none=True, example=None),
        matched=Choice("all", "some", required=True),
    ),
)
def search_everything(query: dict[str, Any]) -> Answer:
    """Search listings, tasks, offerings and people who help, the best finds first; slips of the pen are forgiven."""
    return service.search(viewer(), **query)


@bp.get("/filters")
@bp.arguments(FacetsQuery, location="query")
@bp.response(200, FacetsSchema)
def show_search_filters(query: dict[str, Any]) -> Answer:
    """Say how what is on offer (or what a query finds of it) divides: categories, amounts, further filters."""
    return facets.of(query.pop("type"), **query)


@bp.get("/suggest")
@bp.arguments(SuggestQuery, location="query")
@bp.response(200, SuggestionsSchema)
def suggest_words(query: dict[str, Any]) -> Answer:
    """Suggest how what is being typed could go on."""
    return {"suggestions": service.suggest(query["q"])}
