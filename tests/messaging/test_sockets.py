"""Socket.IO as the contract has it: who gets in, who hears what, and when one is cut off."""

import json
import secrets
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from datetime import timedelta
from typing import Any

import jwt
import pyotp
import pytest
from flask import Flask
from socketio.exceptions import SocketIOError
from sqlalchemy import func, select, update

from marketplace.auth.models import User
from marketplace.core.database.db import Base, db, execute, fetch, in_transaction
from marketplace.core.realtime import connections
from marketplace.kit.clock import now
from marketplace.messaging import presence
from tests.contract.client import Browser, has
from tests.contract.newer_tables import CONNECTED, HEARTBEAT_ACK, PRESENCE
from tests.contract.tables import MESSAGE, PARTICIPANT
from tests.factories import talks
from tests.factories.people import PASSWORD
from tests.messaging.client import Line
from tests.messaging.conftest import TRANSPORTS, Circle, Dial
from tests.servers.waiting import PATIENCE, until

CUT_OFF_SECONDS = 5.0  # as promised to whoever ends a sign-in
SHORT = (3, 10, 30, 90)  # seconds a token counts that runs out in a test; the first that is long enough here
LETTERS = str.maketrans("0123456789", "ghijklmnop")  # many digits in a row would be hidden as a telephone number


def forged(person: Browser, key: str | None = None, **changes: Any) -> str:
    """Their token with other claims; None takes one out."""
    secret = person.app.config["JWT_SECRET_KEY"]
    claims = {**jwt.decode(person.token, secret, algorithms=["HS256"]), **changes}
    return jwt.encode({name: one for name, one in claims.items() if one is not None}, key or secret, algorithm="HS256")


def log_in(person: Browser) -> Browser:
    """The same person on another device."""
    body = {"email": person.user["email"], "password": PASSWORD}
    answer = Browser(person.app, address=person.address).post("/api/auth/login", json=body).json
    return Browser(person.app, answer["user"], answer["token"], answer["refresh_token"], address=person.address)


def challenged(person: Browser) -> str:
    """What somebody holds who has shown the password and not yet the second factor."""
    secret = person.post("/api/auth/2fa/setup").json["secret"]
    assert person.post("/api/auth/2fa/enable", json={"code": pyotp.TOTP(secret).now()}).status_code == 200
    body = {"email": person.user["email"], "password": PASSWORD}
    knows = {"X-Accepts-Challenge": "1"}
    return str(person.post("/api/auth/login", json=body, headers=knows).json["challenge_token"])


def say(line: Line, talk: int, content: str = "Good day.", **fields: Any) -> Any:
    """A message by socket, as it is acknowledged."""
    return line.ask("send_message", {"conversation_id": talk, "content": content, **fields})


def said(person: Browser, talk: int, after_seq: int = 0) -> list[dict[str, Any]]:
    """What they read over REST."""
    return list(person.get(f"{talks.TALKS}/{talk}/messages?after_seq={after_seq}").json["messages"])


def caught_up(*lines: Line) -> None:
    """Whatever was sent to these before has come."""
    for line in lines:
        line.ask("heartbeat")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("in_query", [False, True])
def test_a_token_opens_a_socket_in_auth_and_in_the_address(
    circle: Circle, dial: Dial, transport: str, in_query: bool
) -> None:
    line = dial(circle.anna, transport, query=in_query)

    assert line.refusal is None
    connected = line.expect("connected")
    assert set(connected) == CONNECTED | {"sid"}
    assert connected["user_id"] == circle.anna.id
    assert say(line, circle.talk)["message"]["sender_id"] == circle.anna.id


