"""How each keeps a conversation for themselves: archived, muted."""

from collections.abc import Callable

import pytest
from flask import Flask

from marketplace.core.database.db import db
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import relay
from tests.factories.people import Person
from tests.factories.talks import TALKS, pair, room, said, say, shown, unread


@pytest.fixture
def talk(anna: Person, juris: Person) -> int:
    """A conversation in which Anna has said something."""
    return pair(anna, juris)


@pytest.fixture
def tell(app: Flask) -> Callable[[], None]:
    """Tell everybody what has happened."""

    def told() -> None:
        with app.app_context():
            relay()
            jobs.run_due()
            db.session.remove()

    return told


def shelf(person: Person, *, archived: bool) -> list[int]:
    """The ids of what they keep at hand, or have put away."""
    page = person.get(TALKS, query_string={"archived": str(archived).lower()}).json
    assert page["total"] == len(page["conversations"])
    return [one["id"] for one in page["conversations"]]


def keep(person: Person, talk: int, how: str) -> int:
    """Archive it, mute it, or not any more."""
    return person.post(f"{TALKS}/{talk}/{how}").status_code


def news(person: Person) -> list[str]:
    """Of messages, what they were told."""
    told = person.get("/api/notifications").json["notifications"]
    return [one["title"] for one in told if one["type"] == "new_message"]


def test_putting_away_is_for_oneself_alone(anna: Person, juris: Person, talk: int) -> None:
    assert [keep(juris, talk, "archive") for _ in range(2)] == [200, 200]
    assert (shelf(juris, archived=False), shelf(juris, archived=True)) == ([], [talk])
    assert (shelf(anna, archived=False), shelf(anna, archived=True)) == ([talk], [])
    assert (shown(juris, talk)["is_archived"], shown(anna, talk)["is_archived"]) == (True, False)
    assert (len(said(juris, talk)), len(said(anna, talk)), unread(juris)) == (1, 1, 1)
    assert keep(juris, talk, "unarchive") == 200
    assert (shelf(juris, archived=False), shelf(juris, archived=True)) == ([talk], [])


def test_something_new_brings_it_back(anna: Person, juris: Person, talk: int) -> None:
    keep(juris, talk, "archive")
    keep(anna, talk, "archive")
    say(anna, talk)
    assert shelf(juris, archived=False) == [talk]
    assert shelf(anna, archived=True) == [talk]  # one's own words are no news to oneself


def test_what_is_muted_stays_away(anna: Person, juris: Person, talk: int) -> None:
    for how in ("archive", "mute"):
        keep(juris, talk, how)
    say(anna, talk)
    assert (shelf(juris, archived=False), shelf(juris, archived=True)) == ([], [talk])
    assert (unread(juris), shown(juris, talk)["is_muted"]) == (2, True)
    keep(juris, talk, "unmute")
    say(anna, talk)
    assert shelf(juris, archived=False) == [talk]


def test_what_is_muted_is_no_news(anna: Person, juris: Person, talk: int, tell: Callable[[], None]) -> None:
    juris.put(f"{TALKS}/{talk}/read-all")
    keep(juris, talk, "mute")
    say(anna, talk)
    tell()
    assert (news(juris), unread(juris)) == ([], 1)

    keep(juris, talk, "unmute")
    say(anna, talk)
    tell()
    assert len(news(juris)) == 1


def test_one_who_mutes_a_room_does_not_mute_it_for_others(
    anna: Person, juris: Person, stranger: Person, tell: Callable[[], None]
) -> None:
    talk = room(anna, juris, stranger)
    tell()
    before = len(news(juris)), len(news(stranger))
    keep(juris, talk, "mute")
    say(anna, talk)
    tell()
    assert (len(news(juris)), len(news(stranger))) == (before[0], before[1] + 1)


def test_only_who_is_in_it_keeps_it(stranger: Person, talk: int) -> None:
    for how in ("archive", "unarchive", "mute", "unmute"):
        assert keep(stranger, talk, how) == keep(stranger, 999_999, how) == 404
