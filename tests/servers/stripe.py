"""Stripe's API, as far as it is used, with a book of its own.

Every request is held to the shape Stripe documents (`shapes`); what does not fit is answered 400 as Stripe does and
kept in `complaints`. Cards are told by their test names, see CARDS.
"""

import json
import random
import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from threading import RLock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe.params as shape
from stripe import WebhookSignature

from tests.servers.moods import Moody
from tests.servers.shapes import complaints as complaints_about
from tests.servers.stripe_billing import ROUTES as BILLING
from tests.servers.stripe_disputes import ROUTES as DISPUTES
from tests.servers.stripe_moves import ROUTES as MOVES
from tests.servers.stripe_payments import ROUTES as PAYMENTS
from tests.servers.stripe_payments import challenge_answered, pay
from tests.servers.stripe_store import Fault, Store
from tests.servers.web import Reply, Request, WebServer, form_parts

SECRET_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET = "sk_test_secret", "pk_test_public", "whsec_test_secret"
SEARCHABLE_AFTER = 60  # seconds
LISTS = {
    "payment_intents": ("payment_intent", shape.PaymentIntentListParams),
    "refunds": ("refund", shape.RefundListParams),
    "transfers": ("transfer", shape.TransferListParams),
    "subscriptions": ("subscription", shape.SubscriptionListParams),
    "invoices": ("invoice", shape.InvoiceListParams),
    "prices": ("price", shape.PriceListParams),
    "balance_transactions": ("balance_transaction", shape.BalanceTransactionListParams),
    "invoice_payments": ("invoice_payment", shape.InvoicePaymentListParams),
}
NOT_A_FILTER = {"limit", "starting_after", "ending_before", "expand", "created", "lookup_keys", "payment"}
ROUTES = [*PAYMENTS, *DISPUTES, *MOVES, *BILLING]


