"""A client as docs/chat.md teaches: it catches up by cursors, and repeats what was not acknowledged.

It keeps, per conversation, its messages by id and the highest `rev` below which it lacks nothing.
"""

import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import socketio
from socketio.exceptions import SocketIOError

from tests.servers.waiting import PATIENCE

TRY_AGAIN = {"busy", "internal", "too_many_requests"}
ANSWER_SECONDS = 10.0  # then it is asked again
PAUSE = 0.05
CHANGES = ("new_message", "message_updated")


class Client:
    """One socket of somebody that talks, loses the network, and comes back."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        transports: tuple[str, ...] = ("websocket",),
        beats_every: float = 1.0,
        catches_up: bool = True,
    ) -> None:
        self.address, self.token, self.transports = address, token, transports
        self.beats_every, self.catches_up = beats_every, catches_up
        self.messages: dict[int, dict[int, dict[str, Any]]] = defaultdict(dict)
        self.revs: dict[int, int] = {}
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, str] = {}
        self.syncs = self.repeats = self.connections = 0
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque()
        self._lock = threading.Condition()
        self._is_behind = self._is_closed = self._is_open = False
        self._answer: list[Any] = []
        self._asked = 0
        self._next_beat = time.monotonic() + beats_every
        self._socket = socketio.Client(
            reconnection_delay=PAUSE, reconnection_delay_max=0.3, handle_sigint=False, request_timeout=PATIENCE
        )
        self._socket.on("connected", self._on_connected)
        self._socket.on("disconnect", self._on_disconnect)
        for event in CHANGES:
            self._socket.on(event, self._on_change)
        self._thread = threading.Thread(target=self._work, daemon=True)

    def open(self) -> "Client":
        """Connect; from here on it comes back by itself."""
        self._connect()
        self._thread.start()
        return self

    def leave(self) -> None:
        """Lose the network."""
        self._socket.disconnect()

    def come_back(self) -> None:
        """Have it again."""
        self._connect()

    def close(self) -> None:
        """For good."""
        with self._lock:
            self._is_closed = True
            self._lock.notify_all()
        self._socket.disconnect()
        self._socket.shutdown()
        if self._thread.is_alive():
            self._thread.join(ANSWER_SECONDS)

    def say(self, conversation_id: int, content: str) -> str:
        """Queue a message; it is sent until it is acknowledged, always with the same client_message_id."""
        name = uuid.uuid4().hex
        message = {"conversation_id": conversation_id, "content": content, "client_message_id": name}
        with self._lock:
            self._waiting.append((name, message))
            self._lock.notify_all()
        return name

    @property
    def unsent(self) -> int:
        """How many messages wait for their acknowledgement."""
        return len(self._waiting)

    def shown(self, conversation_id: int) -> list[dict[str, Any]]:
        """What the person sees: the messages by their number."""
        with self._lock:
            return sorted(self.messages[conversation_id].values(), key=lambda one: int(one["seq"]))

    def wait(self, true: Callable[[], Any], seconds: float = PATIENCE) -> bool:
        """Until something that arrives makes this true."""
        with self._lock:
            return bool(self._lock.wait_for(true, seconds))

    def _connect(self) -> None:
        auth, transports = {"token": self.token}, list(self.transports)
        self._socket.connect(self.address, auth=auth, transports=transports, wait_timeout=PATIENCE)

    def has(self, number: int) -> bool:
        """Whether it holds so many messages in all."""
        return sum(map(len, self.messages.values())) >= number

    def _on_connected(self, _data: Any) -> None:
        with self._lock:
            self._is_open, self._is_behind = True, self.catches_up
            self.connections += 1
            self._lock.notify_all()

    def _on_disconnect(self, *_reason: Any) -> None:
        with self._lock:
            self._is_open = False
            self._lock.notify_all()

    def _on_change(self, data: dict[str, Any]) -> None:
        """The next change is taken in; after a gap it is asked what was missed."""
        conversation_id, rev = data["conversation_id"], data["message"]["rev"]
        with self._lock:
            self._take_in(data["message"])
            known = self.revs.get(conversation_id, 0)
            if rev == known + 1:
                self.revs[conversation_id] = rev
            elif rev > known:
                self._is_behind = self.catches_up
            self._lock.notify_all()

    def _take_in(self, message: dict[str, Any]) -> None:
        here = self.messages[message["conversation_id"]]
        known = here.get(message["id"])
        if known is None or known["rev"] <= message["rev"]:
            here[message["id"]] = message

    def _work(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(self._is_due, max(0.0, self._next_beat - time.monotonic()))
                if self._is_closed:
                    return
                is_open, is_behind = self._is_open, self._is_behind
            if not is_open:
                self._next_beat = time.monotonic() + PAUSE
                continue
            is_beat = time.monotonic() >= self._next_beat
            if is_behind or (is_beat and self.catches_up):
                self._catch_up()
            if is_beat:
                self._next_beat = time.monotonic() + self.beats_every
                self._ask("heartbeat", {})
            self._send_next()

    def _is_due(self) -> bool:
        return self._is_closed or (self._is_open and (self._is_behind or bool(self._waiting)))

    def _catch_up(self) -> None:
        """Ask from the cursors on until nothing is left."""
        has_more = True
        while has_more:
            with self._lock:
                cursors = {str(conversation_id): rev for conversation_id, rev in self.revs.items()}
                self._is_behind = False
            answer = self._ask("sync", {"cursors": cursors})
            with self._lock:
                if not isinstance(answer, dict) or "error" in answer:
                    self._is_behind = True
                    self._lock.wait_for(lambda: self._is_closed, PAUSE)
                    return
                self.syncs += 1
                for part in answer["conversations"]:
                    for message in part["messages"]:
                        self._take_in(message)
                    known = self.revs.get(part["conversation_id"], 0)
                    self.revs[part["conversation_id"]] = max(known, part["rev"])
                has_more = answer["has_more"]
                self._lock.notify_all()

    def _send_next(self) -> None:
        """One at a time, so that what is said first stands first."""
        if not self._waiting:
            return
        name, message = self._waiting[0]
        answer = self._ask("send_message", message)
        if isinstance(answer, dict) and "message" in answer:
            with self._lock:
                self.acknowledged[name] = answer["message"]
                self._waiting.popleft()
                self._lock.notify_all()
        elif isinstance(answer, dict) and answer.get("code") not in TRY_AGAIN:
            self.refused[name] = str(answer.get("code"))
            self._waiting.popleft()
        else:
            self.repeats += 1
            with self._lock:
                self._lock.wait_for(lambda: self._is_closed, PAUSE)

    def _ask(self, event: str, data: dict[str, Any]) -> Any:
        """The acknowledgement; None where the connection ended before it came."""
        with self._lock:
            self._asked += 1
            number, self._answer = self._asked, []

        def answered(*answer: Any) -> None:
            with self._lock:
                if number == self._asked:
                    self._answer = [answer[0] if answer else None]
                    self._lock.notify_all()

        try:
            self._socket.emit(event, data, callback=answered)
        except SocketIOError:
            return None
        with self._lock:
            self._lock.wait_for(lambda: self._answer or not self._is_open or self._is_closed, ANSWER_SECONDS)
            return self._answer[0] if self._answer else None


class Line:
    """One socket that only records what it hears, for tests of single events."""

    def __init__(self, address: str, token: Any, *, transport: str = "websocket", in_query: bool = False) -> None:
        self.address, self.token, self.transport, self.in_query = address, token, transport, in_query
        self.heard: list[tuple[str, Any]] = []
        self.refusal: Any = None
        self.is_open = False
        self._news = threading.Condition()
        self._socket = socketio.Client(reconnection=False, handle_sigint=False, request_timeout=PATIENCE)
        self._socket.on("*", self._note)
        self._socket.on("connect_error", self._on_refusal)
        self._socket.on("disconnect", self._on_end)

    def open(self) -> "Line":
        """Connect; `refusal` says why not."""
        address = f"{self.address}?token={quote(str(self.token))}" if self.in_query else self.address
        auth = None if self.in_query or self.token is None else {"token": self.token}
        try:
            self._socket.connect(address, auth=auth, transports=[self.transport], wait_timeout=PATIENCE)
        except SocketIOError as error:
            self.refusal = self.refusal or str(error)
        else:
            self.is_open = True
            self.expect("connected")
        return self

    def close(self) -> None:
        """Hang up, whatever the other side does."""
        leaving = threading.Thread(target=self._socket.disconnect, daemon=True)
        leaving.start()
        leaving.join(2.0)
        self._socket.eio.disconnect(abort=True)

    def ask(self, event: str, *data: Any) -> Any:
        """Send and wait for the acknowledgement."""
        return self._socket.call(event, data, timeout=PATIENCE)

    def send(self, event: str, *data: Any, callback: Callable[..., None] | None = None) -> None:
        """Send, and go on."""
        self._socket.emit(event, data, callback=callback)

    def all_of(self, event: str) -> list[Any]:
        """What came by this name so far."""
        return [data for name, data in list(self.heard) if name == event]

    def expect(self, event: str, true: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first of these that has come, or comes."""
        with self._news:
            self._news.wait_for(lambda: any(map(true, self.all_of(event))), PATIENCE)
        found = [data for data in self.all_of(event) if true(data)]
        assert found, f"no {event}; heard {self.heard}"
        return found[0]

    def wait_for_end(self) -> bool:
        """Whether the other side hangs up."""
        with self._news:
            return self._news.wait_for(lambda: not self.is_open, PATIENCE)

    def forget(self) -> None:
        """Listen afresh."""
        self.heard.clear()

    def _note(self, event: str, *data: Any) -> None:
        with self._news:
            self.heard.append((event, data[0] if len(data) == 1 else list(data)))
            self._news.notify_all()

    def _on_refusal(self, reason: Any) -> None:
        self.refusal = reason

    def _on_end(self, *_reason: Any) -> None:
        with self._news:
            self.is_open = False
            self._news.notify_all()
