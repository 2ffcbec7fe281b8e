"""What the local PayPal remembers."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.servers.web import Reply

WHOLE = {"HUF", "JPY", "TWD"}
CURRENCIES = WHOLE | set("AUD BRL CAD CNY CZK DKK EUR HKD ILS MYR MXN NZD NOK PHP PLN GBP SGD SEK CHF THB USD".split())


class Fault(Exception):
    """An answer that is an error, as PayPal words it."""

    def __init__(self, status: int, name: str, issue: str = "", *, links: Any = (), field: str = "") -> None:
        super().__init__(issue or name)
        self.status = status
        details = [{"field": field, "issue": issue, "description": issue.replace("_", " ").lower()}] if issue else []
        body = {"name": name, "message": name.lower(), "debug_id": "d1", "details": details, "links": list(links)}
        self.reply = Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


class Store:
    """Everything that has an id, and what happened to it."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.kinds: dict[str, str] = {}
        self.wallets: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        self.transactions: list[dict[str, Any]] = []
        self.url = ""
        self.names_duplicates = True
        self._numbers = 0

    def add(self, prefix: str, kind: str, **fields: Any) -> dict[str, Any]:
        """A new thing."""
        thing_id = fields.pop("id", None) or self.number(prefix)
        thing = {"id": thing_id, "create_time": stamp(), **fields}
        self.things[thing_id] = thing
        self.kinds[thing_id] = kind
        return thing

    def get(self, thing_id: str, kind: str) -> dict[str, Any]:
        """Or 404."""
        if self.kinds.get(thing_id) != kind:
            raise Fault(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        return self.things[thing_id]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """All of them, the oldest first."""
        return [one for thing_id, one in self.things.items() if self.kinds[thing_id] == kind]

    def tell(self, event_type: str, resource: dict[str, Any]) -> None:
        """An event about it."""
        event = {"id": self.number("WH-"), "create_time": stamp(), "event_type": event_type, "event_version": "1.0"}
        self.events.append(
            {**event, "resource_type": "x", "summary": event_type, "resource": json.loads(json.dumps(resource))}
        )

    def enter(self, code: str, transaction_id: str, amount: dict[str, str], sign: int, **more: str) -> None:
        """A line of the reporting; money that left us is negative."""
        value = amount["value"] if sign > 0 else f"-{amount['value']}"
        self.transactions.append(
            {
                "transaction_id": transaction_id,
                "transaction_event_code": code,
                "transaction_initiation_date": stamp(),
                "transaction_amount": {"currency_code": amount["currency_code"], "value": value},
                "transaction_status": "S",
                **more,
            }
        )

    def number(self, prefix: str = "") -> str:
        """A new id."""
        self._numbers += 1
        return f"{prefix}{self._numbers:017d}"

    def link(self, rel: str, path: str) -> dict[str, str]:
        """HATEOAS."""
        return {"rel": rel, "href": f"{self.url}{path}", "method": "GET"}


def stamp(after: timedelta = timedelta()) -> str:
    """Now, as PayPal writes it."""
    return (datetime.now(UTC) + after).strftime("%Y-%m-%dT%H:%M:%SZ")


def checked(amount: dict[str, str]) -> Decimal:
    """An amount PayPal takes."""
    currency = amount.get("currency_code") or amount.get("currency", "")
    if currency not in CURRENCIES:
        raise Fault(422, "UNPROCESSABLE_ENTITY", "CURRENCY_NOT_SUPPORTED")
    decimals = -Decimal(amount["value"]).as_tuple().exponent
    if decimals > 2 or (currency in WHOLE and decimals):
        raise Fault(422, "UNPROCESSABLE_ENTITY", "DECIMALS_NOT_SUPPORTED")
    if Decimal(amount["value"]) <= 0:
        raise Fault(422, "UNPROCESSABLE_ENTITY", "CANNOT_BE_ZERO_OR_NEGATIVE")
    return Decimal(amount["value"])
