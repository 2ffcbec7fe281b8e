"""Facts about deals, whichever trade they came from."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DealDisputed(Event):
    """The trade's own thing was disputed; a dispute about it is open, or will be."""

    deal_id: int
