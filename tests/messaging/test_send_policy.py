"""How often, and the same words to how many."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask

from marketplace.core.http.rate_limits import limiter
from tests.conftest import make_app
from tests.factories import things
from tests.factories.people import Person, sign_up
from tests.factories.talks import TALKS, pair, room, said, say
from tests.races.burst import burst

ADVERTISEMENT = "Buy your new bicycle at the best price in town, today only!"


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    """One limiter serves every application of the process."""
    yield
    limiter.enabled = False


@pytest.fixture
def crowd(app: Flask) -> list[Person]:
    """Eight people."""
    return [sign_up(app, f"guest_{number}") for number in range(8)]


@pytest.fixture
def limited(app: Flask) -> Callable[..., Flask]:
    """The application on the same database with these figures."""
    return lambda **figures: make_app(app.config["DATABASE_URL"], RATE_LIMITS="1", **figures)


def send(person: Person, talk: int, content: str = "x", **fields: Any) -> Any:
    """A message that may be refused."""
    return person.post(f"{TALKS}/{talk}/messages", json={"content": content, **fields})


def test_so_many_messages_a_person(
    anna: Person, juris: Person, stranger: Person, limited: Callable[..., Flask]
) -> None:
    talks = [pair(anna, juris), pair(anna, stranger)]
    app = limited(LIMIT_MESSAGES="6 per minute")
    me, other = replace(anna, app=app), replace(juris, app=app)
    answers = [send(me, talk) for talk in talks * 5]
    assert [answer.status_code for answer in answers] == [201] * 6 + [429] * 4
    assert answers[-1].json["code"] == "too_many_requests"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 61
    assert send(other, talks[0]).status_code == 201
    assert [one["seq"] for one in said(juris, talks[0])] == [1, 2, 3, 4, 5]


def test_so_many_messages_a_conversation(
    anna: Person, juris: Person, stranger: Person, limited: Callable[..., Flask]
) -> None:
    here, there = pair(anna, juris), pair(anna, stranger)
    me = replace(anna, app=limited(LIMIT_MESSAGES_EACH="3 per minute"))
    answers = [send(me, here) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201] * 3 + [429] * 2
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 61
    assert send(me, there).status_code == 201


def test_a_burst_finds_the_limit(anna: Person, juris: Person, limited: Callable[..., Flask]) -> None:
    talk = pair(anna, juris)
    me = replace(anna, app=limited(LIMIT_MESSAGES="5 per minute"))
    answers = burst([partial(send, me, talk)] * 25)
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(201) <= 6, statuses.count(201) + statuses.count(429)) == (True, 25)
    assert len(said(juris, talk)) == 1 + statuses.count(201)


def test_a_retry_costs_nothing(anna: Person, juris: Person, limited: Callable[..., Flask]) -> None:
    talk = pair(anna, juris)
    me = replace(anna, app=limited(LIMIT_MESSAGES="2 per minute"))
    assert send(me, talk, client_message_id="c-1").status_code == 201
    assert {send(me, talk, client_message_id="c-1").status_code for _ in range(6)} == {200}
    assert [send(me, talk).status_code for _ in range(2)] == [201, 429]


def test_edits_and_emoji_are_counted_too(anna: Person, juris: Person, limited: Callable[..., Flask]) -> None:
    talk = pair(anna, juris)
    path = f"/api/messages/messages/{say(anna, talk)['id']}"
    me = replace(anna, app=limited(LIMIT_MESSAGES="2 per minute"))
    assert me.put(path, json={"content": "y"}).status_code == 200
    assert me.post(f"{path}/reactions/😀").status_code == 200
    assert me.post(f"{path}/reactions/🎈").status_code == 429
    assert me.put(path, json={"content": "z"}).status_code == 429
    assert said(juris, talk)[1]["content"] == "y"
    assert me.put(f"{TALKS}/{talk}/read-all").status_code == 200


def test_first_words_are_counted(anna: Person, crowd: list[Person], limited: Callable[..., Flask]) -> None:
    offerings = [things.offering(one)["id"] for one in crowd[4:]]
    me = replace(anna, app=limited(LIMIT_MESSAGES="4 per minute"))
    opened = [me.post(TALKS, json={"user_id": one.id, "message": "Hi"}).status_code for one in crowd[:3]]
    contacted = [me.post(f"/api/offerings/{one}/contact", json={"message": "Hi"}).status_code for one in offerings]
    assert (opened, contacted) == ([201] * 3, [201] + [429] * 3)
    assert anna.get(TALKS).json["total"] == 4


def test_the_same_words_reach_five_strangers(anna: Person, crowd: list[Person]) -> None:
    statuses = []
    for number, one in enumerate(crowd):
        words = ADVERTISEMENT.upper() if number % 2 else f"  {ADVERTISEMENT.replace(',', ' -')} "
        answer = anna.post(TALKS, json={"user_id": one.id, "message": words})
        statuses.append(answer.status_code)
    assert statuses == [201] * 5 + [429] * 3
    assert answer.json["code"] == "same_words"
    assert int(answer.headers["Retry-After"]) == 3600
    assert anna.get(TALKS).json["total"] == 5
    assert crowd[6].get(TALKS).json["total"] == 0
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=59)):
        assert anna.post(TALKS, json={"user_id": crowd[5].id, "message": ADVERTISEMENT}).status_code == 429


def test_an_hour_later_they_are_words_again(anna: Person, crowd: list[Person]) -> None:
    for one in crowd[:5]:
        pair(anna, one, ADVERTISEMENT)
    talk = pair(anna, crowd[5], message="")
    assert send(anna, talk, ADVERTISEMENT).status_code == 429
    assert send(anna, talk, f"{ADVERTISEMENT} For you alone.").status_code == 201
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=59)):
        assert send(anna, talk, ADVERTISEMENT).status_code == 429
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        again = sign_in(anna)
        assert send(again, talk, ADVERTISEMENT).status_code == 201


def sign_in(person: Person) -> Person:
    """The same person with a token of now."""
    body = {"username": person.user["username"], "password": "correct horse battery"}
    return replace(person, token=person.app.test_client().post("/api/auth/login", json=body).json["token"])


def test_answering_many_people_the_same_is_fine(anna: Person, crowd: list[Person]) -> None:
    for one in crowd:
        talk = pair(one, anna, "Is it still there?")
        assert send(anna, talk, ADVERTISEMENT).status_code == 201


def test_who_is_answered_is_no_stranger_any_more(anna: Person, crowd: list[Person]) -> None:
    talks = [pair(anna, one, ADVERTISEMENT) for one in crowd[:5]]
    last = pair(anna, crowd[5], message="")
    assert send(anna, last, ADVERTISEMENT).status_code == 429
    say(crowd[0], talks[0], "Yes, please")
    assert send(anna, last, ADVERTISEMENT).status_code == 201


def test_short_words_and_the_same_again_to_one_person_are_fine(anna: Person, crowd: list[Person]) -> None:
    for one in crowd:
        talk = pair(anna, one, "Good day! Is it still there?")
        assert send(anna, talk, "Hi").status_code == 201
    for _ in range(8):
        assert send(anna, talk, ADVERTISEMENT).status_code == 201


def test_others_may_say_what_somebody_has_said(anna: Person, juris: Person, crowd: list[Person]) -> None:
    for one in crowd[:5]:
        pair(anna, one, ADVERTISEMENT)
    assert juris.post(TALKS, json={"user_id": crowd[0].id, "message": ADVERTISEMENT}).status_code == 201


def test_an_edit_does_not_bring_the_words_in(anna: Person, crowd: list[Person]) -> None:
    statuses = []
    for one in crowd:
        talk = pair(anna, one, "Hi")
        path = f"/api/messages/messages/{said(anna, talk)[0]['id']}"
        statuses.append(anna.put(path, json={"content": ADVERTISEMENT}).status_code)
    assert statuses == [200] * 5 + [429] * 3
    assert [one["content"] for one in said(crowd[7], talk)] == ["Hi"]


def test_rooms_of_people_who_never_answered_count_as_well(anna: Person, crowd: list[Person]) -> None:
    rooms = [room(anna, one) for one in crowd]
    statuses = [send(anna, one, ADVERTISEMENT).status_code for one in rooms]
    assert statuses == [201] * 5 + [429] * 3
