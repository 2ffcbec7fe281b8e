"""PayPal's API, as far as it is used, with a book of its own.

Every request is held to the shape PayPal documents (`paypal_shapes`); what does not fit is answered 400 as PayPal does
and kept in `complaints`.
"""

import base64
import json
import random
import re
from datetime import timedelta
from threading import RLock
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.servers.moods import Moody
from tests.servers.paypal_billing import ROUTES as BILLING
from tests.servers.paypal_certificates import SIGNER, certificate, pem, signature
from tests.servers.paypal_disputes import ROUTES as DISPUTES
from tests.servers.paypal_orders import ROUTES as ORDERS
from tests.servers.paypal_orders import approve
from tests.servers.paypal_store import Fault, Store, stamp
from tests.servers.shapes import complaints as complaints_about
from tests.servers.web import Reply, Request, WebServer, form_parts

CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID = "client-id", "client-secret", "WEBHOOKID"
TOKEN = "access-token"
TOKEN_PATH, CERTIFICATES, CERTIFICATE = "v1/oauth2/token", "v1/notifications/certs/", "CERT-1"
# These know the header PayPal-Request-Id; a payout is told by its sender_batch_id, a revision by nothing.
WITHOUT_KEYS = re.compile(r".*/(revise|cancel)|v1/payments/payouts")


