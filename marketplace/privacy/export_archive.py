"""The export of a person: a ZIP of JSON files and of their uploads.

Apart from the rooms: one algorithm over the tables of all slices, writing a ZIP.
"""

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, Table, or_, select

from marketplace.core.database.db import Base, fetch
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.privacy.data_inventory import Entry, register
from marketplace.uploads import queries as uploads_queries
from marketplace.uploads.addresses import key_of
from marketplace.uploads.gateways.registry import storage

Ts = TypeVarTuple("Ts")

BATCH = 500
MOST_BYTES = 2 * 1024**3  # of the files in one ZIP; far above what the quota lets one person keep
MISSING = "It is not in the storage."
TOO_MUCH = "There was no room for it in this file; it can be read at its address."
ABOUT = {
    "what": "Everything this marketplace keeps about one person and what the person wrote, a file a table.",
    "files": "What the person sent lies in files/; files.json says which is which.",
    "money": "Columns that end in _minor are in the currency's smallest unit.",
    "times": "UTC, ISO 8601.",
}


def pack(user_id: int, into: IO[bytes], progress: Callable[[int, int], None]) -> None:
    """Write the ZIP; `progress(done, all)` counts tables and files."""
    exported = [(Base.metadata.tables[name], entry) for name, entry in register().items() if entry.export]
    files = uploads_queries.of_owner(user_id)
    total = len(exported) + len(files)
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about.json", _json({**ABOUT, "user_id": user_id, "made_at": now()}))
        for done, (table, entry) in enumerate(exported, 1):
            _write_rows(archive, f"{table.name}.json", _rows(table, entry, user_id))
            progress(done, total)
        packed = _files(archive, files, lambda done: progress(len(exported) + done, total))
        _write_rows(archive, "files.json", packed)


def _write_rows(archive: zipfile.ZipFile, name: str, rows: Iterable[Any]) -> None:
    """A JSON array, written row by row."""
    with tempfile.TemporaryFile() as beside:  # while one is written into the ZIP, no other can be
        beside.write(b"[")
        for count, row in enumerate(rows):
            beside.write(f"{',' if count else ''}\n{_json(row)}".encode())
        beside.write(b"\n]\n")
        beside.seek(0)
        with archive.open(name, "w", force_zip64=True) as file:
            shutil.copyfileobj(beside, file)


def _files(archive: zipfile.ZipFile, files: list[Any], told: Callable[[int], None]) -> Iterator[JsonObject]:
    """Add the person's uploads, one in memory at a time; yields what is known of each and its path in the ZIP."""
    hidden, room = register()["uploads"].hidden, MOST_BYTES
    for done, upload in enumerate(files, 1):
        known = {name: value for name, value in upload._mapping.items() if name not in hidden}
        data = storage().get(key_of(upload)) if upload.size <= room else None
        if data is None:
            yield {**known, "file": None, "left_out": MISSING if upload.size <= room else TOO_MUCH}
        else:
            room -= len(data)
            name = f"files/{upload.id}.{upload.extension}"  # what the sender called it could lead out of the folder
            archive.writestr(name, data, compress_type=zipfile.ZIP_STORED)
            yield {**known, "file": name, "sha256": hashlib.sha256(data).hexdigest()}
        told(done)


def _rows(table: Table, entry: Entry, user_id: int) -> Iterator[JsonObject]:
    """The table's rows by primary key, in batches: no statement reads everything."""
    shown = [column for column in table.c if column.name not in entry.hidden]
    mine = or_(*(table.c[name] == user_id for name in entry.export))
    key, last = table.c.id, None
    while rows := fetch(_after(select(*shown, key.label("position")).where(mine), key, last).limit(BATCH)):
        for row in rows:
            yield {column.name: getattr(row, column.name) for column in shown}
        last = rows[-1].position


def _after(query: Select[*Ts], key: ColumnElement[Any], last: Any) -> Select[*Ts]:
    return (query if last is None else query.where(key > last)).order_by(key)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
