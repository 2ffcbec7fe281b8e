"""What the local Stripe remembers."""

import json
import time
from copy import deepcopy
from typing import Any

from tests.servers.web import Reply

HIDDEN = "hidden:"


class Fault(Exception):
    """An answer that is an error, as Stripe words it."""

    def __init__(self, status: int, kind: str, message: str, *, remembered: bool = True, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.remembered = remembered
        body = {"error": {"type": kind, "message": message, **more}}
        self.reply = Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


class Store:
    """Everything that has an id, and what happened to it."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.url = ""
        self.is_poor = False
        self.settles_after = 0
        self.page_limit = 100
        self._numbers = 0

    def add(self, prefix: str, kind: str, **fields: Any) -> dict[str, Any]:
        """A new thing."""
        thing_id = f"{prefix}_{self._next():014d}test"
        thing = {"id": thing_id, "object": kind, "created": int(time.time()), "livemode": False, **fields}
        self.things[thing_id] = thing
        return thing

    def get(self, thing_id: str, *, kind: str) -> dict[str, Any]:
        """Or 404, as it is for what stands in the address."""
        thing = self.things.get(thing_id)
        if thing is None or thing["object"] != kind:
            raise Fault(
                404, "invalid_request_error", f"No such {kind}: '{thing_id}'", code="resource_missing", param="id"
            )
        return thing

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """All of them, the oldest first."""
        return [one for one in self.things.values() if one["object"] == kind]

    def tell(self, kind: str, thing: dict[str, Any]) -> None:
        """An event about it."""
        self.events.append(
            {
                "id": f"evt_{self._next():014d}test",
                "object": "event",
                "api_version": "2026-09-30.endive",
                "created": int(time.time()),
                "data": {"object": self.expanded(thing, [])},
                "livemode": False,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "type": kind,
            }
        )

    def enter(self, category: str, source: dict[str, Any], amount: int, fee: int = 0) -> dict[str, Any]:
        """A line in the book, signed as our balance sees it; settled after `settles_after` seconds."""
        currency = source.get("currency", "eur")
        return self.add(
            "txn",
            "balance_transaction",
            amount=amount,
            currency=currency,
            fee=fee,
            net=amount - fee,
            available_on=int(time.time()) + self.settles_after,
            reporting_category=category,
            type={"charge": "charge", "partial_capture_reversal": "refund"}.get(category, category),
            source=source["id"],
            status="pending",
        )

    def expanded(self, thing: dict[str, Any], paths: list[str]) -> dict[str, Any]:
        """As it goes out: ids where nothing was asked for, and what is only there when asked for left out."""
        shown = {name: deepcopy(value) for name, value in thing.items() if not name.startswith(HIDDEN)}
        for path in paths:
            first, _, rest = path.partition(".")
            if HIDDEN + first in thing:
                shown[first] = thing[HIDDEN + first]
            elif isinstance(thing.get(first), str):
                shown[first] = self.expanded(self.things[thing[first]], [rest] if rest else [])
            elif first not in thing:
                raise Fault(400, "invalid_request_error", f"This property cannot be expanded ({path}).")
        return shown

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers


def unexpected(intent: dict[str, Any], verb: str) -> Fault:
    """What is asked for does not go with the state."""
    message = f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}."
    code = "payment_intent_unexpected_state"
    return Fault(400, "invalid_request_error", message, code=code, payment_intent=intent)
