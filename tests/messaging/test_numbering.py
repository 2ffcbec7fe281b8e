"""Many write at once: numbers without gap or repeat, a retry is the first message, the auditor finds nothing."""

from functools import partial

from flask import Flask

from tests.factories.people import Person, sign_up
from tests.factories.talks import TALKS, pair, room, said, shown
from tests.races.burst import burst

SENDERS, AGAIN = 20, 12


def test_twenty_write_at_once_and_some_of_them_twice(app: Flask, anna: Person) -> None:
    others = [sign_up(app, f"guest_{number}") for number in range(SENDERS)]
    talk = room(anna, *others)
    sending = [
        partial(one.post, f"{TALKS}/{talk}/messages", json={"content": f"I am {one.id}", "client_message_id": "same"})
        for one in others
    ]
    answers = burst([*sending, *sending[:AGAIN]])
    assert sorted(answer.status_code for answer in answers) == [200] * AGAIN + [201] * SENDERS
    for first, second in zip(answers[:AGAIN], answers[SENDERS:], strict=True):
        assert first.json["message"] == second.json["message"]

    seen = said(anna, talk)
    assert [one["seq"] for one in seen] == [one["rev"] for one in seen] == list(range(1, SENDERS + 1))
    assert {one["content"] for one in seen} == {f"I am {one.id}" for one in others}
    assert {one["seq"]: one["id"] for one in seen} == {
        answer.json["message"]["seq"]: answer.json["id"] for answer in answers
    }
    assert shown(anna, talk)["last_seq"] == SENDERS
    audit = app.test_cli_runner().invoke(args=["audit"])
    assert (audit.exit_code, audit.output) == (0, "Everything is as it must be.\n")


def test_a_retry_with_other_words_is_the_first_message(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris, message="")
    path = f"{TALKS}/{talk}/messages"
    first = anna.post(path, json={"content": "First", "client_message_id": "c-1"})
    again = anna.post(path, json={"content": "Second", "client_message_id": "c-1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json
    theirs = juris.post(path, json={"content": "Mine", "client_message_id": "c-1"})
    assert (theirs.status_code, theirs.json["message"]["seq"]) == (201, 2)


def test_the_same_id_in_another_conversation_is_a_mistake(anna: Person, juris: Person, stranger: Person) -> None:
    here, there = pair(anna, juris, message=""), pair(anna, stranger, message="")
    body = {"content": "Hi", "client_message_id": "c-1"}
    anna.post(f"{TALKS}/{here}/messages", json=body)
    assert anna.post(f"{TALKS}/{there}/messages", json=body).status_code == 409
    assert said(stranger, there) == []
    answers = burst(
        [
            partial(anna.post, f"{TALKS}/{one}/messages", json={**body, "client_message_id": "c-2"})
            for one in (here, there)
        ]
        * 4
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [201] + [409] * 4
    assert len(said(juris, here)) + len(said(stranger, there)) == 2


def test_refused_messages_leave_no_gap(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris)
    path = f"{TALKS}/{talk}/messages"
    bodies = [{"content": "x"}, {"content": "x", "reply_to_id": 999_999}, {"content": ""}] * 6
    answers = burst([partial(anna.post, path, json=body) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [201] * 6 + [422] * 12
    assert [one["seq"] for one in said(juris, talk)] == list(range(1, 8))


def test_changes_at_once_are_each_counted(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris)
    (message,) = said(anna, talk)
    path = f"/api/messages/messages/{message['id']}"
    emoji = [chr(0x1F600 + number) for number in range(6)]
    calls = [partial(juris.post, f"{path}/reactions/{one}") for one in emoji]
    calls += [partial(anna.put, path, json={"content": f"Number {number}"}) for number in range(6)]
    calls += [partial(anna.post, f"{TALKS}/{talk}/messages", json={"content": "x"}) for _ in range(6)]
    assert {answer.status_code for answer in burst(calls)} == {200, 201}
    seen = shown(anna, talk)
    assert (seen["last_seq"], seen["last_rev"]) == (7, 19)
    assert len(said(anna, talk)[0]["reactions"]) == 6
