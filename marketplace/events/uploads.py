"""Facts about files."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadStored(Event):
    """A file was uploaded and checked."""

    upload_id: int
    owner_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadDeleted(Event):
    """A file was deleted, for everybody."""

    upload_id: int
    owner_id: int
