"""Saved searches: what is new is told once, and only to those who look for it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask

from marketplace.core.database.db import db
from marketplace.core.queues import jobs
from marketplace.search.saved_searches import service as saved_searches_service
from tests.factories import things
from tests.factories.people import Person
from tests.races.burst import burst
from tests.servers.mail import MailServer

Work = Callable[[], None]


def save(person: Person, **search: Any) -> dict[str, Any]:
    """Look for something from now on."""
    answer = person.post("/api/saved-searches", json={"name": "Mine", **search})
    assert answer.status_code == 201, answer.json
    return dict(answer.json["saved_search"])


def told(person: Person) -> list[str]:
    """The titles of what fits, the newest first."""
    news = person.get("/api/notifications").json["notifications"]
    return [one["data"]["thing_title"] for one in news if one["type"] == "saved_search_match"]


def test_a_search_of_several_categories_hears_of_each(
    shop: Flask, work: Callable[[], None], anna: Person, juris: Person
) -> None:
    search = save(anna, category="moving, repair,moving", types=["task"])
    assert search["category"] == "moving,repair"
    for title, category in (("Carry a sofa", "moving"), ("Mend a lamp", "repair"), ("Walk the dog", "other")):
        things.task(juris, title=title, category=category)
    work()
    assert sorted(told(anna)) == ["Carry a sofa", "Mend a lamp"]

    path = f"/api/saved-searches/{search['id']}"
    assert anna.put(path, json={"name": "Mine"}).json["saved_search"]["category"] == "moving,repair"
    assert anna.put(path, json={"category": "moving"}).json["saved_search"]["category"] == "moving"
    refused = anna.put(path, json={"category": "moving,spaceships"})
    assert (refused.status_code, "spaceships" in refused.json["errors"]["category"][0]) == (422, True)


def test_a_search_is_kept_changed_and_deleted(app: Flask, anna: Person, juris: Person) -> None:
    search = save(anna, q="bicycle", category="bicycles", types=["listing"])
    assert (search["q"], search["types"], search["alerts"]) == ("bicycle", ["listing"], True)
    path = f"/api/saved-searches/{search['id']}"
    assert juris.put(path, json={"name": "His"}).status_code == 404
    assert juris.delete(path).status_code == 404
    changed = anna.put(path, json={"name": "Hers", "alerts": False}).json["saved_search"]
    assert (changed["name"], changed["alerts"], changed["q"]) == ("Hers", False, "bicycle")
    assert juris.get("/api/saved-searches").json == {"saved_searches": [], "total": 0}
    assert anna.delete(path).status_code == 200
    assert anna.get("/api/saved-searches").json["total"] == 0


@pytest.mark.parametrize(
    ("search", "field"),
    [
        ({}, "q"),
        ({"q": "-bicycle"}, "q"),
        ({"q": "😀"}, "q"),
        ({"latitude": 57.0}, "longitude"),
        ({"latitude": 57.0, "longitude": 24.1}, "radius"),
        ({"q": "x", "types": ["person"]}, "types.0"),
        ({"q": "x", "radius": -1}, "radius"),
        ({"q": "x", "name": ""}, "name"),
    ],
)
def test_what_would_find_everything_or_nothing_is_refused(
    app: Flask, anna: Person, search: dict[str, Any], field: str
) -> None:
    answer = anna.post("/api/saved-searches", json={"name": "Mine", **search})
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_what_fits_is_told_and_what_does_not_is_not(shop: Flask, work: Work, anna: Person, juris: Person) -> None:
    save(anna, q='"city bicycle" -child', types=["listing"])
    save(anna, category="moving", types=["task"], latitude=56.95, longitude=24.1, radius=5)
    things.listing(juris, title="City bicycle, blue")
    things.listing(juris, title="City bicycle for a child")
    things.listing(juris, title="Bicycle of the city")
    things.listing(anna, title="City bicycle of my own")
    things.offering(juris, title="City bicycle repair")
    things.task(juris, title="Carry a sofa")
    things.task(juris, title="Carry a sofa far away", latitude=57.3, longitude=25.2)
    things.task(juris, title="Mend a lamp", category="repair")
    work()
    assert sorted(told(anna)) == ["Carry a sofa", "City bicycle, blue"]
    assert told(juris) == []


def test_a_match_is_mailed_once_through_a_death_in_the_middle(
    shop: Flask, work: Work, mail: MailServer, anna: Person, juris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        save(anna, name=f"Search {number}", q="bicycle")
    work()
    mail.mailbox.received.clear()
    things.listing(juris, title="Bicycle")
    real, left = saved_searches_service.tell, iter(range(1))

    def dying(*args: Any) -> None:
        real(*args)
        if next(left, None) is None:
            raise SystemExit

    with monkeypatch.context() as patch, shop.app_context():
        patch.setattr(saved_searches_service, "tell", dying)
        work()
        db.session.remove()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=30)):
        with shop.app_context():
            jobs.JOBS.again()
            db.session.remove()
        work()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        work()
    letters = [str(one["Subject"]) for one in mail.mailbox.letters.values() if one["To"] == "anna@example.com"]
    assert sorted(letters) == [f"New for “Search {number}”" for number in range(3)]
    assert len(told(anna)) == 3


def test_what_was_there_before_is_no_news(shop: Flask, work: Work, anna: Person, juris: Person) -> None:
    things.listing(juris, title="Bicycle, old")
    search = save(anna, q="bicycle", alerts=False)
    things.listing(juris, title="Bicycle, newer")
    anna.put(f"/api/saved-searches/{search['id']}", json={"alerts": True})
    work()
    assert told(anna) == []
    things.listing(juris, title="Bicycle, new")
    work()
    assert told(anna) == ["Bicycle, new"]


def test_what_is_gone_before_it_is_told_is_not_told(shop: Flask, work: Work, anna: Person, juris: Person) -> None:
    save(anna, q="bicycle")
    listing = things.listing(juris, title="Bicycle")["id"]
    juris.delete(f"/api/listings/{listing}")
    work()
    assert told(anna) == []


def test_searches_are_few_even_in_a_burst(app: Flask, anna: Person) -> None:
    for number in range(saved_searches_service.MOST - 2):
        save(anna, q=f"thing{number}")
    answers = burst([partial(anna.post, "/api/saved-searches", json={"name": "More", "q": "more"})] * 8)
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 6
