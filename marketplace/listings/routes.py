"""/api/listings."""

from typing import Any

from marketplace.core.http.access import ANYONE, SIGNED_IN, current_user, viewer
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.fields import Int
from marketplace.core.http.schemas import MessageSchema, created, page_of, written
from marketplace.kit.json_types import JsonObject
from marketplace.listings import queries, service
from marketplace.listings.schemas import (
    ListingChangesSchema,
    ListingDetailSchema,
    ListingInputSchema,
    ListingSchema,
    ListingsQuery,
    MyListingsQuery,
    RenewalSchema,
)

bp = Blueprint("listings", __name__, url_prefix="/api/listings", area="listings", description="Classifieds")
ListingsPage = page_of(ListingSchema, "listings")
ListingWritten = written(ListingDetailSchema, "listing")
MyListingsPage = page_of(ListingSchema, "listings", "MyListingsPage", current_page=Int(example=1))


def _answer(listing_id: int, message: str) -> JsonObject:
    return written_answer("listing", queries.detail(current_user(), listing_id), message)


@bp.get("", access=ANYONE, shared="listings")
@bp.arguments(queries.BROWSE.arguments(ListingsQuery), location="query")
@bp.response(200, ListingsPage)
def browse_listings(query: dict[str, Any]) -> Answer:
    """Browse classifieds, nearest first when asked by position."""
    return queries.browse(viewer(), **query)


@bp.get("/my", access=SIGNED_IN)
@bp.arguments(queries.BROWSE.arguments(MyListingsQuery), location="query")
@bp.response(200, MyListingsPage)
def list_my_listings(query: dict[str, Any]) -> Answer:
    """List my classifieds in every state."""
    return queries.mine(current_user(), **query)


@bp.get("/user/<int:user_id>", access=ANYONE)
@bp.arguments(queries.BROWSE.arguments(ListingsQuery), location="query")
@bp.response(200, ListingsPage)
def list_user_listings(query: dict[str, Any], user_id: int) -> Answer:
    """List a person's classifieds."""
    return queries.browse(viewer(), **{**query, "seller_id": user_id})


@bp.post("", access=SIGNED_IN)
@bp.arguments(ListingInputSchema)
@bp.response(201, created(ListingDetailSchema, "listing"))
def post_listing(data: dict[str, Any]) -> Answer:
    """Put up a classified."""
    listing = service.post(current_user(), **data)
    body = queries.detail(current_user(), listing.id)
    return Created("listing", body, "/api/listings", "Your listing is up.")


@bp.get("/<int:listing_id>", access=ANYONE)
@bp.response(200, ListingDetailSchema)
def show_listing(listing_id: int) -> Answer:
    """Show a classified with its seller; counts a view, never the owner's own."""
    return service.count_view(viewer(), queries.detail(viewer(), listing_id))


@bp.put("/<int:listing_id>", access=SIGNED_IN)
@bp.arguments(ListingChangesSchema)
@bp.response(200, ListingWritten)
def edit_listing(data: dict[str, Any], listing_id: int) -> Answer:
    """Change my classified, or its status."""
    service.edit(current_user(), listing_id, **data)
    return _answer(listing_id, "Your listing is saved.")


@bp.post("/<int:listing_id>/hold", access=SIGNED_IN)
@bp.response(200, ListingWritten)
def hold_listing(listing_id: int) -> Answer:
    """Keep my classified for somebody: pending."""
    service.hold(current_user(), listing_id)
    return _answer(listing_id, "Your listing is pending.")


@bp.post("/<int:listing_id>/sell", access=SIGNED_IN)
@bp.response(200, ListingWritten)
def sell_listing(listing_id: int) -> Answer:
    """Say that it is sold."""
    service.sell(current_user(), listing_id)
    return _answer(listing_id, "Your listing is sold.")


@bp.post("/<int:listing_id>/archive", access=SIGNED_IN)
@bp.response(200, ListingWritten)
def archive_listing(listing_id: int) -> Answer:
    """Take my classified off the list, to put it back later."""
    service.archive(current_user(), listing_id)
    return _answer(listing_id, "Your listing is archived.")


@bp.post("/<int:listing_id>/activate", access=SIGNED_IN)
@bp.response(200, ListingWritten)
def activate_listing(listing_id: int) -> Answer:
    """Put my classified on the list again."""
    service.activate(current_user(), listing_id)
    return _answer(listing_id, "Your listing is active.")


@bp.post("/<int:listing_id>/renew", access=SIGNED_IN)
@bp.arguments(RenewalSchema)
@bp.response(200, ListingWritten)
def renew_listing(data: dict[str, Any], listing_id: int) -> Answer:
    """Put my classified on the list again, or longer."""
    service.renew(current_user(), listing_id, **data)
    return _answer(listing_id, "Your listing is renewed.")


@bp.delete("/<int:listing_id>", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def delete_listing(listing_id: int) -> Answer:
    """Take my classified down for good."""
    service.delete(current_user(), listing_id)
    return {"message": "Your listing is deleted."}
