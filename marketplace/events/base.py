"""A fact: something that happened, told by ids and plain values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of every fact; subclasses are frozen and hold JSON values only."""
