"""The listings of whoever pays for it are featured, for as long as they do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests.factories import things
from tests.factories.people import Person, sign_up
from tests.payments.subscriptions.conftest import CHALLENGED, MINE, begun

pytestmark = pytest.mark.usefixtures("plans_of_these_tests")
Settle = Callable[[], None]


def featured(person: Person) -> list[str]:
    """The titles that everybody is shown as featured."""
    shown = person.get("/api/listings?featured=true&sort=created_at").json["listings"]
    everything = person.get("/api/listings?featured=false&sort=created_at").json["listings"]
    assert [one["id"] for one in everything if one["is_featured"]] == [one["id"] for one in shown]
    return [one["title"] for one in shown]


def test_all_of_a_sellers_listings_are_featured_while_the_plan_lasts(
    anna: Person, stranger: Person, settle: Settle
) -> None:
    things.listing(anna, title="Before")
    things.listing(stranger, title="Somebody else's")
    assert featured(stranger) == []

    begun(anna, "premium")
    settle()
    things.listing(anna, title="After")
    assert featured(stranger) == ["Before", "After"]
    assert things.listing(anna, title="At once")["is_featured"]

    anna.delete(f"{MINE}?now=true")
    settle()
    assert featured(stranger) == []
    assert not things.listing(anna)["is_featured"]


def test_an_unpaid_plan_features_nothing(anna: Person, settle: Settle) -> None:
    things.listing(anna)
    begun(anna, "premium", CHALLENGED)
    settle()
    assert featured(anna) == []


def test_a_plan_that_is_changed_counts_as_what_it_is_now(anna: Person, settle: Settle) -> None:
    things.listing(anna, title="Sofa")
    for plan, shown in (("client-hunter", []), ("premium", ["Sofa"]), ("client-hunter", [])):
        begun(anna, plan)
        settle()
        assert featured(anna) == shown, plan


def test_what_runs_out_is_featured_no_more(
    app: Flask, clock: time_machine.Traveller, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "JWT_ACCESS_TOKEN_EXPIRES", 3000 * 86_400)
    ilze = sign_up(app, "ilze")
    things.listing(ilze, title="Sofa")
    begun(ilze, "premium")
    ilze.delete(MINE)
    settle()
    assert featured(ilze) == ["Sofa"]
    clock.shift(timedelta(days=28, hours=1))
    settle()
    assert featured(ilze) == []
