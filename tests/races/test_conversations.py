"""Opening and writing at the same moment: one conversation, numbers without gap or repeat."""

from functools import partial

import pytest

from tests.factories import things
from tests.factories.people import Person
from tests.races.burst import burst


def test_both_open_it_at_once_and_there_is_one(anna: Person, juris: Person) -> None:
    calls = [
        partial(me.post, "/api/messages/conversations", json={"user_id": other.id})
        for me, other in ((anna, juris), (juris, anna)) * 4
    ]
    answers = burst(calls)
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1


def test_many_messages_at_once_are_numbered_without_a_gap(anna: Person, juris: Person) -> None:
    talk = anna.post("/api/messages/conversations", json={"user_id": juris.id}).json["id"]
    path = f"/api/messages/conversations/{talk}/messages"
    burst([partial(person.post, path, json={"content": f"{n}"}) for n in range(8) for person in (anna, juris)])
    assert [m["seq"] for m in anna.get(path).json["messages"]] == list(range(1, 17))


def test_the_same_message_sent_again_and_again_is_stored_once(anna: Person, juris: Person) -> None:
    talk = anna.post("/api/messages/conversations", json={"user_id": juris.id}).json["id"]
    path = f"/api/messages/conversations/{talk}/messages"
    answers = burst([partial(anna.post, path, json={"content": "Hi", "client_message_id": "c-1"})] * 12)
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1
    assert anna.get(path).json["total"] == 1


@pytest.mark.parametrize("taps", [2])
def test_a_favorite_tapped_at_once_never_fails(anna: Person, juris: Person, taps: int) -> None:
    item = {"item_type": "listing", "item_id": things.listing(juris)["id"]}
    answers = burst([partial(anna.post, "/api/favorites", json=item)] * taps)
    assert {answer.status_code for answer in answers} == {200}
    assert anna.get("/api/favorites/count").json["total"] in {0, 1}
