"""What a channel to the outside does: take a message, or say why not."""

from dataclasses import dataclass, field
from typing import Protocol


class Refused(Exception):
    """It will never be taken: the address is wrong or the other side does not want it."""


class TryLater(Exception):
    """It was not taken now: no answer, or one that says later."""


class Gone(Refused):
    """There is nobody at this address any more: forget it."""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message, ready to go. `id` is the same at every attempt, so that a mailbox can tell a repeat."""

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
    """Mail, push or SMS."""

    def send(self, letter: OutboundMessage) -> str:
        """The other side's reference; raises Refused, Gone or TryLater."""
        ...
