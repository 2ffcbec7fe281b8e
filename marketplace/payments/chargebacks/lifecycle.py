"""States of a chargeback, and who moves them."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, guard, move


class ChargebackStatus(StrEnum):
    """States of a chargeback. WON: the money stays with us; LOST: it went back to the payer."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


CHARGEBACK_LIFECYCLE = Lifecycle.table(
    "chargeback",
    ChargebackStatus.OPEN,
    requests={"answer": "POST /api/admin/chargebacks/{id}/evidence"},
    answer=guard(ChargebackStatus.OPEN, by={"admin"}),
    win=move(ChargebackStatus.OPEN, to=ChargebackStatus.WON, by={"system"}),
    lose=move(ChargebackStatus.OPEN, to=ChargebackStatus.LOST, by={"system"}),
)
