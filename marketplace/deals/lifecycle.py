"""Stages of a deal. They follow from the trade's own states, by the `stages` of its table (kit/lifecycle.py)."""

from enum import StrEnum


class DealStage(StrEnum):
    """From agreement to the end; `disputed` leads back to `active`, or to either end."""

    AGREED = "agreed"
    ACTIVE = "active"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"


RUNNING = (DealStage.AGREED, DealStage.ACTIVE, DealStage.DELIVERED, DealStage.DISPUTED)
"""Both sides still have something to do."""
PAYABLE = (DealStage.AGREED, DealStage.ACTIVE, DealStage.DELIVERED)
CLIENT, PROVIDER = "client", "provider"
"""The two sides: who pays, and who is paid."""
SIDES = (CLIENT, PROVIDER)
