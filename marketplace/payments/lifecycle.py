"""The states of a payment, a refund and a payout, and who moves them."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, move


class S(StrEnum):
    """A payment's states. HELD is in escrow; RELEASED and REFUNDED are its ends, and so are the last two."""

    CREATED = "created"
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    HELD = "held"
    RELEASED = "released"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    FAILED = "failed"


class R(StrEnum):
    """A refund's states."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class PO(StrEnum):
    """A payout's states."""

    REQUESTED = "requested"
    ON_HOLD = "on_hold"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


SAID = {
    S.CREATED: "The provider has not answered yet.",
    S.REQUIRES_PAYMENT_METHOD: "Choose how to pay.",
    S.REQUIRES_ACTION: "Your bank wants you to agree: open next_url, then confirm.",
    S.PROCESSING: "Your bank takes its time; we tell you when the money is here.",
    S.AUTHORIZED: "Your bank has agreed; the money is being fetched.",
    S.HELD: "Paid. The money is held until the work is done.",
    S.RELEASED: "Paid. The money is with whoever did the work.",
    S.REFUNDED: "The money went back.",
    S.CANCELLED: "This payment is over and nothing was taken. Begin a new one.",
    S.FAILED: "This payment failed and nothing was taken. Begin a new one.",
}
UNPAID = (S.CREATED, S.REQUIRES_PAYMENT_METHOD, S.REQUIRES_ACTION, S.PROCESSING)
UNDER_WAY = (*UNPAID, S.AUTHORIZED, S.HELD)
SYSTEM = frozenset({"system"})

# A provider may say that it captured what we gave up meanwhile: money that moved is always booked.
PAYMENT_LIFECYCLE = Lifecycle.table(
    "payment",
    S.CREATED,
    requests={
        "confirm": "POST /api/payments/{id}/confirm",
        "refund": "POST /api/payments/{id}/refund",
    },
    ask_method=move(S.CREATED, S.REQUIRES_ACTION, S.PROCESSING, to=S.REQUIRES_PAYMENT_METHOD, by={"system"}),
    ask_action=move(S.CREATED, S.REQUIRES_PAYMENT_METHOD, S.PROCESSING, to=S.REQUIRES_ACTION, by={"system"}),
    process=move(S.CREATED, S.REQUIRES_PAYMENT_METHOD, S.REQUIRES_ACTION, to=S.PROCESSING, by={"system"}),
    authorize=move(*UNPAID, to=S.AUTHORIZED, by={"system"}),
    capture=move(*UNPAID, S.AUTHORIZED, S.CANCELLED, S.FAILED, to=S.HELD, by={"system"}),
    cancel=move(*UNPAID, S.AUTHORIZED, to=S.CANCELLED, by={"system"}),
    fail=move(*UNPAID, S.AUTHORIZED, to=S.FAILED, by={"system"}),
    release=move(S.HELD, to=S.RELEASED, by={"system"}),
    refund=move(S.HELD, S.RELEASED, to=S.REFUNDED, by={"system"}),
)

REFUND_LIFECYCLE = Lifecycle.table(
    "refund",
    R.PENDING,
    finish=move(R.PENDING, to=R.DONE, by={"system"}),
    fail=move(R.PENDING, R.DONE, to=R.FAILED, by={"system"}),
)

PAYOUT_LIFECYCLE = Lifecycle.table(
    "payout",
    PO.REQUESTED,
    requests={
        "approve": "POST /api/admin/payouts/{id}/approve",
        "cancel": "POST /api/payouts/{id}/cancel",
    },
    hold=move(PO.REQUESTED, to=PO.ON_HOLD, by={"system"}),
    approve=move(PO.ON_HOLD, to=PO.REQUESTED, by={"admin"}),
    send=move(PO.REQUESTED, to=PO.SENT, by={"system"}),
    pay=move(PO.SENT, to=PO.PAID, by={"system"}),
    fail=move(PO.SENT, to=PO.FAILED, by={"system"}),
    give_back=move(PO.PAID, to=PO.RETURNED, by={"system"}),
    cancel=move(PO.REQUESTED, PO.ON_HOLD, to=PO.CANCELLED, by={"owner", "admin"}),
)