def test_a_token_that_does_not_count_opens_no_socket(circle: Circle, dial: Dial) -> None:
    anna, stranger = circle.anna, circle.stranger
    head, body, signature = anna.token.split(".")
    ended = log_in(anna)
    assert ended.post("/api/auth/logout").status_code == 200
    tokens = {
        "missing": None,
        "empty": "",
        "nonsense": "nonsense",
        "no text": 5,
        "a list": [anna.token],
        "tampered": f"{head}.{body}.{signature[::-1]}",
        "no signature": f"{head}.{body}.",
        "another secret": forged(anna, "another secret of at least thirty-two bytes"),
        "of somebody else": forged(anna, sub=str(stranger.id)),
        "no sign-in": forged(anna, sid=None),
        "expired": forged(anna, exp=int(time.time()) - 1),
        "refresh": anna.refresh_token,
        "signed out": ended.token,
        "waiting for the second factor": challenged(stranger),
    }
    refusals = {}
    for name, token in tokens.items():
        for transport in TRANSPORTS if name == "missing" else TRANSPORTS[:1]:
            line = dial(token, transport)
            assert not line.is_open, name
            assert line.heard == [], name
            refusals[f"{name} {transport}"] = line.refusal
    sentences = {one["message"] for one in refusals.values()}
    assert sentences == {"This sign-in is not valid or has ended. Please sign in again."}
    assert all(one["data"] == {"code": "not_signed_in"} for one in refusals.values())


def test_a_banned_person_opens_no_socket(app: Flask, circle: Circle, dial: Dial) -> None:
    with app.app_context():
        in_transaction(lambda: execute(update(User).where(User.id == circle.stranger.id).values(role="admin")))
    assert circle.stranger.post(f"/api/admin/users/{circle.anna.id}/ban", json={"reason": "spam"}).status_code == 200
    assert not dial(circle.anna).is_open


def test_the_acknowledgement_carries_the_stored_message_and_comes_after_the_commit(circle: Circle, dial: Dial) -> None:
    line = dial(circle.anna)
    for number in range(1, 31):
        answer = say(line, circle.talk, f"number {number}", client_message_id=f"a-{number}")
        known = said(circle.juris, circle.talk, after_seq=number - 1)
        assert [one["id"] for one in known] == [answer["message"]["id"]], number

    assert set(answer) == {"message", "conversation_id", "existing"}
    assert has(answer["message"], MESSAGE | {"client_message_id", "rev"})
    assert has(answer["message"]["sender"], PARTICIPANT)
    assert answer["message"] == known[0]
    assert (answer["message"]["seq"], answer["message"]["content"], answer["existing"]) == (30, "number 30", False)


def test_messages_sent_in_one_breath_are_stored_in_the_order_they_were_sent(circle: Circle, dial: Dial) -> None:
    line = dial(circle.anna)
    answers: list[Future[Any]] = []
    for number in range(40):
        answers.append(Future())
        message = {"conversation_id": circle.talk, "content": f"number {number}"}
        line.send("send_message", message, callback=answers[-1].set_result)
    numbers = [one.result(PATIENCE)["message"]["seq"] for one in answers]
    assert numbers == sorted(numbers)


def test_a_new_message_reaches_every_socket_of_both_and_nobody_else(circle: Circle, dial: Dial) -> None:
    canary = secrets.token_hex(8).translate(LETTERS)
    near = [dial(who, transport) for who in (circle.anna, circle.juris) for transport in TRANSPORTS]
    far = [dial(circle.stranger, transport) for transport in TRANSPORTS]
    for line in far:
        line.ask("join_conversation", {"conversation_id": circle.talk})

    stored = say(near[0], circle.talk, canary)["message"]
    by_rest = talks.say(circle.juris, circle.talk, f"{canary} too")
    for line in near:
        told = line.expect("new_message", lambda data: data["message"]["id"] == stored["id"])
        assert set(told) == {"message", "conversation_id"}
        assert (told["message"], told["conversation_id"]) == (stored, circle.talk)
        line.expect("new_message", lambda data: data["message"] == by_rest)
    caught_up(*near, *far)
    assert [len(line.all_of("new_message")) for line in near] == [2] * len(near)
    for line in far:
        assert canary not in json.dumps(line.heard)
        assert {name for name, _ in line.heard} == {"connected", "error", "heartbeat_ack"}


def test_changes_to_a_message_are_told_with_their_number(circle: Circle, dial: Dial) -> None:
    message = talks.say(circle.anna, circle.talk)
    line, far = dial(circle.juris), dial(circle.stranger)
    path = f"/api/messages/messages/{message['id']}"

    circle.anna.put(path, json={"content": "Other words."})
    edited = line.expect("message_updated")
    circle.juris.post(f"{path}/reactions/%F0%9F%91%8D")
    liked = line.expect("message_updated", lambda data: data["message"]["reactions"])
    circle.anna.delete(path)
    gone = line.expect("message_updated", lambda data: data["message"]["deleted_at"])

    assert set(edited) == {"message", "conversation_id"}
    assert (edited["message"]["content"], edited["message"]["rev"]) == ("Other words.", message["rev"] + 1)
    assert liked["message"]["reactions"] == [{"emoji": "👍", "user_ids": [circle.juris.id]}]
    assert (gone["message"]["content"], gone["message"]["rev"]) == ("", message["rev"] + 3)
    caught_up(far)
    assert far.all_of("message_updated") == []