class Stripe:
    """One account; `mood` is what happens to the next requests."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.keys: list[str] = []
        self.refuse_next = 0
        self.book = Store()
        self._answers: dict[str, tuple[str, Reply]] = {}
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
        keys = {"STRIPE_SECRET_KEY": SECRET_KEY, "STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY}
        return {**keys, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET, "STRIPE_API_URL": self.url}

    def stop(self) -> None:
        """End it."""
        self.server.stop()

    def count(self, kind: str) -> int:
        """How many payment_intents, refunds, transfers … there are."""
        return len(self.book.of_kind(kind))

    def pay_in_front(self, intent_id: str, method: str) -> None:
        """What Stripe's own front end does."""
        with self._lock, suppress(Fault):
            pay(self.book, self.book.things[intent_id], method, "https://shop.test/back")

    def answer_challenge(self, intent_id: str, *, passed: bool = True) -> None:
        """The payer did what the bank asked for, or did not."""
        with self._lock:
            challenge_answered(self.book, self.book.things[intent_id], passed)

    def age(self, thing_id: str, seconds: int = 3600) -> None:
        """Let it be older."""
        self.book.things[thing_id]["created"] -= seconds

    def deliveries(self, *, twice: bool = False, shuffled: bool = False) -> list[tuple[dict[str, str], bytes]]:
        """The webhooks since the last time, signed: headers and body."""
        events, self._delivered = self.book.events[self._delivered :], len(self.book.events)
        events = events * 2 if twice else list(events)
        if shuffled:
            random.shuffle(events)
        return [sign(json.dumps(event, indent=2).encode()) for event in events]

    def _answer(self, request: Request) -> Reply:
        with self._lock:
            try:
                return self._checked(request)
            except Fault as fault:
                return fault.reply

    def _checked(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {SECRET_KEY}":
            raise Fault(401, "invalid_request_error", "Invalid API Key provided: sk_test_***********cret")
        if "stripe-version" not in request.headers:
            self.complaints.append(f"{request.path}: no Stripe-Version")
        if status := self.refuse_next:
            self.refuse_next = 0
            raise Fault(status, "api_error", "There is another request with this key.", remembered=False)
        parts = urlsplit(request.path)
        path = parts.path.removeprefix("/v1/")
        if path == "files":
            params = _form(request)
            return self._once(request, f"{path} {params}", lambda: self._do("POST", path, params))
        text = request.body.decode() if request.method == "POST" else parts.query
        params = nested(text)
        if request.method == "POST":
            return self._once(request, f"{path} {text}", lambda: self._do("POST", path, params))
        return self._do(request.method, path, params)

    def _once(self, request: Request, said: str, do: Callable[[], Reply]) -> Reply:
        """The same key does it once; what was refused for its shape is not remembered."""
        key = request.headers.get("idempotency-key", "")
        self.keys.append(key)
        if not key or len(key) > 255:
            self.complaints.append(f"{request.path}: the key {key!r}")
        if key in self._answers:
            before, reply = self._answers[key]
            if before != said:
                message = "Keys for idempotent requests can only be used with the same parameters."
                raise Fault(400, "idempotency_error", message)
            return reply
        try:
            reply = do()
        except Fault as fault:
            if not fault.remembered:
                raise
            reply = fault.reply
        self._answers[key] = said, reply
        return reply

    def _do(self, method: str, path: str, params: dict[str, Any]) -> Reply:
        parts = path.split("/")
        if method == "GET" and parts[0] in LISTS and len(parts) == 1:
            return self._list(parts[0], params)
        if method == "GET" and parts[1:] == ["search"]:
            return self._search(LISTS[parts[0]][0], params)
        for verb, pattern, wanted, handler in ROUTES:
            if verb == method and (found := re.fullmatch(pattern, path)):
                self._check(path, params, wanted)
                expand = params.pop("expand", [])
                thing = handler(self.book, params, *found.groups())
                return _json(self.book.expanded(thing, expand))
        self.complaints.append(f"{method} {path}: no such address")
        raise Fault(404, "invalid_request_error", f"Unrecognized request URL ({method}: /v1/{path}).")

    def _check(self, path: str, params: dict[str, Any], wanted: Any) -> None:
        wrong = complaints_about(params, wanted, wire=True)
        if wrong:
            self.complaints += [f"{path}: {one}" for one in wrong]
            code = "parameter_unknown" if "unknown" in wrong[0] else "parameter_invalid"
            raise Fault(400, "invalid_request_error", wrong[0], code=code, remembered=False)

    def _list(self, name: str, params: dict[str, Any]) -> Reply:
        kind, wanted = LISTS[name]
        self._check(name, params, wanted)
        found = [one for one in reversed(self.book.of_kind(kind)) if _passes(one, params)]
        start = next((n + 1 for n, one in enumerate(found) if one["id"] == params.get("starting_after")), 0)
        limit = min(int(params.get("limit", 10)), self.book.page_limit)
        page = found[start : start + limit]
        expand = [one.removeprefix("data.") for one in params.get("expand", [])]
        data = [self.book.expanded(one, expand) for one in page]
        more = len(found) > start + limit
        return _json({"object": "list", "url": f"/v1/{name}", "has_more": more, "data": data})

    def _search(self, kind: str, params: dict[str, Any]) -> Reply:
        """It does not see what was made a moment ago."""
        found = re.fullmatch(r"metadata\['key'\]:'(.*)'", params["query"])
        if not found:
            self.complaints.append(f"search: {params['query']}")
            raise Fault(400, "invalid_request_error", "We were unable to parse your search query.")
        key = found.group(1).replace("\\'", "'").casefold()
        expand = [one.removeprefix("data.") for one in params.get("expand", [])]
        data = [
            self.book.expanded(one, expand)
            for one in self.book.of_kind(kind)
            if one["metadata"].get("key", "").casefold() == key and one["created"] <= time.time() - SEARCHABLE_AFTER
        ]
        return _json({"object": "search_result", "url": "/v1/search", "has_more": False, "data": data})


def sign(body: bytes, *, age: timedelta = timedelta(), secret: str = WEBHOOK_SECRET) -> tuple[dict[str, str], bytes]:
    """A webhook as Stripe sends it: headers and body."""
    header = WebhookSignature.generate_signature_header(body.decode(), secret, int(time.time() - age.total_seconds()))
    return {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": header}, body


def nested(text: str) -> dict[str, Any]:
    """`items[0][price]=x` → {"items": [{"price": "x"}]}."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        at, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        spot = root
        for following in rest:
            spot = spot.setdefault(at, {})
            at = following or str(len(spot))
        spot[at] = value
    return {name: _lists(value) for name, value in root.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(one) for name, one in value.items()}
    return list(inner.values()) if inner and all(name.isdigit() for name in inner) else inner


def _passes(thing: dict[str, Any], params: dict[str, Any]) -> bool:
    created = params.get("created") or {}
    if thing["created"] < int(created.get("gte", 0)) or thing["created"] >= int(created.get("lt", 1e12)):
        return False
    if "lookup_keys" in params and thing["lookup_key"] not in params["lookup_keys"]:
        return False
    if "payment" in params and thing["payment"] != params["payment"]:
        return False
    if params.get("status") == "all":
        params = {**params, "status": thing["status"]}
    return all(_as_text(thing.get(name)) == value for name, value in params.items() if name not in NOT_A_FILTER)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _form(request: Request) -> dict[str, Any]:
    """The parts of a form; of a file its name, its bytes in hexadecimal beside it."""
    found: dict[str, Any] = {}
    for name, part in form_parts(request.headers["content-type"], request.body):
        data = part.get_payload(decode=True)
        found[name] = f"{part.get_filename()} {data.hex()}" if part.get_filename() else data.decode()
    return found


def _json(body: dict[str, Any]) -> Reply:
    return Reply(200, json.dumps(body).encode(), {"Content-Type": "application/json", "Request-Id": "req_test"})
