"""Web push: encrypted for one browser (RFC 8291), signed with our key (RFC 8292)."""

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid

from marketplace.core.http import outgoing_requests
from marketplace.kit.lazy_module import lazy_module
from marketplace.notifications.gateways.channel import Gone, OutboundMessage, Refused, TryLater

pywebpush = lazy_module("pywebpush")  # brings aiohttp and requests

A_DAY = 86_400
TIMEOUT = 10.0
GONE = frozenset({404, 410})
LATER = frozenset({408, 425, 429})
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True)
class PushChannel:
    """Sends with this key; `allowed` names hosts that may be private addresses."""

    key: Vapid
    contact: str
    allowed: Collection[str] = ()

    def send(self, letter: OutboundMessage) -> str:
        """Returns the push service's URL of the message. A repeat has the same topic and tag, so the browser shows it
        once."""
        topic = base64.urlsafe_b64encode(sha256(letter.id.encode()).digest())[:32].decode()
        body = {"title": letter.title, "body": letter.text, "url": letter.link, "tag": letter.id}
        try:
            answer: Any = pywebpush.webpush(
                subscription_info={"endpoint": letter.to, "keys": letter.keys},
                data=orjson.dumps(body).decode(),
                vapid_private_key=self.key,
                vapid_claims={"sub": self.contact},
                timeout=TIMEOUT,
                ttl=A_DAY,
                headers={"Topic": topic, "Urgency": "normal"},
                requests_session=_Guarded(self.allowed),
            )
        except pywebpush.WebPushException as error:
            raise _failure(error) from None
        except (ValueError, TypeError) as error:
            raise Gone(f"the keys of this browser are damaged: {error}") from None
        except outgoing_requests.Refused as error:
            raise Gone(str(error)) from None
        except outgoing_requests.Unreachable as error:
            raise TryLater(str(error)) from None
        return str(answer.headers.get("location", ""))[:200]


def vapid_key(private_key: str, secret: str) -> Vapid:
    """The configured key, or one made of the application's secret, which stays the same as long as that does."""
    if private_key:
        return Vapid.from_string(private_key)
    number = int.from_bytes(sha256(f"vapid|{secret}".encode()).digest(), "big") % (ORDER_OF_P256 - 1) + 1
    return Vapid(ec.derive_private_key(number, ec.SECP256R1()))


def public_key(key: Vapid) -> str:
    """What a browser's `applicationServerKey` takes: the uncompressed point, base64url."""
    point = key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class _Answer:
    status_code: int
    headers: Mapping[str, str]
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Guarded:
    """The session given to pywebpush: every request goes through the guard against private addresses."""

    allowed: Collection[str]

    def post(self, url: str, *, data: bytes, headers: Mapping[str, str], timeout: float) -> _Answer:
        """One guarded POST."""
        sent = {name: str(value) for name, value in headers.items()}
        answer = outgoing_requests.post(url, data=data, headers=sent, timeout=timeout, allowed=self.allowed)
        found = {name.lower(): value for name, value in answer.headers.items()}
        return _Answer(answer.status, found, answer.body.decode(errors="replace"))


def _failure(error: Any) -> Exception:
    response: Any = error.response
    if response is None:
        return Gone(str(error))
    status = response.status_code
    if status in GONE:
        return Gone(f"the browser has unsubscribed ({status})")
    kind = TryLater if status in LATER or status >= 500 else Refused
    return kind(f"the push service answered {status}: {response.text[:200]}")
