"""What happens to people's documents."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationDecided(Event):
    """Staff approved or refused somebody's documents."""

    verification_id: int
    user_id: int
    is_approved: bool
