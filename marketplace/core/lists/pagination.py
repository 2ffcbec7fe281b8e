"""Pages: the envelope every list answers, and the cursors that page by key."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from marketplace.kit.errors import Invalid
from marketplace.kit.json_types import JsonObject

COUNT_BOUND = 10_000
MAX_PER_PAGE = 100
CURSOR_START = "start"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, rendered under the list's plural name."""

    name: str
    items: list[dict[str, Any]]
    per_page: int
    has_more: bool
    page: int | None = None
    total: int | None = None
    next_cursor: str | None = None
    by_cursor: bool = False
    is_capped: bool = False
    extra: dict[str, Any] | None = None

    @property
    def pages(self) -> int:
        """How many there are, as far as is counted."""
        return -(-min(self.total or 0, COUNT_BOUND) // self.per_page)

    def called(self, name: str) -> "Page":
        """The same under another name and with `totalPages`, as administrators' clients read lists."""
        beside = {} if self.by_cursor else {"totalPages": self.pages}
        return replace(self, name=name, extra={**(self.extra or {}), **beside})

    def body(self) -> JsonObject:
        """The JSON envelope: the items under the list's name, and totals or the next cursor."""
        extra = self.extra or {}
        if self.by_cursor:
            paging = {"per_page": self.per_page, "has_more": self.has_more, "next_cursor": self.next_cursor}
            return {self.name: self.items, **paging, **extra}
        total = self.total or 0
        return {
            self.name: self.items,
            "total": min(total, COUNT_BOUND),
            "total_is_exact": total <= COUNT_BOUND and not self.is_capped,
            "page": self.page,
            "per_page": self.per_page,
            "pages": self.pages,
            "has_more": self.has_more,
            **extra,
        }

    def next_parameters(self) -> dict[str, str] | None:
        """The query parameters that lead to the next page; None at the end."""
        if not self.has_more:
            return None
        if self.by_cursor:
            return {"cursor": self.next_cursor or ""}
        return {"page": str((self.page or 1) + 1)}


def encode_cursor(scope: str, keys: Sequence[Any]) -> str:
    """The last row's sort keys, bound to the list, sort and filters they belong to."""
    body = orjson.dumps([_digest(scope), *keys], option=orjson.OPT_UTC_Z)
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def decode_cursor(scope: str, cursor: str, types: Sequence[type]) -> list[Any]:
    """The keys back in their types; raises Invalid when altered or from another query."""
    try:
        digest, *keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [_typed(key, kind) for key, kind in zip(keys, types, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise Invalid.field("cursor", "This cursor is damaged. Start again with cursor=start.") from None
    if digest != _digest(scope):
        raise Invalid.field("cursor", "This cursor belongs to another query. Start again with cursor=start.")
    return values


def _typed(key: Any, kind: type) -> str | int | float | datetime:
    if kind is datetime:
        moment = datetime.fromisoformat(key)
        if moment.tzinfo is None:
            raise TypeError(kind)
        return moment.astimezone(UTC)
    if kind is int and type(key) is int and abs(key) < 2**63:
        return key
    if kind is float and type(key) in {int, float}:
        return float(key)
    if kind is str and isinstance(key, str) and "\x00" not in key:
        return key
    raise TypeError(kind)


def _digest(scope: str) -> str:
    return hashlib.blake2b(scope.encode(), digest_size=6).hexdigest()
