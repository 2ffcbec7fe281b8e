"""A client that was away asks with its cursors and has everything exactly once."""

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from tests.factories.people import Person
from tests.factories.talks import fill, many_rooms, pair, room, said, say, shown, sync, unread
from tests.races.burst import burst

ROUNDS = 200


@dataclass
class Client:
    """What the page for clients says to do: keep a cursor a conversation, ask until there is no more."""

    person: Person
    cursors: dict[int, int] = field(default_factory=dict)
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    came: list[tuple[int, int]] = field(default_factory=list)

    def catch_up(self, most: int = 200) -> int:
        """Ask until everything is here; how often that was."""
        for times in range(1, ROUNDS):
            answer = sync(self.person, self.cursors, most)
            assert len(answer["conversations"]) <= 50
            assert sum(len(one["messages"]) for one in answer["conversations"]) <= most
            for one in answer["conversations"]:
                self._take(one)
            if not answer["has_more"]:
                return times
        raise AssertionError("it never ends")

    def _take(self, part: dict[str, Any]) -> None:
        assert part["rev"] > self.cursors.get(part["conversation_id"], 0)
        revs = [message["rev"] for message in part["messages"]]
        assert revs == sorted(revs)
        assert all(message["conversation_id"] == part["conversation_id"] for message in part["messages"])
        self.cursors[part["conversation_id"]] = part["rev"]
        self.messages |= {message["id"]: message for message in part["messages"]}
        self.came += [(message["id"], message["rev"]) for message in part["messages"]]


def revs(answer: dict[str, Any]) -> list[tuple[int, int]]:
    """What came, as numbers: seq and rev of each message."""
    return [(one["seq"], one["rev"]) for part in answer["conversations"] for one in part["messages"]]


def test_what_was_missed_comes_with_the_cursor_to_go_on_with(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris)
    say(juris, talk)
    first = sync(anna)
    assert first == {
        "conversations": [{"conversation_id": talk, "rev": 2, "has_more": False, "messages": first_of(first)}],
        "has_more": False,
        "unread_count": 1,
        "seen": [{"conversation_id": talk, "delivered_seq": 0, "read_seq": 0}],
        "gone": [],
    }
    assert [one["id"] for one in first_of(first)] == [one["id"] for one in said(anna, talk)]
    known = sync(anna, {talk: 2})
    assert (known["conversations"], known["has_more"], known["unread_count"]) == ([], False, 1)
    assert known["seen"] == [{"conversation_id": talk, "delivered_seq": 0, "read_seq": 0}]
    say(juris, talk, "New")
    assert [one["content"] for one in first_of(sync(anna, {talk: 2}))] == ["New"]


