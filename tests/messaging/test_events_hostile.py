"""Whatever is sent over a socket: an answer with a code, never a traceback, and the socket works on."""

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import websocket

from marketplace.messaging import sockets
from tests.contract.client import Browser
from tests.crash.processes import HTTP, Chat
from tests.factories import talks
from tests.messaging.conftest import TRANSPORTS, Circle, Dial
from tests.servers.waiting import PATIENCE, until

A_LINE = 45  # events; more in a second is throttled
FELT = float(os.environ.get("FLOOD_FELT", "10"))  # times as long as without a flood; 2 on a machine of its own
FIELDS = {
    "conversation_id": ["join_conversation", "leave_conversation", "typing", "send_message"],
    "is_typing": ["typing"],
    "content": ["send_message"],
    "client_message_id": ["send_message"],
    "reply_to_id": ["send_message"],
    "attachment_url": ["send_message"],
    "attachment_type": ["send_message"],
    "seq": ["mark_read", "delivered"],
    "cursors": ["sync"],
    "limit": ["sync"],
    "user_id": ["get_user_status"],
    "user_ids": ["get_presence"],
    "token": ["heartbeat", "authenticate", "send_message"],
}


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    made: Any = []
    for _ in range(depth):
        made = [made]
    return made


VALUES: list[Any] = [
    *(None, "", "abc", " ", "-1", "1e3", "١٢", "²", "NaN", "x" * 10_000, "\x00", "a\x00b", "\x07\x1b[2J", "\ud800"),
    *("\u202e", "<script>", "' OR 1=1 --", "\U0001f600" * 5_000),
    *(True, False, 0, -1, 1.5, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**90, 1e308, float("nan"), float("inf")),
    *([], [1], [None], [[1]], {}, {"a": 1}, {"": None}, nested(60), [0] * 2_000, b"", b"\xff\xfe\x00", {"a": b"x"}),
    *({"1": "x"}, {"1": -1}, {"1": None}, {"9" * 5_000: 1}, {"1" * 4_000: 1}, {"²": 1}, {"١": 1}, {"\ud800": 1}),
    *({str(number): 0 for number in range(2_500)}, {"1": 2**63}, {"1": float("nan")}),
]
WHOLE: list[tuple[Any, ...]] = [(), *((value,) for value in VALUES), ({}, {}), ({}, None, 5), (None, {}), ([], [], [])]


@pytest.fixture
def unharmed(chat: Chat) -> Iterator[None]:
    """Nothing that happens here is an error of ours."""
    before = len(chat.said())
    yield
    assert complaints(chat, before) == []


def complaints(chat: Chat, before: int) -> list[str]:
    """The last line of every traceback, and every error, since the log was so long."""
    lines = chat.said()[before:].splitlines()
    return sorted({line[:200] for line in lines if re.match(r"[\w.]*(Error|Exception|Refused\w*)\b|.*\[error", line)})