def test_typing_reaches_those_who_joined_is_throttled_and_not_stored(app: Flask, circle: Circle, dial: Dial) -> None:
    typist, joined, other, far = (dial(one) for one in (circle.anna, circle.juris, circle.juris, circle.stranger))
    assert joined.ask("join_conversation", {"conversation_id": circle.talk}) == {"conversation_id": circle.talk}
    assert joined.expect("joined_conversation") == {"conversation_id": circle.talk}
    typist.ask("join_conversation", {"conversation_id": circle.talk})
    before = rows(app)

    sign = {"conversation_id": circle.talk, "is_typing": True}
    assert signs_passed_on(typist, sign, 5) > 0
    assert typist.ask("typing", {**sign, "is_typing": False, "user_id": circle.juris.id})["passed_on"]
    over = joined.expect("user_typing", lambda data: not data["is_typing"])
    assert over == {"user_id": circle.anna.id, "conversation_id": circle.talk, "is_typing": False}
    signs = [one["is_typing"] for one in joined.all_of("user_typing")]
    assert (signs[-1], set(signs[:-1])) == (False, {True})
    assert far.ask("typing", sign)["code"] == "not_found"
    caught_up(typist, other, far, joined)
    assert typist.all_of("user_typing") == other.all_of("user_typing") == far.all_of("user_typing") == []
    assert len(joined.all_of("user_typing")) == len(signs)
    assert rows(app) == before

    assert joined.ask("leave_conversation", {"conversation_id": circle.talk}) == {"conversation_id": circle.talk}
    assert joined.expect("left_conversation") == {"conversation_id": circle.talk}
    joined.forget()
    until("the pause to be over", lambda: typist.ask("typing", sign)["passed_on"])
    caught_up(joined)
    assert joined.all_of("user_typing") == []


def signs_passed_on(typist: Line, sign: dict[str, Any], number: int) -> int:
    """How many of so many signs sent in one breath are passed on: the next only after the pause."""
    passed = 0
    last = 0.0
    for _ in range(number):
        sent = time.monotonic()
        if typist.ask("typing", sign)["passed_on"]:
            assert not passed or time.monotonic() - last >= presence.TYPING_PAUSE
            passed, last = passed + 1, sent
        else:
            assert passed
    return passed


def rows(app: Flask) -> dict[str, int]:
    """How many there are of everything."""
    with app.app_context():
        counts = {one.name: fetch(select(func.count()).select_from(one))[0][0] for one in Base.metadata.sorted_tables}
        db.session.remove()
    return counts


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_foreign_conversation_is_refused_by_every_event(circle: Circle, dial: Dial, transport: str) -> None:
    canary = secrets.token_hex(8).translate(LETTERS)
    talks.say(circle.anna, circle.talk, canary)
    far = dial(circle.stranger, transport)
    for talk in (circle.talk, 987_654):
        refused = {"conversation_id": talk, "content": "Hello.", "seq": 1, "user_id": circle.anna.id}
        for event in ("join_conversation", "typing", "send_message", "mark_read", "delivered"):
            answer = far.ask(event, refused)
            assert set(answer) == {"error", "code"}, event
            assert answer["code"] == "not_found", event
    errors = far.all_of("error")
    assert len(errors) == 10
    assert all(set(one) == {"message", "code", "event"} for one in errors)
    assert far.ask("sync", {"cursors": {str(circle.talk): 0}})["conversations"] == []
    assert canary not in json.dumps(far.heard)
    assert [one["content"] for one in said(circle.anna, circle.talk)] == [canary]


