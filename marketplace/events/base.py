"""A fact: something that happened, told by ids and plain values."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of every fact; subclasses are frozen and hold JSON values only: ids and plain words. One that
    cannot do without what somebody typed is `personal`: its values are forgotten once it was told."""

    personal: ClassVar[bool] = False
