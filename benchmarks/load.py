"""A load generator cheap enough not to be what is measured: raw HTTP/1.1 over 32 kept connections."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

CONNECTIONS = 32


@dataclass
class Measured:
    """One run."""

    requests: int
    seconds: float
    failed: int
    p50_ms: float
    p95_ms: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class _Client(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last is whole."""

    def __init__(self, make: Callable[[], bytes], until: float, times: list[float], failures: list[bytes]) -> None:
        self.make, self.until, self.times, self.failures = make, until, times, failures
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.started = time.perf_counter()
        self.transport.write(self.make())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Both servers send Content-Length."""
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        self.times.append(time.perf_counter() - self.started)
        if head[9:11] != b"20":
            self.failures.append(self.buffer[:300])
        self.buffer = b""
        if time.perf_counter() < self.until:
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, wanted or not."""
        if not self.done.done():
            self.done.set_result(None)


def _length(head: bytes) -> int:
    lower = head.lower()
    start = lower.index(b"content-length:") + 15
    return int(lower[start : (lower + b"\r\n").index(b"\r\n", start)])


async def _run(port: int, make: Callable[[], bytes], seconds: float) -> Measured:
    times: list[float] = []
    failures: list[bytes] = []
    loop, started = asyncio.get_running_loop(), time.perf_counter()
    clients = [
        (await loop.create_connection(lambda: _Client(make, started + seconds, times, failures), "127.0.0.1", port))[1]
        for _ in range(CONNECTIONS)
    ]
    await asyncio.gather(*(client.done for client in clients))
    if failures:
        print("  failed:", failures[0][:200])
    whole = time.perf_counter() - started
    times.sort()
    middle, late = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.95))
    return Measured(len(times), whole, len(failures), middle, late)


def run(port: int, make: Callable[[], bytes], seconds: float, seed: str) -> Measured:
    """Load for so many seconds; the same seed makes the same requests, of which lists keep the answers for a while."""
    random.seed(seed)
    return asyncio.run(_run(port, make, seconds))


def get(path: str) -> bytes:
    """A GET."""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def post(path: str, body: bytes, token: str) -> bytes:
    """A POST of JSON with a token."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
