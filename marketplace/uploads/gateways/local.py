"""Files in a folder of this machine."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from marketplace.uploads.gateways.storage import DirectUpload, StorageFailed, StoredFile, check_key

P = ParamSpec("P")
T = TypeVar("T")
TEMPORARY = ".tmp-"
FOLDERS = ("incoming", "private", "public")


def _failing_safely(work: Callable[P, T]) -> Callable[P, T]:
    @wraps(work)
    def safe(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except OSError as error:
            raise StorageFailed(f"{type(error).__name__}: {error.strerror}") from error

    return safe


class LocalStorage:
    """`root/public/…`, `root/private/…`, `root/incoming/…`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @_failing_safely
    def put(self, key: str, data: bytes, content_type: str, *, public: bool) -> None:
        """Beside it first, then in one step into its place."""
        target = self._at(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
        try:
            _write_through(beside, data)
            os.replace(beside, target)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
        _sync_folder(target.parent)

    @_failing_safely
    def get(self, key: str) -> bytes | None:
        """The bytes; None where there is no such file."""
        found = self.path(key)
        return found.read_bytes() if found is not None else None

    def path(self, key: str) -> Path | None:
        """Where it lies; a link, which nobody of ours made, is no file."""
        target = self._at(key)
        return target if target.is_file() and not target.is_symlink() else None

    @_failing_safely
    def delete(self, key: str) -> None:
        """Remove it; one that is not there is no error."""
        self._at(key).unlink(missing_ok=True)

    @_failing_safely
    def files(self, prefix: str = "") -> Iterator[StoredFile]:
        """Everything whose key starts so, but what is being written."""
        found = [file for folder in FOLDERS for file in self._in(folder) if file.key.startswith(prefix)]
        return iter(found)

    def link(self, key: str, *, seconds: int, filename: str | None = None) -> str | None:
        """There is no address but the application's."""
        check_key(key)
        return None

    def direct(self, key: str, *, content_type: str, size: int, seconds: int) -> DirectUpload | None:
        """There is no address but the application's."""
        check_key(key)
        return None

    @_failing_safely
    def size(self, key: str) -> int | None:
        """In bytes; None where there is no such file."""
        found = self.path(key)
        return found.stat().st_size if found is not None else None

    def _at(self, key: str) -> Path:
        return self.root / check_key(key)

    def _in(self, folder: str) -> Iterator[StoredFile]:
        if not (self.root / folder).is_dir():
            return
        for entry in os.scandir(self.root / folder):
            if entry.is_file(follow_symlinks=False) and not entry.name.startswith(TEMPORARY):
                with suppress(FileNotFoundError):  # deleted since the folder was read
                    told = entry.stat(follow_symlinks=False)
                    yield StoredFile(f"{folder}/{entry.name}", told.st_size, datetime.fromtimestamp(told.st_mtime, UTC))


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """The name itself must survive a power cut too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
