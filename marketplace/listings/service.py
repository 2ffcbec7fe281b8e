"""Post, edit, move and delete listings; count their views."""

from datetime import datetime, timedelta
from typing import Any, TypedDict

from sqlalchemy import update

from marketplace.auth.models import User
from marketplace.catalog import service as catalog_service
from marketplace.core.database import counters
from marketplace.core.database.db import db, execute, save
from marketplace.core.database.prices import edited, minor_units
from marketplace.core.ops import current_settings
from marketplace.core.queues.outbox import publish
from marketplace.events.listings import (
    ListingChanged,
    ListingDeleted,
    ListingExpired,
    ListingExpiring,
    ListingPosted,
)
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import Money
from marketplace.listings import policy, queries
from marketplace.listings.lifecycle import ListingStatus
from marketplace.listings.models import Listing
from marketplace.listings.queries import find
from marketplace.payments.subscriptions import queries as subscriptions_queries
from marketplace.payments.subscriptions.plans import FEATURED
from marketplace.uploads import service as uploads_service

SYSTEM = frozenset({"system"})


def post(seller: User, *, price: Any, category: str, **fields: Any) -> Listing:
    """Put up a classified; raises Invalid (422) for a price its currency cannot hold and an end that has passed."""
    currency = fields.pop("currency", seller.currency)
    key, subcategory = catalog_service.resolve(category, fields.pop("subcategory", None))
    _refuse_past(fields.setdefault("expires_at", _end_after()))
    listing = save(
        Listing(
            seller_id=seller.id,
            category=key,
            subcategory=subcategory,
            currency=currency,
            price_minor=minor_units("price", price, currency),
            is_featured=subscriptions_queries.unlocks(seller.id, FEATURED),
            **fields,
        )
    )
    if listing.images:
        uploads_service.use("listing", listing.id, listing.images)
    publish(ListingPosted(listing_id=listing.id, seller_id=seller.id))
    return listing


def edit(user: User, listing_id: int, *, status: str | None = None, **changes: Any) -> Listing:
    """Change the fields that were sent, and the status along the table. Raises 403, 404, 409, 422."""
    listing = find(user, listing_id)
    roles = policy.role_of(user, listing)
    if changes or status in {None, listing.status}:
        listing.advance("edit", actor=roles)
        _apply(listing, changes)
        uploads_service.use("listing", listing.id, listing.images)
    if status is not None:
        listing.advance_to(status, actor=roles, actor_id=user.id)
    return _changed(listing)


def hold(user: User, listing_id: int) -> Listing:
    """Reserve it: pending, until it is sold or active again. Raises 403, 404, 409."""
    return _moved(user, listing_id, "hold")


def sell(user: User, listing_id: int) -> Listing:
    """Mark as sold; everybody still sees it. Raises 403, 404, 409."""
    return _moved(user, listing_id, "sell")


def archive(user: User, listing_id: int) -> Listing:
    """Take it off the list, to be renewed or activated later. Raises 403, 404, 409."""
    return _moved(user, listing_id, "archive")


def activate(user: User, listing_id: int) -> Listing:
    """Put it back on the list. Raises 403, 404, 409."""
    return _moved(user, listing_id, "activate")


def renew(user: User, listing_id: int, *, days: int | None = None) -> Listing:
    """Active for `days` from now (LISTING_DAYS unless told). Raises 403, 404, 409."""
    listing = find(user, listing_id)
    listing.advance("renew", actor=policy.role_of(user, listing), actor_id=user.id)
    listing.expires_at, listing.reminded_at = _end_after(days), None
    return _changed(listing)


def expire(listing_id: int) -> None:
    """Expire it; no effect where its time is not over."""
    listing = queries.EXPIRY.row(listing_id)
    if listing is not None:
        listing.advance("expire", actor=SYSTEM)
        db.session.flush()
        publish(ListingExpired(**_ending(listing)))


