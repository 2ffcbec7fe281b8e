"""Files in a folder of this machine."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from marketplace.uploads.gateways.storage import DirectUpload, StorageFailed, StoredFile, check_key, is_key

TEMPORARY = ".tmp-"
FOLDERS = ("incoming", "private", "public")


@contextmanager
def _failing_safely() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"{type(error).__name__}: {error.strerror}") from error


class LocalStorage:
    """`root/public/…`, `root/private/…`, `root/incoming/…`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @_failing_safely()
    def put(self, key: str, data: bytes | IO[bytes], content_type: str, *, public: bool) -> None:
        """Written beside its place and renamed in one step."""
        target = self._at(key)
        _make_folder(target.parent)
        beside = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
        try:
            _write_through(beside, data)
            os.replace(beside, target)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
        _sync_folder(target.parent)

    @_failing_safely()
    def get(self, key: str) -> bytes | None:
        """The bytes; None where there is no such file."""
        found = self.path(key)
        with suppress(FileNotFoundError):  # deleted since it was found
            return found.read_bytes() if found is not None else None
        return None

    @_failing_safely()
    def path(self, key: str) -> Path | None:
        """The path; None where there is no file. Symbolic links, which we never make, are no files."""
        target = self._at(key)
        return target if target.is_file() and not target.is_symlink() else None

    @_failing_safely()
    def delete(self, key: str) -> None:
        """Remove it; one that is not there is no error."""
        self._at(key).unlink(missing_ok=True)

    def files(self, prefix: str = "") -> Iterator[StoredFile]:
        """Files whose key starts so, without those being written."""
        with _failing_safely():
            for folder in FOLDERS:
                yield from self._in(folder, prefix)

    @_failing_safely()
    def tidy(self, before: datetime) -> None:
        """Delete what a process was writing when it died."""
        for name in FOLDERS:
            folder = self._folder(name)
            for left in folder.glob(f"{TEMPORARY}*") if folder.is_dir() else ():
                if datetime.fromtimestamp(left.stat(follow_symlinks=False).st_mtime, UTC) < before:
                    left.unlink(missing_ok=True)

    def link(self, key: str, *, seconds: int, filename: str | None = None) -> str | None:
        """None: only the application serves these files."""
        check_key(key)
        return None

    def direct(self, key: str, *, content_type: str, size: int, seconds: int) -> DirectUpload | None:
        """None: only the application takes these files."""
        check_key(key)
        return None

    @_failing_safely()
    def size(self, key: str) -> int | None:
        """In bytes; None where there is no such file."""
        found = self.path(key)
        with suppress(FileNotFoundError):  # deleted since it was found
            return found.stat().st_size if found is not None else None
        return None

    def _at(self, key: str) -> Path:
        folder, name = check_key(key).split("/")
        return self._folder(folder) / name

    def _folder(self, name: str) -> Path:
        """Raises StorageFailed for a symbolic link, which could lead out of the root or make private files public."""
        folder = self.root / name
        if folder.is_symlink():
            raise StorageFailed(f"{folder} is a link")
        return folder

    def _in(self, folder: str, prefix: str) -> Iterator[StoredFile]:
        path = self._folder(folder)
        if not path.is_dir():
            return
        with os.scandir(path) as entries:
            for entry in entries:
                key = f"{folder}/{entry.name}"
                if key.startswith(prefix) and is_key(key) and entry.is_file(follow_symlinks=False):
                    yield from _told(key, entry)


def _told(key: str, entry: os.DirEntry[str]) -> Iterator[StoredFile]:
    with suppress(FileNotFoundError):  # deleted since the folder was read
        stat = entry.stat(follow_symlinks=False)
        yield StoredFile(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _write_through(path: Path, data: bytes | IO[bytes]) -> None:
    with path.open("wb") as file:
        if isinstance(data, bytes):
            file.write(data)
        else:
            shutil.copyfileobj(data, file)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """fsync the folder, so that the new name survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
