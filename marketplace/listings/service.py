"""Post, edit, delete a classified; count who looked at it."""

from typing import Any

from marketplace.auth.models import User
from marketplace.catalog import service as catalog
from marketplace.core import counters
from marketplace.core.db import db, save
from marketplace.core.outbox import publish
from marketplace.core.prices import edited, minor_units
from marketplace.events.listings import ListingChanged, ListingDeleted, ListingPosted
from marketplace.kit.money import Money
from marketplace.listings import policy
from marketplace.listings.models import Listing, search_text
from marketplace.listings.queries import find


def post(seller: User, *, price: Any, category: str, **fields: Any) -> Listing:
    """Put up a classified; raises Invalid (422) for a price its currency cannot hold."""
    currency = fields.pop("currency", seller.currency)
    key, subcategory = catalog.resolve(category, fields.pop("subcategory", None))
    listing = save(
        Listing(
            seller_id=seller.id,
            category=key,
            subcategory=subcategory,
            currency=currency,
            price_minor=minor_units("price", price, currency),
            search_text=search_text(fields),
            **fields,
        )
    )
    publish(ListingPosted(listing_id=listing.id, seller_id=seller.id))
    return listing


def edit(user: User, listing_id: int, *, status: str | None = None, **changes: Any) -> Listing:
    """Change what was sent; a status moves along the table. Raises 403, 404, 409, 422."""
    listing = find(user, listing_id)
    roles = policy.role_of(user, listing)
    if changes or status is None:
        listing.advance("edit", actor=roles)
        _apply(listing, changes)
    if status is not None:
        listing.advance_to(status, actor=roles, actor_id=user.id)
    db.session.flush()
    publish(ListingChanged(listing_id=listing.id, status=listing.status))
    return listing


def delete(user: User, listing_id: int) -> None:
    """Take it down for good."""
    listing = find(user, listing_id)
    listing.advance("delete", actor=policy.role_of(user, listing), actor_id=user.id)
    db.session.flush()
    publish(ListingDeleted(listing_id=listing.id))


def count_view(viewer: User | None, listing: dict[str, Any]) -> dict[str, Any]:
    """One more look, never the owner's own; the answer shows it at once."""
    if viewer is None or viewer.id != listing["seller_id"]:
        counters.count("listings", "views_count", listing["id"])
        listing["views_count"] += 1
    return listing


def _apply(listing: Listing, changes: dict[str, Any]) -> None:
    currency, kept = changes.get("currency", listing.currency), Money(listing.price_minor, listing.currency)
    listing.price_minor = edited("price", changes.pop("price", None), kept, currency) or 0
    if "category" in changes:
        changes["category"], changes["subcategory"] = catalog.resolve(changes["category"], changes.get("subcategory"))
    for name, value in changes.items():
        setattr(listing, name, value)
    listing.search_text = search_text(
        {"title": listing.title, "description": listing.description, "tags": listing.tags}
    )