def test_reading_and_delivery_are_told_to_both(circle: Circle, dial: Dial) -> None:
    first, second, third = (talks.say(circle.anna, circle.talk, f"number {number}") for number in range(3))
    sender, reader, far = dial(circle.anna), dial(circle.juris), dial(circle.stranger)
    here = {"conversation_id": circle.talk}

    assert reader.ask("delivered", {**here, "seq": second["seq"]}) == {"messages_marked_delivered": 2}
    delivered = sender.expect("message_delivered")
    assert reader.ask("mark_read", {**here, "seq": first["seq"]}) == {"messages_marked_read": 1}
    read = sender.expect("message_read")
    circle.juris.put(f"{talks.TALKS}/{circle.talk}/read-all")
    rest = sender.expect("message_read", lambda data: data["seq"] == third["seq"])

    keys = {"conversation_id", "user_id", "seq", "at", "message_id"}
    assert set(delivered) == set(read) == set(rest) == keys
    assert (delivered["user_id"], delivered["message_id"]) == (circle.juris.id, second["id"])
    assert (read["user_id"], read["message_id"], rest["message_id"]) == (circle.juris.id, first["id"], third["id"])
    assert read["at"].endswith("Z")
    reader.expect("message_read", lambda data: data["seq"] == third["seq"])
    assert reader.ask("mark_read", {**here, "seq": 10**9}) == {"messages_marked_read": 0}
    caught_up(far)
    assert [name for name, _ in far.heard] == ["connected", "heartbeat_ack"]


def test_who_comes_and_goes_is_told_to_contacts_only(circle: Circle, dial: Dial) -> None:
    contact, far = dial(circle.anna), dial(circle.stranger)
    first = dial(circle.juris)
    for event in ("user_status_changed", "user_presence"):
        status = contact.expect(event)
        assert set(status) == PRESENCE
        assert (status["user_id"], status["status"]) == (circle.juris.id, "online")
    second = dial(circle.juris, "polling")
    first.close()
    caught_up(contact)
    assert len(contact.all_of("user_presence")) == 1
    second.close()
    for event in ("user_status_changed", "user_presence"):
        contact.expect(event, lambda data: data["status"] == "offline")
    caught_up(far, contact)
    assert [name for name, _ in far.heard] == ["connected", "heartbeat_ack"]


def test_presence_is_answered_for_those_who_are_asked_for(circle: Circle, dial: Dial) -> None:
    line = dial(circle.anna)
    dial(circle.juris)

    status = line.ask("get_user_status", {"user_id": circle.juris.id})
    assert set(status) == PRESENCE
    assert (status["user_id"], status["status"]) == (circle.juris.id, "online")
    assert line.expect("user_status") == status
    people = [circle.anna.id, circle.juris.id, circle.stranger.id, 987_654]
    answer = line.ask("get_presence", {"user_ids": people})
    assert set(answer) == {"presence", "users"}
    assert [one["status"] for one in answer["presence"]] == ["online", "online", "offline", "offline"]
    assert [one["user_id"] for one in answer["presence"]] == people
    assert line.expect("presence_data") == answer

    assert circle.juris.post("/api/blocks", json={"user_id": circle.anna.id}).status_code == 200
    hidden = line.ask("get_user_status", {"user_id": circle.juris.id})
    assert (hidden["status"], hidden["is_online"]) == ("offline", False)
    assert (hidden["last_seen"], hidden["last_seen_display"]) == (None, None)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_token_counts_with_bearer_before_it_wherever_it_is_sent(circle: Circle, dial: Dial, transport: str) -> None:
    token = f"Bearer {circle.anna.token}"
    for line in (dial(token, transport), dial(token, transport, query=True)):
        assert has(line.expect("connected"), CONNECTED)
        answer = line.ask("heartbeat", {"token": token})
        assert has(answer, HEARTBEAT_ACK)
        assert line.expect("heartbeat_ack") == answer


def test_when_somebody_was_there_is_said_in_the_readers_language(circle: Circle, dial: Dial) -> None:
    for language, words in (("en", "5 min ago"), ("lv", "pirms 5 min"), ("ru", "5 мин назад")):
        before = {"last_active_at": now() - timedelta(minutes=5, seconds=5)}
        seen = update(User).where(User.id == circle.juris.id).values(before)
        reader = update(User).where(User.id == circle.anna.id).values(language=language)
        with circle.anna.app.app_context():
            in_transaction(lambda seen=seen, reader=reader: [execute(seen), execute(reader)])
        status = dial(circle.anna).ask("get_user_status", {"user_id": circle.juris.id})
        assert (status["last_seen_display"], status["online_status"]) == (words, "offline")