def first_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of the first conversation."""
    return list(answer["conversations"][0]["messages"])


def test_what_was_changed_comes_again_and_nothing_else(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris, message="")
    ids = fill(anna, talk, "12345")
    path = "/api/messages/messages"
    juris.post(f"{path}/{ids[1]}/reactions/😀")
    anna.put(f"{path}/{ids[3]}", json={"content": "Changed"})
    anna.delete(f"{path}/{ids[0]}")
    answer = sync(juris, {talk: 5})
    assert revs(answer) == [(2, 6), (4, 7), (1, 8)]
    reacted, changed, gone = first_of(answer)
    assert (reacted["reactions"], changed["content"]) == ([{"emoji": "😀", "user_ids": [juris.id]}], "Changed")
    assert (gone["content"], gone["deleted_at"] is not None, changed["edited_at"] is not None) == ("", True, True)
    juris.delete(f"{path}/{ids[1]}/reactions/😀")
    (plain,) = first_of(sync(juris, {talk: 8}))
    assert (plain["seq"], plain["rev"], plain["reactions"]) == (2, 9, [])
    assert revs(sync(juris)) == [(3, 3), (5, 5), (4, 7), (1, 8), (2, 9)]


@pytest.mark.parametrize("most", [1, 7, 100, 101, 200, 500])
def test_page_by_page_everything_comes_exactly_once(anna: Person, juris: Person, most: int) -> None:
    talks = [pair(anna, juris), *many_rooms(anna, juris, 3)]
    count = 12 if most == 1 else 260
    for talk in talks[:2]:
        fill(juris, talk, [f"Number {number}" for number in range(count)])
    client = Client(anna)
    client.catch_up(most)
    whole = [one for talk in talks for one in everything(anna, talk)]
    assert [client.messages[one["id"]] for one in whole] == whole
    assert len(client.came) == len(set(client.came)) == len(client.messages) == len(whole) == 2 * count + 4
    assert client.cursors == {talk: shown(anna, talk)["last_rev"] for talk in talks}
    assert client.catch_up(most) == 1


def everything(person: Person, talk: int) -> list[dict[str, Any]]:
    """All messages of a conversation by its pages."""
    seen = said(person, talk, after_seq=0, per_page=100)
    while len(part := said(person, talk, after_seq=seen[-1]["seq"], per_page=100) if seen else []):
        seen += part
    return seen


@pytest.mark.parametrize("most", [3, 200])
def test_sixty_conversations_come_in_bounded_parts(anna: Person, juris: Person, most: int) -> None:
    talks = many_rooms(anna, juris, 60) if pair(anna, juris) else []
    first = sync(juris, {}, most)
    assert (len(first["conversations"]) <= 50, first["has_more"], first["unread_count"]) == (True, True, 61)
    client = Client(juris)
    client.catch_up(most)
    assert len(client.came) == len(client.messages) == 61
    assert set(talks) < set(client.cursors)
    say(anna, talks[30], "New")
    assert [part["conversation_id"] for part in sync(juris, client.cursors)["conversations"]] == [talks[30]]


def test_a_cursor_is_no_key(anna: Person, juris: Person, stranger: Person) -> None:
    talk = pair(anna, juris, "Canary")
    cursors = {talk: 0, 999_999: 0, 0: 5, talk + 1: 10**12}
    answer = sync(stranger, cursors)
    assert (answer["conversations"], answer["has_more"], answer["unread_count"], answer["seen"]) == ([], False, 0, [])
    assert answer["gone"] == sorted(cursors)  # as it is for conversations that never were
    assert sync(anna, {talk: 10**12})["conversations"] == []
    assert revs(sync(anna, {999_999: 3})) == [(1, 1)]


def test_what_happened_before_one_came_moves_the_cursor_only(anna: Person, juris: Person, stranger: Person) -> None:
    talk = room(anna, juris)
    pair(anna, stranger)
    old = say(anna, talk, "Canary")
    anna.post(f"/api/messages/conversations/{talk}/members", json={"user_id": stranger.id})
    anna.put(f"/api/messages/messages/{old['id']}", json={"content": "Canary again"})
    client = Client(stranger)
    client.catch_up()
    assert client.cursors[talk] == 2
    assert "Canary" not in str(client.messages)
    say(anna, talk, "Welcome")
    client.catch_up()
    assert [one["content"] for one in client.messages.values() if one["conversation_id"] == talk] == ["Welcome"]


def test_catching_up_costs_the_same_however_much_was_missed(anna: Person, juris: Person, statements: list[str]) -> None:
    def cost() -> int:
        statements.clear()
        sync(juris)
        return len(statements)

    talk = pair(anna, juris)
    before = cost()
    many_rooms(anna, juris, 45)
    for message_id in fill(anna, talk, ["x"] * 150)[:20]:
        juris.post(f"/api/messages/messages/{message_id}/reactions/😀")
    assert len(revs(sync(juris))) == 196
    assert cost() == before <= 8


def test_who_asks_while_others_write_misses_nothing(anna: Person, juris: Person) -> None:
    talks = [pair(anna, juris, message=""), room(anna, juris)]
    client, stopped = Client(juris), threading.Event()

    def ask() -> None:
        while not stopped.is_set():
            client.catch_up(most=5)

    asking = threading.Thread(target=ask)
    asking.start()
    path = "/api/messages/conversations"
    try:
        for number in range(6):
            body = {"content": f"Number {number}"}
            calls = [partial(who.post, f"{path}/{talk}/messages", json=body) for talk in talks for who in (anna, juris)]
            assert {answer.status_code for answer in burst(calls * 3)} == {201}
    finally:
        stopped.set()
        asking.join()
    client.catch_up()
    whole = [one for talk in talks for one in everything(anna, talk)]
    mine = [one for one in client.came if one[0] in {message["id"] for message in whole}]
    assert sorted(mine) == sorted((one["id"], one["rev"]) for one in whole)
    assert unread(juris) == 37  # half of them, and what Anna wrote to him first


def test_messages_after_a_number_are_complete(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris, message="")
    fill(anna, talk, map(str, range(230)))
    assert [one["seq"] for one in everything(juris, talk)] == list(range(1, 231))
    page = juris.get(f"/api/messages/conversations/{talk}/messages", query_string={"after_seq": 200}).json
    assert (len(page["messages"]), page["has_more"]) == (30, False)


def test_how_far_the_others_are_and_what_one_has_left_comes_too(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris)
    say(anna, talk, "Two")
    juris.put(f"/api/messages/conversations/{talk}/read-all")
    assert sync(anna, {talk: 2})["seen"] == [{"conversation_id": talk, "delivered_seq": 2, "read_seq": 2}]
    hall = room(anna, juris)
    assert juris.delete(f"/api/messages/conversations/{hall}/members/{juris.id}").status_code == 200
    assert sync(juris, {hall: 1, talk: 2})["gone"] == [hall]
