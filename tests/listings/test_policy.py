"""Who sees which listing, and what one is to it."""

import pytest
from flask import Flask

from marketplace.auth.models import User
from marketplace.core.database.db import db
from marketplace.listings import policy
from marketplace.listings.lifecycle import ListingStatus
from marketplace.listings.models import Listing
from tests.factories import things
from tests.factories.people import Person

SEEN = {
    ListingStatus.ACTIVE: {"owner", "stranger", "nobody", "staff"},
    ListingStatus.SOLD: {"owner", "stranger", "nobody", "staff"},
    ListingStatus.PENDING: {"owner", "staff"},
    ListingStatus.ARCHIVED: {"owner", "staff"},
    ListingStatus.DELETED: set(),
}


@pytest.mark.parametrize("status", list(ListingStatus))
def test_a_listing_is_seen_by(
    context: Flask, anna: Person, juris: Person, admin: Person, status: ListingStatus
) -> None:
    listing = things.listing(anna)["id"]
    if status == ListingStatus.DELETED:
        anna.delete(f"/api/listings/{listing}")
    elif status != ListingStatus.ACTIVE:
        assert anna.put(f"/api/listings/{listing}", json={"status": status}).status_code == 200
    people = {"owner": anna.id, "stranger": juris.id, "staff": admin.id, "nobody": None}

    seeing = {
        name
        for name, user_id in people.items()
        if db.session.scalar(policy.visible_to(user_id and db.session.get(User, user_id)).where(Listing.id == listing))
    }
    assert seeing == SEEN[status]


def test_roles_are_those_of_the_owner_and_of_staff(context: Flask, anna: Person, juris: Person, admin: Person) -> None:
    listing = db.session.get(Listing, things.listing(anna)["id"])
    roles = {one.id: policy.role_of(db.session.get(User, one.id), listing) for one in (anna, juris, admin)}
    assert roles == {anna.id: {"owner"}, juris.id: frozenset(), admin.id: {"admin"}}
    assert policy.role_of(None, listing) == frozenset()
