"""Facts about conversations."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(Event):
    """A message was stored."""

    message_id: int
    conversation_id: int
    seq: int
    sender_id: int
