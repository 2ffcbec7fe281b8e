"""Who sees which offering, and what one is to it."""

import pytest
from flask import Flask

from marketplace.auth.models import User
from marketplace.core.database.db import db
from marketplace.offerings import policy
from marketplace.offerings.lifecycle import OfferingStatus
from marketplace.offerings.models import Offering
from tests.factories import things
from tests.factories.people import Person


@pytest.mark.parametrize("status", list(OfferingStatus))
def test_only_an_active_offering_is_seen_by_strangers(
    context: Flask, anna: Person, juris: Person, admin: Person, status: OfferingStatus
) -> None:
    offering = things.offering(anna)["id"]
    if status == OfferingStatus.DELETED:
        anna.delete(f"/api/offerings/{offering}")
    elif status != OfferingStatus.ACTIVE:
        assert anna.put(f"/api/offerings/{offering}", json={"status": status}).status_code == 200
    people = {"owner": anna.id, "stranger": juris.id, "staff": admin.id, "nobody": None}

    seeing = {
        name
        for name, user_id in people.items()
        if db.session.scalar(
            policy.visible_to(user_id and db.session.get(User, user_id)).where(Offering.id == offering)
        )
    }
    everybody, insiders = {"owner", "stranger", "nobody", "staff"}, {"owner", "staff"}
    expected = {OfferingStatus.ACTIVE: everybody, OfferingStatus.DELETED: set()}
    assert seeing == expected.get(status, insiders)


def test_whoever_offers_is_no_stranger(context: Flask, anna: Person, juris: Person) -> None:
    offering = db.session.get(Offering, things.offering(anna)["id"])
    assert policy.role_of(db.session.get(User, anna.id), offering) == {"owner"}
    assert policy.role_of(db.session.get(User, juris.id), offering) == {"stranger"}
