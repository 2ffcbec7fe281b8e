"""Whatever is sent over a socket, by whichever transport, is done or refused aloud: nothing vanishes."""

import json
import time
from typing import Any

import pytest
import requests

from marketplace.messaging import sockets
from tests.crash.processes import HTTP, Chat
from tests.factories import talks
from tests.messaging.conftest import Circle, Dial
from tests.messaging.test_events_hostile import Raw
from tests.servers.waiting import PATIENCE

SEPARATOR = "\x1e"
MOST_POSTS = 20


class Poll:
    """A session over polling, packet by packet."""

    def __init__(self, chat: Chat, token: str = "") -> None:
        self.address = f"{chat.sockets}/socket.io/?EIO=4&transport=polling"
        opened = HTTP.get(self.address).text
        self.address += "&sid=" + json.loads(opened[1:])["sid"]
        if token:
            assert self.post("40" + json.dumps({"token": token})).ok
            self.hear("connected")

    def post(self, *packets: str, **how: Any) -> requests.Response:
        """All of them in one request."""
        return HTTP.post(self.address, data=SEPARATOR.join(packets).encode(), timeout=PATIENCE, **how)

    def packets(self) -> list[str]:
        """What the next answer brings."""
        return HTTP.get(self.address, timeout=PATIENCE).text.split(SEPARATOR)

    def hear(self, word: str) -> str:
        """The next packet with this word."""
        while True:
            for packet in self.packets():
                if word in packet:
                    return packet

    def acknowledgements(self, number: int) -> dict[int, Any]:
        """So many, by the number of what they answer."""
        found: dict[int, Any] = {}
        while len(found) < number:
            packets = self.packets()
            assert len(packets) <= 16, "more than clients in Python read"
            for packet in packets:
                if packet.startswith("43"):
                    name, _, rest = packet[2:].partition("[")
                    found[int(name)] = json.loads("[" + rest)[0]
        return found


@pytest.fixture
def poll(chat: Chat, circle: Circle) -> Poll:
    """Anna's."""
    return Poll(chat, circle.anna.token)


def event(number: int, name: str, data: Any) -> str:
    """One that asks for an acknowledgement."""
    return f"42{number}" + json.dumps([name, data])


def messages(circle: Circle) -> list[str]:
    """What is stored."""
    found = circle.anna.get(f"{talks.TALKS}/{circle.talk}/messages?per_page=100").json["messages"]
    return [message["content"] for message in found]


def say(circle: Circle, number: int) -> str:
    """A message, as an event."""
    return event(number, "send_message", {"conversation_id": circle.talk, "content": f"Word {number}."})


@pytest.mark.parametrize("number", [17, 55])
def test_a_burst_over_polling_is_stored_and_acknowledged(circle: Circle, poll: Poll, number: int) -> None:
    assert poll.post(*(say(circle, one) for one in range(number))).status_code == 200
    answers = poll.acknowledgements(number)
    assert all("message" in answer for answer in answers.values()), answers
    assert messages(circle) == [f"Word {one}." for one in range(number)]


def test_more_events_than_a_second_takes_are_each_refused_by_name(circle: Circle, poll: Poll) -> None:
    sent = [event(number, "typing", {"conversation_id": circle.talk}) for number in range(140)]
    for _ in range(MOST_POSTS):
        begun = time.monotonic()
        assert poll.post(*sent).status_code == 200
        answers = poll.acknowledgements(140)
        refused = [answer["code"] for answer in answers.values() if "error" in answer]
        seconds = time.monotonic() - begun
        assert set(refused) <= {"too_many_requests"}
        assert 140 - len(refused) <= sockets.EVENTS_A_SECOND * (2 + int(seconds))  # those that begin or end in between
        if refused:  # not on a machine that needs longer than the limit allows
            return
    raise AssertionError("none was refused")


def test_a_body_without_a_length_counts_like_any_other(circle: Circle, poll: Poll) -> None:
    whole = SEPARATOR.join(say(circle, number) for number in range(20)).encode()
    assert HTTP.post(poll.address, data=iter([whole[:50], whole[50:]]), timeout=PATIENCE).status_code == 200
    assert set(poll.acknowledgements(20)) == set(range(20))
    assert len(messages(circle)) == 20
    answer = HTTP.post(poll.address, data=iter([b"4" * 40_000] * 2), timeout=PATIENCE)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "64 kB" in answer.json()["message"]


BAD = {
    "no packet": ["zz"],
    "an empty one": ["", ""],
    "no base64": ["b4AA="],
    "no letters": ["4\udcff"],
    "no such kind": ["49"],
    "half a text": ['42["send_message"'],
    "a kind of the server's": ["6"],
    "too many attachments": ['45999-["send_message",{"_placeholder":true,"num":0}]'],
    "words for an attachment": ['451-["send_message",{"_placeholder":true,"num":0}]', '42["heartbeat",{}]'],
}


@pytest.mark.parametrize("kind", BAD)
def test_a_post_that_cannot_be_done_whole_is_a_400_and_ends_the_session(circle: Circle, poll: Poll, kind: str) -> None:
    sent = SEPARATOR.join([say(circle, 1), *BAD[kind], say(circle, 2)]).encode(errors="surrogateescape")
    answer = HTTP.post(poll.address, data=sent, timeout=PATIENCE)
    assert answer.status_code == 400
    assert "could not be read" in answer.text
    assert HTTP.get(poll.address, timeout=PATIENCE).status_code == 400
    assert messages(circle) in ([], ["Word 1."])


@pytest.mark.parametrize("kind", ["half a text", "too many attachments", "words for an attachment"])
def test_a_websocket_that_ends_for_its_words_says_so(chat: Chat, circle: Circle, kind: str) -> None:
    raw = Raw(chat, circle.anna.token)
    for packet in BAD[kind]:
        raw.socket.send(packet)
    assert '"malformed"' in raw.expect('42["error"')
    assert raw.is_over()


def test_a_frame_that_is_too_long_is_named_before_the_line_ends(chat: Chat, circle: Circle) -> None:
    raw = Raw(chat, circle.anna.token)
    raw.socket.send(event(1, "send_message", {"conversation_id": circle.talk, "content": "x" * 70_000}))
    told = json.loads(raw.expect('42["error"')[2:])[1]
    assert told["code"] == "too_large"
    assert "64 kB" in told["message"]
    assert raw.is_over()


def test_an_event_before_the_connection_is_accepted_is_answered(chat: Chat, circle: Circle) -> None:
    raw = Raw(chat)
    raw.socket.send(say(circle, 7))
    assert '"not_signed_in"' in raw.expect('42["error"')
    assert '"not_signed_in"' in raw.expect("437[")
    raw.connect(circle.anna.token)
    for _ in range(61):
        raw.socket.send('42/nowhere,["heartbeat"]')
    assert raw.is_over()


def test_a_burst_that_connects_and_speaks_in_one_request_is_heard(chat: Chat, circle: Circle) -> None:
    poll = Poll(chat)
    sent = [say(circle, number) for number in range(20)]
    assert poll.post("40" + json.dumps({"token": circle.anna.token}), *sent).status_code == 200
    assert len(poll.acknowledgements(20)) == len(messages(circle)) == 20


def test_a_burst_over_a_websocket_is_stored_and_acknowledged(circle: Circle, dial: Dial) -> None:
    line = dial(circle.anna)
    answers: list[Any] = []
    for number in range(40):
        words = {"conversation_id": circle.talk, "content": f"Word {number}."}
        line.send("send_message", words, callback=lambda *answer: answers.append(answer))
    line.ask("heartbeat")
    assert len(messages(circle)) == 40
