"""What people ask about their own data."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReady(Event):
    """A person's export is finished; `upload_id` is its file."""

    user_id: int
    upload_id: int
