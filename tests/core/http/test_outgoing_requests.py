"""Nobody makes the server talk to its own network."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from marketplace.core.http import outgoing_requests
from marketplace.core.http.outgoing_requests import Refused, Unreachable, check, post

PRIVATE = """127.0.0.1 127.1 127.0.1 127.255.255.254 2130706433 0x7f000001 0x7f.0.0.1 0x7F.1 0177.0.0.1 017700000001
0177.1 0x7f.0x0.0x0.0x1 127.0.0.1. localhost LOCALHOST localhost. 0 0.0.0.0 0x0 00000000000 10.0.0.1 10.1 0xa000001
167772161 012.0.0.1 172.16.0.1 172.31.255.255 2886729729 192.168.0.1 192.168.1 3232235521 0xc0a80001 169.254.169.254
2852039166 0xa9fea9fe 0251.0376.0251.0376 169.16689662 100.64.0.1 100.100.100.200 192.0.0.1 192.0.2.1 198.18.0.1
198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 [::1] [::] [0:0:0:0:0:0:0:1]
[::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:7f00:1] [::127.0.0.1] [2002:7f00:1::] [2002:a00:1::]
[64:ff9b::7f00:1] [64:ff9b::169.254.169.254] [2001:0:7f00:1::] [fe80::1] [fc00::1] [fd00:ec2::254] [fec0::1]
[ff02::1] [2001:db8::1]""".split()
MALFORMED = [
    "",
    "https://",
    "//example.com/",
    "example.com",
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:70/_x",
    "data:text/plain,x",
    "javascript:alert(1)",
    "https://example.com@127.0.0.1/",
    "https://user:pass@example.com/",
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1\\.example.com/",
    "https://exa mple.com/",
    "https://example.com/\r\nHost: 127.0.0.1",
    "https://example.com/\t",
    "https://１２７.0.0.1/",
    "https://①②⑦.0.0.1/",
    "https://127。0。0。1/",
    "https://lo\u200bcalhost/",
    "https://%6c%6f%63alhost/",
    "https://[::1%25eth0]/",
    "https://[::1/",
    "https://example.com:22/",
    "https://example.com:99999/",
    "https://example.com:port/",
    "https://" + "a" * 2000 + ".com/",
]


BOUND = 60.0  # seconds, on a slow machine; who misbehaves does so for longer


class Canary:
    """A server on loopback that must not be found, unless it is meant to."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        canary = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                canary.seen.append((self.path, dict(self.headers), self.rfile.read(length)))
                answer(self)

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """End it."""
        self.server.shutdown()
        self.server.server_close()


def _say_ok(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(201)
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok")


@pytest.fixture
def canary() -> Iterator[Canary]:
    """Answers 201."""
    server = Canary(_say_ok)
    yield server
    server.stop()


def test_there_are_enough_spellings() -> None:
    assert len(PRIVATE) >= 60


@pytest.mark.parametrize("host", PRIVATE)
def test_no_spelling_of_a_private_address_is_reached(
    host: str, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing_requests, "PORTS", {canary.port})
    url = f"https://{host}:{canary.port}/"
    with pytest.raises(Refused):
        check(url)
    with pytest.raises((Refused, Unreachable)):
        post(url, data=b"", headers={}, timeout=2)
    assert canary.seen == []


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_no_plain_https_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        check(url)
    with pytest.raises(Refused):
        post(url, data=b"", headers={})


def test_a_name_that_is_not_there_is_told() -> None:
    with pytest.raises(Refused, match="no-such-name"):
        check("https://no-such-name.invalid/")
    with pytest.raises(Unreachable):
        post("https://no-such-name.invalid/", data=b"", headers={})


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _answer(monkeypatch, [["93.184.216.34", "10.0.0.7"]])
    with pytest.raises(Refused):
        check("https://example.com/")


def test_a_name_is_resolved_once_and_the_connection_goes_there(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing_requests, "PORTS", {canary.port})
    asked = _answer(monkeypatch, [["203.0.113.77"], ["127.0.0.1"]])
    monkeypatch.setattr(outgoing_requests, "is_public", lambda address: address == "203.0.113.77")
    with pytest.raises(Unreachable):
        post(f"https://rebind.example:{canary.port}/", data=b"", headers={}, timeout=0.3)
    names = [name for name in asked if name == "rebind.example"]
    assert (names, canary.seen) == (["rebind.example"], [])


def test_an_allowed_address_gets_body_and_headers(canary: Canary) -> None:
    url = f"http://{canary.address}/hook?x=1"
    answer = post(url, data=b"body", headers={"X-Test": "1", "Host": "evil"}, allowed=[canary.address])
    path, headers, body = canary.seen[0]
    assert (answer.status, answer.body) == (201, b"ok")
    assert (path, headers["X-Test"], headers["Host"], body) == ("/hook?x=1", "1", canary.address, b"body")


def test_a_redirect_is_just_an_answer(canary: Canary) -> None:
    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"http://{canary.address}/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    door = Canary(redirect)
    answer = post(f"http://{door.address}/", data=b"", headers={}, allowed=[door.address])
    door.stop()
    assert (answer.status, canary.seen) == (302, [])


@pytest.mark.parametrize("how", ["silent", "dripping", "endless", "closed"])
def test_a_server_that_misbehaves_does_not_hold_us(how: str) -> None:
    over = threading.Event()

    def misbehave(handler: BaseHTTPRequestHandler) -> None:
        if how == "silent":
            over.wait(BOUND)
        elif how == "closed":
            handler.connection.close()
        else:
            _pour(handler, how, over)

    server = Canary(misbehave)
    started = time.monotonic()
    with pytest.raises(Unreachable):
        post(f"http://{server.address}/", data=b"", headers={}, timeout=0.8, allowed=[server.address])
    over.set()
    server.stop()
    assert time.monotonic() - started < BOUND


def _pour(handler: BaseHTTPRequestHandler, how: str, over: threading.Event) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    piece, pause = (b"x", 0.2) if how == "dripping" else (b"x" * 65_536, 0.0)
    until = time.monotonic() + 2 * BOUND
    while time.monotonic() < until and not over.wait(pause):
        try:
            handler.wfile.write(piece)
            handler.wfile.flush()
        except OSError:
            return


def test_nobody_listening_is_told() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(Unreachable):
        post(f"http://{address}/", data=b"", headers={}, allowed=[address])


def test_a_certificate_nobody_vouches_for_is_not_accepted(canary: Canary, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    canary.server.socket = context.wrap_socket(canary.server.socket, server_side=True)
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        post(f"https://{canary.address}/", data=b"", headers={}, allowed=[canary.address])
    assert canary.seen == []


def _answer(monkeypatch: pytest.MonkeyPatch, answers: list[list[str]]) -> list[str]:
    """A resolver that says these, one after the other; the names it was asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        if not host.endswith("example") and not host.endswith("example.com"):
            return real(host, port, *args, **kwargs)
        found = answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def _certificate(folder: Path) -> Path:
    """Signed by itself, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    moment = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(moment).not_valid_after(moment + timedelta(days=1))
    certificate = built.sign(key, hashes.SHA256())
    file = folder / "server.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file
