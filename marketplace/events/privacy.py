"""What people ask about their own data."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReady(Event):
    """Everything somebody has here lies in a file."""

    user_id: int
    upload_id: int