def test_a_heartbeat_is_acknowledged(circle: Circle, dial: Dial) -> None:
    talks.say(circle.juris, circle.talk)
    line = dial(circle.anna)
    answer = line.ask("heartbeat")
    assert set(answer) == {"unread_count", "seconds", "status", "timestamp"}
    assert answer["unread_count"] == 1
    assert line.expect("heartbeat_ack") == answer


def test_a_client_that_only_polls_and_repeats_its_token_works(circle: Circle, dial: Dial) -> None:
    line, other = dial(circle.anna, "polling"), dial(circle.juris, "polling")
    me, here = {"token": circle.anna.token}, {"conversation_id": circle.talk}

    line.ask("join_conversation", {**me, **here})
    answer = line.ask("send_message", {**me, **here, "content": "By polling.", "client_message_id": "p-1"})
    assert other.expect("new_message")["message"] == answer["message"]
    other.ask("typing", {"token": circle.juris.token, **here, "is_typing": True})
    assert line.expect("user_typing")["user_id"] == circle.juris.id
    assert line.ask("heartbeat", me)["unread_count"] == 0
    assert line.ask("sync", {**me, "cursors": {}})["conversations"][0]["messages"] == [answer["message"]]


def test_an_event_cannot_bring_somebody_elses_token(circle: Circle, dial: Dial) -> None:
    line = dial(circle.stranger)
    before = line.ask("authenticate")
    sent = {"conversation_id": circle.talk, "content": "I am Anna.", "token": circle.anna.token}
    assert line.ask("send_message", sent)["code"] in {"not_found", "not_signed_in", "not_allowed"}
    assert line.ask("send_message", {**sent, "token": "nonsense"})["code"] == "not_signed_in"
    assert line.ask("authenticate") == before
    assert said(circle.juris, circle.talk) == []


def test_a_socket_lives_on_by_a_fresh_token_and_ends_with_the_old_one(circle: Circle, dial: Dial) -> None:
    fresh = jwt.decode(circle.anna.token, options={"verify_signature": False})["exp"]
    for seconds in SHORT:
        soon = int(time.time()) + seconds
        renewed, left = (dial(forged(circle.anna, exp=soon)) for _ in range(2))
        answers = []
        with suppress(SocketIOError):  # it is over already
            answers = [renewed.ask("authenticate", *sent) for sent in ((), ({"token": circle.anna.token},))]
        if time.time() < soon:
            break
    assert answers == [{"expires_at": soon}, {"expires_at": fresh}]

    assert left.wait_for_end()
    assert left.expect("error")["code"] == "not_signed_in"
    assert time.time() >= soon
    assert say(renewed, circle.talk)["message"]["seq"] == 1
    assert renewed.is_open
    assert renewed.all_of("error") == []


def test_sockets_are_looked_at_twice_in_the_time_in_which_whoever_is_signed_out_is_cut_off() -> None:
    assert 2 * connections.CHECK_SECONDS < CUT_OFF_SECONDS


def test_whoever_is_signed_out_is_cut_off(app: Flask, circle: Circle, dial: Dial) -> None:
    boss = Browser(app, address=circle.anna.address).signed_in("boss")
    with app.app_context():
        in_transaction(lambda: execute(update(User).where(User.id == boss.id).values(role="admin")))
    other, kept = log_in(circle.juris), log_in(circle.anna)
    new = {"current_password": PASSWORD, "new_password": "a longer one 17"}
    endings: dict[str, tuple[Line, Callable[[], Any]]] = {
        "signed out": (dial(circle.anna), lambda: circle.anna.post("/api/auth/logout")),
        "banned": (
            dial(circle.stranger, "polling"),
            lambda: boss.post(f"/api/admin/users/{circle.stranger.id}/ban", json={"reason": "spam"}),
        ),
        "new password": (dial(other), lambda: circle.juris.put("/api/auth/password", json=new)),
    }
    staying = [dial(kept), dial(circle.juris)]
    for name, (_, end) in endings.items():
        assert end().status_code == 200, name
    for name, (line, _) in endings.items():
        assert line.wait_for_end(), name
        problem = line.expect("error")
        assert set(problem) == {"message", "code"}, name
        assert problem["code"] == "not_signed_in", name
        assert problem["message"].endswith("."), name
    talks.say(kept, circle.talk, "after")
    caught_up(*staying)
    assert [len(line.all_of("new_message")) for line in staying] == [1, 1]
    assert [line.all_of("new_message") for line, _ in endings.values()] == [[], [], []]


