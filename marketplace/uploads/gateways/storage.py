"""The Protocol of a storage of files: a folder or a bucket."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

KEY = re.compile(r"(public|private|incoming)/[A-Za-z0-9_-]{1,80}(\.[a-z0-9]{1,5})?")


class StorageFailed(Exception):
    """The storage did not answer or refused; to be tried again later."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as the storage lists it; `size` in bytes."""

    key: str
    size: int
    modified: datetime  # aware, UTC


@dataclass(frozen=True, slots=True)
class DirectUpload:
    """A request that a client sends to the storage itself."""

    url: str
    method: str
    headers: dict[str, str]


class Storage(Protocol):
    """Keys are checked first: ValueError for one that is none. Everything else that fails is StorageFailed."""

    def put(self, key: str, data: bytes | IO[bytes], content_type: str, *, public: bool) -> None:
        """Write or overwrite (of an open file what is left to read); who dies in between leaves the old or none."""
        ...

    def get(self, key: str) -> bytes | None:
        """The bytes; None where there is no such file."""
        ...

    def path(self, key: str) -> Path | None:
        """Where the file lies on this machine; None where it does not."""
        ...

    def delete(self, key: str) -> None:
        """Remove it; one that is not there is no error."""
        ...

    def files(self, prefix: str = "") -> Iterator[StoredFile]:
        """Everything whose key starts so, read as it is asked for; what has no key of ours is left out."""
        ...

    def tidy(self, before: datetime) -> None:
        """Delete what was begun before this moment and never finished."""
        ...

    def link(self, key: str, *, seconds: int, filename: str | None = None) -> str | None:
        """An address that opens the file for so long; None where the storage has no addresses."""
        ...

    def direct(self, key: str, *, content_type: str, size: int, seconds: int) -> DirectUpload | None:
        """A request that stores exactly so many bytes of exactly this type; None as above."""
        ...

    def size(self, key: str) -> int | None:
        """In bytes; None where there is no such file."""
        ...


def is_key(key: str) -> bool:
    """Whether it is a key of ours; temporary and other people's files have none."""
    return KEY.fullmatch(key) is not None


def check_key(key: str) -> str:
    """The key itself; raises ValueError for one that could lead elsewhere."""
    if not is_key(key):
        raise ValueError(f"not a key of the storage: {key!r}")
    return key
