"""The Protocol of a channel (mail, push, SMS), its message and its errors."""

from dataclasses import dataclass, field
from typing import Protocol


class Refused(Exception):
    """Permanent: the address is wrong or the other side refuses it."""


class TryLater(Exception):
    """Temporary: no answer, or one that says later."""


class Gone(Refused):
    """The address does not exist any more and is to be deleted."""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A message ready to be sent. `id` is the same at every attempt, so that a repeat can be recognised."""

    id: str
    to: str
    title: str
    text: str
    html: str = ""
    link: str = ""
    unsubscribe: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    repeated: bool = False


class Channel(Protocol):
    """One way to send: mail, push or SMS."""

    def send(self, letter: OutboundMessage) -> str:
        """Returns the other side's reference; raises Refused, Gone or TryLater."""
        ...
