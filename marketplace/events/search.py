"""What happens to saved searches."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearchMatched(Event):
    """Something new fits what somebody looks for; `kind` is listing, task or offering."""

    search_id: int
    user_id: int
    kind: str
    thing_id: int
