"""What a setting may look like: each form says so in words and checks a value of the environment."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr
from hashlib import algorithms_available
from ipaddress import ip_address
from itertools import pairwise
from urllib.parse import SplitResult, urlsplit

from limits import parse_many
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DRIVERS = {"postgres", "postgresql", "postgresql+psycopg", "sqlite", "sqlite+pysqlite"}
HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*\.?", re.I)
MAIL_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
SCRYPT = re.compile(r"scrypt(:[0-9]{1,9}:[0-9]{1,4}:[0-9]{1,4})?")
PBKDF2 = re.compile(r"pbkdf2(:[a-z0-9_]+(:[0-9]{1,9})?)?")
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
COMMON_WORDS = ("changeme", "secret", "password", "example", "development", "insecure", "default", "qwerty")
FEWEST_CHARACTERS = 8  # of 32 random hexadecimal digits, fewer than 8 different ones come once in 10 million
FEWEST_BYTES = 16
MOST_OF_A_LIMIT = 1_000_000  # more is no limit
SCRYPT_COST = 2**15 * 8  # what Werkzeug takes by itself
PBKDF2_ROUNDS = {"sha256": 600_000, "sha512": 210_000}  # OWASP Password Storage Cheat Sheet


@dataclass(frozen=True, slots=True)
class Form:
    """`words` completes "NAME must be ..."; `fits` may raise ValueError, which means no."""

    words: str
    fits: Callable[[str], object]

    def takes(self, value: str) -> bool:
        """Whether the value has this form."""
        try:
            return bool(self.fits(value))
        except ValueError:
            return False


def key_bytes(text: str) -> bytes:
    """What a key of 32 bytes in base64url holds, with or without padding; raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}=?", text):
        raise ValueError(text)
    return base64.urlsafe_b64decode(text[:43] + "=")


def is_weak_secret(secret: str) -> bool:
    """Too short, few different characters, a piece repeated, a row of neighbours, or a word everybody tries."""
    plain = re.sub(r"[^a-z]", "", secret.lower())
    return (
        len(secret) < 32
        or len(set(secret)) < FEWEST_CHARACTERS
        or _is_regular([ord(character) for character in secret])
        or any(word in plain for word in COMMON_WORDS)
    )


def is_weak_key(key: str) -> bool:
    """Whether a Fernet key has too few different bytes, or a pattern, to be random."""
    found = key_bytes(key)
    return len(set(found)) < FEWEST_BYTES or _is_regular(list(found))


def is_weak_hash(method: str) -> bool:
    """Whether a Werkzeug method costs less than OWASP recommends."""
    kind, *parts = method.split(":")
    if kind == "scrypt":
        cost, size, times = map(int, parts or ("32768", "8", "1"))
        return cost * size * times < SCRYPT_COST
    digest = parts[0] if parts else "sha256"
    rounds = int(parts[1]) if len(parts) > 1 else 1_000_000
    return digest not in PBKDF2_ROUNDS or rounds < PBKDF2_ROUNDS[digest]


def is_local(host: str) -> bool:
    """Whether a host is this machine (loopback)."""
    return host == "localhost" or (_is_address(host) and ip_address(host.strip("[]")).is_loopback)