def remind(listing_id: int) -> None:
    """Publish ListingExpiring once, some days before its end; no effect at other times."""
    listing = queries.REMINDER.row(listing_id)
    if listing is not None and listing.expires_at is not None:
        listing.reminded_at = now()
        left = listing.expires_at - listing.reminded_at
        publish(ListingExpiring(**_ending(listing), days=max(1, round(left / timedelta(days=1)))))


def delete(user: User, listing_id: int) -> None:
    """Delete it for good; the row stays, seen by nobody. Raises 403, 404, 409."""
    listing = find(user, listing_id)
    listing.advance("delete", actor=policy.role_of(user, listing), actor_id=user.id)
    db.session.flush()
    _forget(listing)


def take_down_of(seller_id: int, *, for_good: bool = False) -> None:
    """Archive a seller's listings that are on the list; `for_good` deletes all of them."""
    for listing in queries.living_of(seller_id, on_list=not for_good):
        listing.advance("delete" if for_good else "take_down", actor=SYSTEM)
        db.session.flush()
        if for_good:
            _forget(listing)
        else:
            publish(ListingChanged(listing_id=listing.id, status=listing.status))


def feature_as_paid(seller_id: int) -> None:
    """Feature all of a seller's listings, or none, as their plan says at this moment."""
    featured = subscriptions_queries.unlocks(seller_id, FEATURED)
    others = (Listing.seller_id == seller_id, Listing.is_featured != featured)
    execute(update(Listing).where(*others).values(is_featured=featured))


def count_view(viewer: User | None, listing: dict[str, Any]) -> JsonObject:
    """Add one view, unless the viewer is the owner; the answer has the new count."""
    if viewer is None or viewer.id != listing["seller_id"]:
        counters.count("listings", "views_count", listing["id"])
        listing["views_count"] += 1
    return listing


def _forget(listing: Listing) -> None:
    uploads_service.use("listing", listing.id, [])
    publish(ListingDeleted(listing_id=listing.id))


class _Ending(TypedDict):
    listing_id: int
    seller_id: int
    expires_at: str


def _ending(listing: Listing) -> _Ending:
    ends = listing.expires_at.isoformat() if listing.expires_at else ""
    return {"listing_id": listing.id, "seller_id": listing.seller_id, "expires_at": ends}


def _moved(user: User, listing_id: int, verb: str) -> Listing:
    listing = find(user, listing_id)
    listing.advance(verb, actor=policy.role_of(user, listing), actor_id=user.id)
    return _changed(listing)


def _changed(listing: Listing) -> Listing:
    """Announce a change; an active listing whose end has passed gets LISTING_DAYS anew."""
    if listing.status == ListingStatus.ACTIVE and listing.expires_at is not None and listing.expires_at <= now():
        listing.expires_at, listing.reminded_at = _end_after(), None
    db.session.flush()
    publish(ListingChanged(listing_id=listing.id, status=listing.status))
    return listing


def _end_after(days: int | None = None) -> datetime | None:
    """`days` from now, LISTING_DAYS unless told; None for 0, which never ends."""
    days = current_settings.whole("LISTING_DAYS") if days is None else days
    return now() + timedelta(days=days) if days else None


def _refuse_past(end: datetime | None) -> None:
    if end is not None and end <= now():
        raise Invalid.field("expires_at", "This moment has passed.")


def _apply(listing: Listing, changes: dict[str, Any]) -> None:
    currency, kept = changes.get("currency", listing.currency), Money(listing.price_minor, listing.currency)
    listing.price_minor = edited("price", changes.pop("price", None), kept, currency) or 0
    if "category" in changes:
        changes["category"], changes["subcategory"] = catalog_service.resolve(
            changes["category"], changes.get("subcategory")
        )
    if "expires_at" in changes and changes["expires_at"] != listing.expires_at:  # old clients send back all they got
        _refuse_past(changes["expires_at"])
        listing.reminded_at = None
    for name, value in changes.items():
        setattr(listing, name, value)