def test_whoever_is_signed_out_sends_nothing_even_before_the_cut(circle: Circle, dial: Dial) -> None:
    line = dial(circle.anna)
    circle.anna.post("/api/auth/logout")
    assert say(line, circle.talk)["code"] == "not_signed_in"
    assert said(circle.juris, circle.talk) == []


def test_whoever_is_taken_out_of_a_room_hears_no_more_of_it(circle: Circle, dial: Dial) -> None:
    anna, juris, third = circle.anna, circle.juris, circle.stranger
    room = talks.room(anna, juris, third)
    here = {"conversation_id": room}
    lines = [dial(one) for one in (anna, juris, third)]
    for line in lines:
        line.ask("join_conversation", here)
    assert anna.delete(f"{talks.TALKS}/{room}/members/{juris.id}").status_code == 200

    lines[1].expect("conversation_updated", lambda data: data == here)
    assert lines[1].expect("left_conversation") == here
    lines[1].forget()
    assert lines[0].ask("typing", {**here, "is_typing": True})["passed_on"]
    say(lines[0], room, "Without Juris.")
    lines[2].expect("user_typing")
    lines[2].expect("new_message")
    assert lines[1].ask("join_conversation", here)["code"] == "not_found"
    assert [name for name, _ in lines[1].heard] == ["error"]


def test_the_same_client_message_id_over_socket_and_rest_is_stored_once(circle: Circle, dial: Dial) -> None:
    line, other = dial(circle.anna), dial(circle.juris)
    first = say(line, circle.talk, "Once.", client_message_id="same")
    again = say(line, circle.talk, "Once, I said.", client_message_id="same")
    path = f"{talks.TALKS}/{circle.talk}/messages"
    by_rest = circle.anna.post(path, json={"content": "Once.", "client_message_id": "same"})

    assert (first["existing"], again["existing"], by_rest.status_code) == (False, True, 200)
    assert first["message"] == again["message"] == by_rest.json["message"]
    say(line, circle.talk, "Next.")
    other.expect("new_message", lambda data: data["message"]["content"] == "Next.")
    assert [one["message"]["seq"] for one in other.all_of("new_message")] == [1, 2]
    elsewhere = talks.pair(circle.anna, circle.stranger, message="")
    assert say(line, elsewhere, "Once.", client_message_id="same")["code"] == "conflict"


def test_a_blocked_person_neither_writes_nor_types(circle: Circle, dial: Dial) -> None:
    line, blocker = dial(circle.anna), dial(circle.juris)
    blocker.ask("join_conversation", {"conversation_id": circle.talk})
    assert circle.juris.post("/api/blocks", json={"user_id": circle.anna.id}).status_code == 200

    for sender in (line, blocker):
        assert say(sender, circle.talk)["code"] == "blocked"
        assert sender.expect("error")["code"] == "blocked"
    assert line.ask("typing", {"conversation_id": circle.talk}) == {"passed_on": False}
    caught_up(blocker)
    assert blocker.all_of("user_typing") == []
    assert said(circle.anna, circle.talk) == []


def test_sync_answers_what_was_missed_by_cursor_and_page(circle: Circle, dial: Dial) -> None:
    ids = talks.fill(circle.anna, circle.talk, [f"number {number}" for number in range(230)])
    line = dial(circle.juris)
    cursor, found, rounds = 0, [], 0
    has_more = True
    while has_more:
        answer = line.ask("sync", {"cursors": {str(circle.talk): cursor}, "limit": 150})
        assert set(answer) == {"conversations", "has_more", "unread_count", "seen", "gone"}
        (part,) = answer["conversations"]
        assert set(part) == {"conversation_id", "rev", "has_more", "messages"}
        found += [one["id"] for one in part["messages"]]
        cursor, has_more, rounds = part["rev"], answer["has_more"], rounds + 1
    assert (found, cursor, rounds) == (ids, 230, 2)
    assert line.ask("sync", {"cursors": {str(circle.talk): cursor}})["conversations"] == []