def _is_regular(numbers: list[int]) -> bool:
    """Whether a row of numbers repeats one piece, or mostly counts up or down."""
    repeated = any(numbers[size:] == numbers[:-size] for size in range(1, len(numbers) // 2 + 1))
    steps = [abs(after - before) <= 1 for before, after in pairwise(numbers)]
    return repeated or sum(steps) > len(steps) // 2


def _is_host(text: str) -> bool:
    return bool(HOST_NAME.fullmatch(text)) or _is_address(text)


def _is_address(text: str) -> bool:
    try:
        ip_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
    except ValueError:
        return False
    return True


def _split(text: str) -> SplitResult:
    """Raises ValueError where there is a blank, or a port that is none."""
    if re.search(r"\s", text):
        raise ValueError(text)
    parts = urlsplit(text)
    if parts.port == 0:
        raise ValueError(text)
    return parts


def _is_web_address(text: str) -> bool:
    parts = _split(text)
    return parts.scheme in {"http", "https"} and _is_host(parts.hostname or "") and not (parts.query or parts.fragment)


def _is_origin(text: str) -> bool:
    """Letters, digits, dots and hyphens only: flask-cors reads anything else as a pattern."""
    parts = _split(text)
    host = parts.hostname or ""
    alone = text.lower() == f"{parts.scheme}://{parts.netloc}".lower() and "@" not in parts.netloc
    return text == "*" or (alone and parts.scheme in {"http", "https"} and bool(HOST_NAME.fullmatch(host)))


def _is_redis(text: str) -> bool:
    parts = _split(text)
    if parts.scheme == "unix":
        return bool(parts.path)
    number = parts.path.strip("/")
    return parts.scheme in {"redis", "rediss"} and _is_host(parts.hostname or "") and (number or "0").isdecimal()


def _is_database(text: str) -> bool:
    try:
        url = make_url(text)
    except ArgumentError:
        return False
    named = url.database if url.database != ":memory:" else None  # every thread would have one of its own
    return url.drivername in DRIVERS and bool(named) and 0 < (url.port or 1) < 65536


def _is_host_and_port(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return _is_host(host) and port.isdecimal() and 0 < int(port) < 65536


def _is_sender(text: str) -> bool:
    return one_line.takes(text) and bool(MAIL_ADDRESS.fullmatch(parseaddr(text)[1]))


def _is_contact(text: str) -> bool:
    if text.startswith("mailto:"):
        return bool(MAIL_ADDRESS.fullmatch(text.removeprefix("mailto:")))
    return text.startswith("https://") and _is_web_address(text)


def _is_vapid_key(text: str) -> bool:
    return 0 < int.from_bytes(key_bytes(text), "big") < ORDER_OF_P256


def _is_limit(text: str) -> bool:
    return all(1 <= item.amount <= MOST_OF_A_LIMIT for item in parse_many(text))


def _is_hash(text: str) -> bool:
    if SCRYPT.fullmatch(text):
        cost, size, times = map(int, text.split(":")[1:] or (2, 1, 1))
        return cost > 1 and cost & (cost - 1) == 0 and size > 0 and times > 0
    digest, rounds = (*text.split(":")[1:], "sha256", "1")[:2] if ":" in text else ("sha256", "1")
    rounds = rounds if rounds.isdecimal() else "1"
    return bool(PBKDF2.fullmatch(text)) and digest in algorithms_available and int(rounds) > 0


one_line = Form("one line without control characters", lambda text: not re.search(r"[\x00-\x1f\x7f]", text))
web_address = Form("an address such as https://shop.example.com", _is_web_address)
origin = Form("addresses such as https://shop.example.com (scheme, host and port, no path, no pattern)", _is_origin)
redis_address = Form("an address such as redis://localhost:6379/0", _is_redis)
database_address = Form(
    "an address such as postgresql://user:password@host/name or sqlite:////folder/file.db", _is_database
)
host = Form("a host name or an address of this machine, such as 127.0.0.1 or ::1", _is_host)
hosts_and_ports = Form("comma-separated pairs such as 10.0.0.5:8080", _is_host_and_port)
sender = Form("an e-mail address, such as Shop <no-reply@shop.example.com>", _is_sender)
contact = Form("mailto: and an e-mail address, or an https:// address", _is_contact)
vapid_key = Form("a key (make one with: flask vapid-key)", _is_vapid_key)
encryption_keys = Form("keys with commas between them (make one with: flask encryption new-key)", key_bytes)
limit = Form(f"a limit such as 30 per minute, of 1 to {MOST_OF_A_LIMIT:,}", _is_limit)
amount = Form("an amount such as 10 or 2.50", re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?").fullmatch)
password_hash = Form("scrypt, scrypt:32768:8:1 or pbkdf2:sha256:1000000", _is_hash)
instance_name = Form("letters, digits, - and _", re.compile(r"[A-Za-z0-9_-]{1,50}").fullmatch)
fault = Form("comma-separated pairs such as capture=answer lost", lambda text: "=" in text)