class PayPal:
    """One account; `mood` is what happens to the next requests."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.keys: list[str] = []
        self.token = TOKEN
        self.certificates = {CERTIFICATE: pem([certificate()])}
        self.book = Store()
        self._answers: dict[tuple[str, str], tuple[bytes, Reply]] = {}
        self._delivered = 0
        self._lock = RLock()
        self.moody = Moody(self._answer)
        self.server = WebServer(self.moody)
        self.url = f"http://{self.server.address}"
        self.book.url = self.url

    @property
    def mood(self) -> str:
        """What happens to the next requests."""
        return self.moody.mood

    @mood.setter
    def mood(self, mood: str) -> None:
        self.moody.mood = mood

    @property
    def settings(self) -> dict[str, str]:
        """What the application needs to use it."""
        keys = {"PAYPAL_CLIENT_ID": CLIENT_ID, "PAYPAL_CLIENT_SECRET": CLIENT_SECRET}
        return {**keys, "PAYPAL_WEBHOOK_ID": WEBHOOK_ID, "PAYPAL_API_URL": self.url}

    def stop(self) -> None:
        """End it."""
        self.server.stop()

    def count(self, kind: str) -> int:
        """How many order, authorization, capture, refund, payout … there are."""
        return len(self.book.of_kind(kind))

    def approve(self, order_id: str, wallet: str = "good") -> None:
        """What the payer does at PayPal."""
        with self._lock:
            approve(self.book, order_id, wallet)

    def deliveries(self, *, twice: bool = False, shuffled: bool = False) -> list[tuple[dict[str, str], bytes]]:
        """The webhooks since the last time, signed: headers and body."""
        events, self._delivered = self.book.events[self._delivered :], len(self.book.events)
        events = events * 2 if twice else list(events)
        if shuffled:
            random.shuffle(events)
        return [self.sign(json.dumps(event, indent=1).encode()) for event in events]

    def sign(
        self,
        body: bytes,
        *,
        age: timedelta = timedelta(),
        webhook_id: str = WEBHOOK_ID,
        certificate_id: str = CERTIFICATE,
        name: str = SIGNER,
    ) -> tuple[dict[str, str], bytes]:
        """A webhook as PayPal sends it: headers and body, signed by the key of this name."""
        number, sent = f"{random.getrandbits(64):x}", stamp(-age)
        headers = {
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
            "PAYPAL-CERT-URL": f"{self.url}/{CERTIFICATES}{certificate_id}",
            "PAYPAL-TRANSMISSION-ID": number,
            "PAYPAL-TRANSMISSION-SIG": signature(number, sent, webhook_id, body, name=name),
            "PAYPAL-TRANSMISSION-TIME": sent,
        }
        return headers, body

    def _answer(self, request: Request) -> Reply:
        with self._lock:
            try:
                return self._checked(request)
            except Fault as fault:
                return fault.reply

    def _checked(self, request: Request) -> Reply:
        parts = urlsplit(request.path)
        path = parts.path.lstrip("/")
        if path == TOKEN_PATH:
            return self._token(request)
        if path.startswith(CERTIFICATES):
            return self._certificate(request, path.removeprefix(CERTIFICATES))
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise Fault(401, "AUTHENTICATION_FAILURE")
        is_form = path.endswith("/provide-evidence")
        if request.body and not is_form and request.headers.get("content-type") != "application/json":
            self.complaints.append(f"{path}: Content-Type {request.headers.get('content-type')}")
            raise Fault(415, "UNSUPPORTED_MEDIA_TYPE")
        if request.method == "POST" and not WITHOUT_KEYS.fullmatch(path):
            return self._once(request, path)
        query = dict(parse_qsl(parts.query)) if request.method == "GET" else _parsed(request.body)
        return self._do(request.method, path, query)

    def _token(self, request: Request) -> Reply:
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return _json(401, {"error": "invalid_client", "error_description": "Client Authentication failed"})
        if parse_qs(request.body.decode()) != {"grant_type": ["client_credentials"]}:
            return _json(400, {"error": "unsupported_grant_type", "error_description": "Unsupported"})
        return _json(200, {"access_token": self.token, "token_type": "Bearer", "expires_in": 32400, "scope": "x"})

    def _certificate(self, request: Request, name: str) -> Reply:
        """For everybody: who sends a token along tells it to whoever the address belongs to."""
        if "authorization" in request.headers:
            self.complaints.append(f"{request.path}: a token for what is public")
        if name not in self.certificates:
            raise Fault(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        return Reply(200, self.certificates[name], {"Content-Type": "application/x-pem-file"})

    def _once(self, request: Request, path: str) -> Reply:
        """The same PayPal-Request-Id does it once; a refusal is not remembered."""
        key = request.headers.get("paypal-request-id", "")
        self.keys.append(key)
        if not key or len(key) > 108:
            self.complaints.append(f"{path}: the key {key!r}")
        is_form = path.endswith("/provide-evidence")
        said = (
            json.dumps(_form(request)).encode() if is_form else request.body
        )  # a form's boundary is another each time
        if (path, key) in self._answers:
            before, reply = self._answers[path, key]
            if before != said:
                raise Fault(422, "UNPROCESSABLE_ENTITY", "DUPLICATE_REQUEST_ID")
            return reply
        reply = self._do("POST", path, _form(request) if is_form else _parsed(request.body))
        self._answers[path, key] = said, reply
        return reply

    def _do(self, method: str, path: str, params: dict[str, Any]) -> Reply:
        for verb, pattern, wanted, handler in [*ORDERS, *DISPUTES, *BILLING]:
            if verb == method and (found := re.fullmatch(pattern, path)):
                if wanted and (wrong := complaints_about(params, wanted, wire=method == "GET")):
                    self.complaints += [f"{path}: {one}" for one in wrong]
                    raise Fault(400, "INVALID_REQUEST", wrong[0])
                answer = handler(self.book, params, *found.groups())
                return Reply(204) if answer is None else _json(200 if method == "GET" else 201, answer)
        self.complaints.append(f"{method} {path}: no such address")
        raise Fault(404, "NOT_FOUND")


def _form(request: Request) -> dict[str, Any]:
    """The parts of a form: what is said as JSON, a file as (name, type, bytes in hexadecimal)."""
    found: dict[str, Any] = {}
    for name, part in form_parts(request.headers["content-type"], request.body):
        data = part.get_payload(decode=True)
        is_file = part.get_filename() is not None
        found[name] = (part.get_filename(), part.get_content_type(), data.hex()) if is_file else json.loads(data)
    return found


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(body) if body.strip() else {}
    except ValueError:
        raise Fault(400, "INVALID_REQUEST", "MALFORMED_REQUEST_JSON") from None
    return found


def _json(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