def cases(circle: Circle) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Every event with every wrong thing, as a whole and in each field."""
    good = {"conversation_id": circle.talk, "content": "Hello.", "seq": 0, "user_id": circle.juris.id, "user_ids": []}
    for event in sockets.EVENTS:
        yield from ((event, sent) for sent in WHOLE)
        for name, events in FIELDS.items():
            if event in events:
                yield from ((event, ({**good, name: value},)) for value in VALUES)


def is_plain(answer: Any) -> bool:
    """What was asked for, or a sentence and a code."""
    if not isinstance(answer, dict) or "error" not in answer:
        return isinstance(answer, dict)
    has_sentence = isinstance(answer["error"], str) and len(answer["error"].strip()) > 3
    return has_sentence and answer["code"] in {"invalid", "not_found", "not_signed_in"}


def test_every_event_with_every_wrong_thing_is_answered(circle: Circle, dial: Dial, unharmed: None) -> None:
    waiting = list(cases(circle))
    assert len(waiting) > 1_500
    wrong: dict[str, Any] = {}
    for start in range(0, len(waiting), A_LINE):
        line = dial(circle.anna)
        for event, sent in waiting[start : start + A_LINE]:
            answer = line.ask(event, *sent)
            if not is_plain(answer):
                wrong[f"{event} {str(sent)[:80]}"] = answer
        assert line.is_open, waiting[start : start + A_LINE]
        assert line.ask("authenticate")["expires_at"]
        line.close()
    assert wrong == {}


def test_a_forged_sender_is_ignored(circle: Circle, dial: Dial, unharmed: None) -> None:
    line, other = dial(circle.anna), dial(circle.juris)
    forged = {
        "sender_id": circle.juris.id,
        "user_id": circle.juris.id,
        "id": 1,
        "seq": 77,
        "rev": 77,
        "read_at": "2020-01-01",
    }
    answer = line.ask("send_message", {"conversation_id": circle.talk, "content": "It is me.", **forged})
    told = other.expect("new_message")["message"]
    assert told == answer["message"]
    assert (told["sender_id"], told["sender"]["username"], told["seq"], told["rev"]) == (circle.anna.id, "anna", 1, 1)
    assert told["read_at"] is None
    line.ask("mark_read", {"conversation_id": circle.talk, "seq": 1, "user_id": circle.juris.id})
    assert talks.unread(circle.juris) == 1


def test_the_longest_text_is_taken_as_it_is_and_a_longer_one_is_not(circle: Circle, dial: Dial, unharmed: None) -> None:
    line = dial(circle.anna)
    longest = "\U0001f600" * 4_999 + "."
    sent = {"conversation_id": circle.talk, "content": longest}
    assert line.ask("send_message", sent)["message"]["content"] == longest
    assert line.ask("send_message", {**sent, "content": longest + "."})["code"] == "invalid"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_unknown_events_are_answered(circle: Circle, dial: Dial, unharmed: None, transport: str) -> None:
    line = dial(circle.anna, transport)
    names = ["nothing", "", " ", "message", "json", "new_message", "__disconnect_final", "x" * 5_000, "\ud800", "\x00"]
    for name in names:
        answer = line.ask(name, {"conversation_id": circle.talk})
        assert answer["code"] == "unknown_event", name
        assert len(answer["error"]) < 200, name
    assert len(line.all_of("error")) == len(names)
    assert line.ask("authenticate")["expires_at"]


def test_the_names_of_our_own_signals_are_no_way_round_the_checks(circle: Circle, dial: Dial, unharmed: None) -> None:
    lines, spare = {event: dial(circle.anna) for event in ("connect", "disconnect", "*")}, dial(circle.juris)
    tries: tuple[tuple[Any, ...], ...] = ((), ("reason",), ({}, {"token": circle.stranger.token}), (None,))
    for event, line in lines.items():
        for sent in tries:
            line.send(event, *sent)
    for event, line in lines.items():
        handled = partial(line.ask, "get_user_status", {"user_id": circle.anna.id})
        until(f"{event} is handled", lambda line=line, handled=handled: not line.is_open or handled())  # type: ignore[misc]
    circle.anna.post("/api/auth/logout")
    cut = {event for event, line in lines.items() if line.wait_for_end()}
    for line in lines.values():
        line.forget()
    spare.ask("send_message", {"conversation_id": circle.talk, "content": "A secret."})
    spare.expect("new_message")
    spare.ask("heartbeat")
    for event, line in lines.items():
        assert line.all_of("new_message") == [], f"{event}: signed out, and still listening"
    assert cut == set(lines)


class Raw:
    """A WebSocket on which anything can be sent."""

    def __init__(self, chat: Chat, token: str = "") -> None:
        address = chat.sockets.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        self.socket = websocket.create_connection(address, timeout=PATIENCE)
        assert str(self.socket.recv()).startswith("0{")
        if token:
            self.connect(token)

    def connect(self, token: str) -> None:
        """Sign in."""
        self.socket.send("40" + json.dumps({"token": token}))
        self.expect("40{")

    def expect(self, beginning: str) -> str:
        """The next packet that begins so; raises when the other side hangs up or says nothing."""
        while not (found := str(self.socket.recv())).startswith(beginning):
            if found == "2":
                self.socket.send("3")
        return found

    def is_over(self) -> bool:
        """Whether the other side hangs up."""
        try:
            self.expect("nothing begins so")
        except websocket.WebSocketTimeoutException:
            return False
        except (websocket.WebSocketException, OSError):
            return True
        return False


GARBAGE = [
    *("42", "42[", "42[]", "42{}", "42null", "42[5]", "42[null]", "42[{}]", '42[["a"]]', '42"text"', '42["heartbeat"'),
    *('42/nowhere,["heartbeat"]', "420[]", "40/nowhere,", "43", "430[]", "43999[1]", "44", "45", "451-[]"),
    *('459-["x",{"_placeholder":true,"num":7}]', "4", "", "5", "6", "7", "8", "9", "zz", "\x00", "b4AAA="),
    '42["sync",' + "9" * 200 + "]",
    '42["sync",{"cursors":' + "[" * 900 + "]" * 900 + "}]",
    '42["sync",' + "[" * 20_000 + "]" * 20_000 + "]",
]


def test_packets_that_are_none_harm_nobody(chat: Chat, circle: Circle, dial: Dial, unharmed: None) -> None:
    line = dial(circle.juris)
    for packet in GARBAGE:
        raw = Raw(chat, circle.anna.token)
        raw.socket.settimeout(0.3)  # some end the line, some are answered, and some wait for more
        with suppress(OSError, websocket.WebSocketException):
            raw.socket.send(packet)
            raw.socket.send('4299["authenticate",{}]')
            raw.expect("4399[")
        raw.socket.close()
    assert line.ask("authenticate")["expires_at"]


def test_events_before_signing_in_are_not_handled(chat: Chat, circle: Circle, unharmed: None) -> None:
    raw = Raw(chat)
    words = {"conversation_id": circle.talk, "content": "x", "token": circle.anna.token}
    raw.socket.send("420" + json.dumps(["send_message", words]))
    raw.connect(circle.anna.token)
    raw.socket.send('421["heartbeat"]')
    assert '"unread_count":0' in raw.expect("431[")
    assert circle.anna.get(f"{talks.TALKS}/{circle.talk}/messages").json["messages"] == []
    raw.socket.close()


def test_signing_in_twice_on_one_socket_leaves_nothing_behind(chat: Chat, circle: Circle, dial: Dial) -> None:
    line = dial(circle.juris)
    raw = Raw(chat, circle.anna.token)
    for _ in range(3):
        raw.socket.send("40" + json.dumps({"token": circle.anna.token}))
    raw.socket.send('425["heartbeat"]')
    raw.expect("435[")
    raw.socket.close()

    def status() -> bool:
        return bool(line.ask("get_user_status", {"user_id": circle.anna.id})["status"] == "offline")

    until("she is gone", lambda: threading.Event().wait(0.1) or status())


def test_a_frame_of_more_than_64_kilobytes_closes_that_connection_only(
    chat: Chat, circle: Circle, dial: Dial, unharmed: None
) -> None:
    kept, polling = dial(circle.anna), dial(circle.anna, "polling")
    raw = Raw(chat, circle.anna.token)
    huge = "42" + json.dumps(["send_message", {"conversation_id": circle.talk, "content": "x" * 70_000}])
    raw.socket.send(huge)
    assert raw.is_over()
    pieces = Raw(chat, circle.anna.token)
    with suppress(OSError):
        for number in range(8):
            frame = websocket.ABNF.create_frame("x" * 16_000, 1 if number == 0 else 0, 1 if number == 7 else 0)
            pieces.socket.send_frame(frame)
    assert pieces.is_over()
    session = f"{chat.sockets}/socket.io/?EIO=4&transport=polling"
    sid = json.loads(HTTP.get(session).text[1:])["sid"]
    assert HTTP.post(f"{session}&sid={sid}", data=huge, timeout=PATIENCE).status_code in {400, 413}
    for line in (kept, polling):
        assert line.is_open
        assert line.ask("authenticate")["expires_at"]
    assert circle.anna.get(f"{talks.TALKS}/{circle.talk}/messages").json["messages"] == []


def test_who_comes_and_goes_takes_nobodys_place(chat: Chat, circle: Circle) -> None:
    for _ in range(120):
        Raw(chat, circle.anna.token).socket.close()


def test_many_sockets_of_one_person_come_and_go(chat: Chat, circle: Circle, dial: Dial, unharmed: None) -> None:
    line = dial(circle.juris)
    many = [Raw(chat, circle.anna.token) for _ in range(50)]
    assert circle.stranger.get(talks.TALKS).status_code == 200
    line.ask("send_message", {"conversation_id": circle.talk, "content": "To all of you."})
    assert all("To all of you." in one.expect('42["new_message"') for one in many)
    for one in many:
        one.socket.close()
    line.expect("user_presence", lambda data: data["status"] == "offline")


# -- floods ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def limited(chat: Chat, served: Callable[..., Chat], database: str) -> Chat:
    """The same with the limits of a production."""
    assert chat
    return served(database, LIMIT_DEFAULT="100000 per minute", LIMIT_SIGN_UP="1000 per hour", RATE_LIMITS="1")


class Flood:
    """So many packets a second, again after being cut off; on a slow machine fewer, in more seconds."""

    def __init__(self, chat: Chat, token: str, packet: str, rate: int) -> None:
        self.chat, self.token, self.packet, self.rate = chat, token, packet, rate
        self.sent = self.cuts = 0
        self.begun = time.monotonic()
        self.heard: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._pour, daemon=True)

    def __enter__(self) -> "Flood":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def refused(self) -> int:
        """How many packets were answered by a refusal."""
        return sum("too_many_requests" in packet for packet in list(self.heard))

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self.begun

    def _pour(self) -> None:
        while not self._over.is_set():
            raw = Raw(self.chat, self.token)
            reading = threading.Thread(target=self._drain, args=(raw,), daemon=True)
            reading.start()
            with suppress(OSError, websocket.WebSocketException):
                while not self._over.wait(0.02) and reading.is_alive():
                    for _ in range(self.rate // 50):
                        raw.socket.send(self.packet)
                        self.sent += 1
            self.cuts += not self._over.is_set()
            raw.socket.close()
            reading.join()

    def _drain(self, raw: Raw) -> None:
        with suppress(OSError, websocket.WebSocketException):
            while packet := str(raw.socket.recv()):
                self.heard.append(packet[:200])


def slowest(person: Browser, number: int = 100) -> float:
    """The 99th percentile of what others wait for."""
    times = []
    for _ in range(number):
        begun = time.perf_counter()
        assert person.get(talks.TALKS).status_code == 200
        times.append(time.perf_counter() - begun)
    return sorted(times)[number * 99 // 100 - 1]


def flooded(chat: Chat, circle: Circle, packet: str, rate: int) -> tuple[Flood, float, float]:
    """What came of a flood: the flood, and what the stranger waited for without and with it."""
    other = Browser(circle.stranger.app, circle.stranger.user, circle.stranger.token, address=chat.rest)
    quiet = slowest(other)
    with Flood(chat, circle.anna.token, packet, rate) as flood:
        until("the flood is refused", lambda: flood.sent > rate and flood.refused)
        loud = slowest(other)
        until("it goes on and is refused", lambda: flood.sent > 2 * rate and flood.refused > rate / 5)
    print(f"{rate} a second: {flood.sent} sent, {flood.cuts} cuts, p99 {quiet * 1000:.1f} -> {loud * 1000:.1f} ms")
    return flood, quiet, loud


FLOODS: dict[str, Callable[[int], Any]] = {
    "typing": lambda talk: ["typing", {"conversation_id": talk, "is_typing": True}],
    "sync": lambda _: ["sync", {"cursors": {}}],
    "unknown": lambda _: ["nothing", {}],
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_throttled_and_not_felt_by_others(limited: Chat, circle: Circle, name: str) -> None:
    before = len(limited.said())
    flood, quiet, loud = flooded(limited, circle, "42" + json.dumps(FLOODS[name](circle.talk)), 500)
    assert flood.refused > 0
    assert loud < FELT * max(quiet, 0.03)
    assert complaints(limited, before) == []


def test_more_than_twenty_messages_a_second_are_throttled(limited: Chat, circle: Circle) -> None:
    words = ["send_message", {"conversation_id": circle.talk, "content": "x"}]
    flood, quiet, loud = flooded(limited, circle, "421" + json.dumps(words), 50)
    seconds = flood.seconds
    stored = circle.anna.get(f"{talks.TALKS}/{circle.talk}/messages?per_page=100").json["total"]
    answers = [packet for packet in flood.heard if packet.startswith("431[")]
    refused = [packet for packet in answers if "too_many_requests" in packet]
    assert 0 <= stored - (len(answers) - len(refused)) <= flood.sent - len(answers)  # the last may come too late
    assert stored <= 11 * (seconds + 2)
    assert flood.cuts == 0
    assert loud < FELT * max(quiet, 0.03)
