"""Everything somebody has here, as a ZIP of JSON files."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Table, or_, select

from marketplace.core.db import Base, fetch
from marketplace.kit.clock import now
from marketplace.privacy.register import Entry, register

BATCH = 500
ABOUT = {
    "what": "Everything this marketplace keeps about one person and what the person wrote, a file a table.",
    "money": "Columns that end in _minor are in the currency's smallest unit.",
    "times": "UTC, ISO 8601.",
}


def pack(user_id: int, progress: Callable[[int, int], None]) -> bytes:
    """The file; `progress` is told how many tables of how many are done."""
    exported = [(Base.metadata.tables[name], entry) for name, entry in register().items() if entry.export]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        about = {**ABOUT, "user_id": user_id, "made_at": now()}
        archive.writestr("about.json", _json(about))
        for done, (table, entry) in enumerate(exported):
            archive.writestr(f"{table.name}.json", _json(list(_rows(table, entry, user_id))))
            progress(done + 1, len(exported))
    return packed.getvalue()


def _rows(table: Table, entry: Entry, user_id: int) -> Iterator[dict[str, Any]]:
    """By the key, a batch at a time: nobody waits for a statement that reads everything."""
    shown = [column for column in table.c if column.name not in entry.hidden]
    mine = or_(*(table.c[name] == user_id for name in entry.export))
    key, last = table.c.id, None
    while rows := fetch(_after(select(*shown, key.label("position")).where(mine), key, last).limit(BATCH)):
        for row in rows:
            yield {column.name: getattr(row, column.name) for column in shown}
        last = rows[-1].position


def _after(query: Any, key: Any, last: Any) -> Any:
    return (query if last is None else query.where(key > last)).order_by(key)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
