"""A wallet's movements as a CSV file, streamed page by page.

Apart from the rooms: it builds a streamed HTTP response.
"""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from flask import Response, stream_with_context

from marketplace.auth.models import User
from marketplace.kit.money import Money
from marketplace.payments.wallets import queries as wallets_queries

COLUMNS = ("id", "created_at", "kind", "explanation", "reference", "amount", "currency", "balance", "fee", "provider")
AT_ONCE = 100
BOM = "\ufeff"  # without it spreadsheets take UTF-8 for the code page of their country


def as_csv(user: User, currency: str | None) -> Response:
    """All movements, newest first, read and sent page by page."""
    lines = stream_with_context(_lines(user, currency))
    answer = Response(lines, mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="statement.csv"'
    return answer


def _lines(user: User, currency: str | None) -> Iterator[str]:
    yield BOM + _row(COLUMNS)
    cursor: str | None = "start"
    while cursor:
        page = wallets_queries.statement(user, currency=currency, cursor=cursor, per_page=AT_ONCE, page=1)
        for item in page.items:
            yield _row([_told(item, name) for name in COLUMNS])
        cursor = page.next_cursor


def _told(item: dict[str, Any], name: str) -> str:
    """The amount with all decimals of its currency."""
    minor = {"amount": "price_minor", "fee": "fee_minor", "balance": "balance_minor"}.get(name)
    if minor is not None:
        return str(Money(item[minor], item["currency"]).exact)
    return item[name].isoformat() if name == "created_at" else str(item[name])


def _row(values: Any) -> str:
    """A CSV line; each value is a number, a moment or starts with our own text, so a spreadsheet runs none as a
    formula."""
    line = StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()
