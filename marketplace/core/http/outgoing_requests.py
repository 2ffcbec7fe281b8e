"""Requests to addresses that somebody gave us: never to our own network.

The name is resolved once, every address it has must be a public one, and the connection goes to
exactly such an address: a name that answers otherwise the second time ("DNS rebinding") is not asked
a second time. Redirects are not followed.
"""

import re
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import certifi

from marketplace.kit.lazy_module import lazy_module

if TYPE_CHECKING:
    import urllib3.connection as urllib3_connection
    import urllib3.exceptions as urllib3_exceptions
    from urllib3.connection import HTTPConnection
else:
    urllib3_connection = lazy_module("urllib3.connection")
    urllib3_exceptions = lazy_module("urllib3.exceptions")

LONGEST_URL = 2000
LARGEST_ANSWER = 64 * 1024
CHUNK = 8 * 1024
PORTS = frozenset({443, 8443})
HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")
PRINTABLE = re.compile(r"[!-\[\]-~]+")  # ASCII without blanks and backslashes
# An IPv6 address that carries an IPv4 one can lead anywhere that one does.
CARRIERS = tuple(IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96"))


class Refused(Exception):
    """This address is not one we send anything to; the message is a sentence for a person."""


class Unreachable(Exception):
    """No connection, no answer in time, or an answer that is too large."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body of what came back; redirects are not followed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    secure: bool
    host: str
    port: int
    path: str
    trusted: bool


def check(url: str, *, allowed: Collection[str] = ()) -> None:
    """Raises Refused for an address that is malformed, not public now, or not there at all.

    `allowed` names "host:port" pairs that may be private and without TLS.
    """
    target = _parse(url, allowed)
    try:
        _resolve(target)
    except Unreachable:
        raise Refused(f"There is no {target.host} to be found.") from None


def post(
    url: str, *, data: bytes, headers: Mapping[str, str], timeout: float = 10.0, allowed: Collection[str] = ()
) -> Answer:
    """One POST, over in `timeout` seconds whatever the other side does; raises Refused, Unreachable."""
    target = _parse(url, allowed)
    connection = _connection(target, _resolve(target), timeout)
    sent = {name: value for name, value in headers.items() if name.lower() != "host"}
    try:
        with closing(connection), _deadline(connection, timeout):
            to = {**sent, "Host": _host_header(target)}
            connection.request("POST", target.path, body=data, headers=to, preload_content=False)
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), _read(response))
    except (urllib3_exceptions.HTTPError, OSError, ValueError) as error:
        raise Unreachable(f"{target.host}: {type(error).__name__}: {error}") from error


def _parse(url: str, allowed: Collection[str]) -> _Target:
    if len(url) > LONGEST_URL or not PRINTABLE.fullmatch(url):
        raise Refused("This is not a web address.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("This is not a web address.") from None
    host = parts.netloc.rpartition("@")[2].lower()
    host = host[: host.index("]") + 1] if "]" in host else host.partition(":")[0]
    if parts.scheme not in {"https", "http"} or "@" in parts.netloc or not HOST.fullmatch(host):
        raise Refused("This address must look like https://name/path.")
    port = port if port is not None else {"https": 443, "http": 80}[parts.scheme]
    trusted = f"{host}:{port}" in allowed
    if not trusted and (parts.scheme != "https" or port not in PORTS):
        raise Refused("This address must start with https:// and use the usual port.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(parts.scheme == "https", host, port, path, trusted)


def _resolve(target: _Target) -> str:
    """One of its addresses, all of which are public; raises Refused, Unreachable."""
    try:
        found = socket.getaddrinfo(target.host.strip("[]"), target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{target.host}: {error}") from None
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not addresses or not (target.trusted or all(is_public(address) for address in addresses)):
        raise Refused("This address does not lead to a public place on the internet.")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether anybody on the internet could be behind it (IANA special-purpose registries)."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return _is_public(ip.ipv4_mapped)
        if any(ip in carrier for carrier in CARRIERS) or ip.is_site_local:
            return False
    return _is_public(ip)


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


def _connection(target: _Target, address: str, timeout: float) -> "HTTPConnection":
    if not target.secure:
        return urllib3_connection.HTTPConnection(address, target.port, timeout=timeout)
    name = target.host.strip("[]")
    return urllib3_connection.HTTPSConnection(
        address,
        target.port,
        timeout=timeout,
        server_hostname=name,
        assert_hostname=name,
        cert_reqs=ssl.CERT_REQUIRED,
        ca_certs=certifi.where(),
    )


@contextmanager
def _deadline(connection: "HTTPConnection", seconds: float) -> Iterator[None]:
    """Timeouts of a socket count from byte to byte; this one counts for the whole, the handshake too."""
    sockets: list[socket.socket] = []

    def cut() -> None:
        for one in [*sockets, connection.sock]:
            with suppress(OSError, AttributeError):
                one.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    started = time.monotonic()
    timer.start()
    try:
        connection.connect()
        sockets.append(connection.sock)  # once there is an answer the connection does not know it any more
        yield
    finally:
        timer.cancel()
    if time.monotonic() - started > seconds:
        raise TimeoutError("it took too long")


def _read(response: object) -> bytes:
    body = b""
    while chunk := response.read(CHUNK):  # type: ignore[attr-defined]
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise ValueError("the answer is too large")
    return body


def _host_header(target: _Target) -> str:
    usual = {True: 443, False: 80}[target.secure]
    return target.host if target.port == usual else f"{target.host}:{target.port}"
