"""States of a payment, a refund and a payout, and who moves them."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, move


class PaymentStatus(StrEnum):
    """States of a payment. HELD is in escrow; RELEASED and REFUNDED are ends, and so are the last two."""

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


class ShareStatus(StrEnum):
    """States of a payment's share. OPEN until the money is captured; HELD is in escrow."""

    OPEN = "open"
    HELD = "held"
    RELEASED = "released"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class RefundStatus(StrEnum):
    """States of a refund."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class PayoutStatus(StrEnum):
    """States of a payout."""

    REQUESTED = "requested"
    ON_HOLD = "on_hold"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


SAID = {
    PaymentStatus.CREATED: "The provider has not answered yet.",
    PaymentStatus.REQUIRES_PAYMENT_METHOD: "Choose how to pay.",
    PaymentStatus.REQUIRES_ACTION: "Your bank wants you to agree: open next_url, then confirm.",
    PaymentStatus.PROCESSING: "Your bank takes its time; we tell you when the money is here.",
    PaymentStatus.AUTHORIZED: "Your bank has agreed; the money is being fetched.",
    PaymentStatus.HELD: "Paid. The money is held until the work is done.",
    PaymentStatus.RELEASED: "Paid. The money is with whoever did the work.",
    PaymentStatus.REFUNDED: "The money went back.",
    PaymentStatus.CANCELLED: "This payment is over and nothing was taken. Begin a new one.",
    PaymentStatus.FAILED: "This payment failed and nothing was taken. Begin a new one.",
}
UNPAID = (
    PaymentStatus.CREATED,
    PaymentStatus.REQUIRES_PAYMENT_METHOD,
    PaymentStatus.REQUIRES_ACTION,
    PaymentStatus.PROCESSING,
)
UNDER_WAY = (*UNPAID, PaymentStatus.AUTHORIZED, PaymentStatus.HELD)
SYSTEM = frozenset({"system"})

# A provider may say that it captured what we gave up meanwhile: money that moved is always booked.
PAYMENT_LIFECYCLE = Lifecycle.table(
    "payment",
    PaymentStatus.CREATED,
    requests={
        "confirm": "POST /api/payments/{id}/confirm",
        "refund": "POST /api/payments/{id}/refund",
    },
    ask_method=move(
        PaymentStatus.CREATED,
        PaymentStatus.REQUIRES_ACTION,
        PaymentStatus.PROCESSING,
        to=PaymentStatus.REQUIRES_PAYMENT_METHOD,
        by={"system"},
    ),
    ask_action=move(
        PaymentStatus.CREATED,
        PaymentStatus.REQUIRES_PAYMENT_METHOD,
        PaymentStatus.PROCESSING,
        to=PaymentStatus.REQUIRES_ACTION,
        by={"system"},
    ),
    process=move(
        PaymentStatus.CREATED,
        PaymentStatus.REQUIRES_PAYMENT_METHOD,
        PaymentStatus.REQUIRES_ACTION,
        to=PaymentStatus.PROCESSING,
        by={"system"},
    ),
    authorize=move(*UNPAID, to=PaymentStatus.AUTHORIZED, by={"system"}),
    capture=move(
        *UNPAID,
        PaymentStatus.AUTHORIZED,
        PaymentStatus.CANCELLED,
        PaymentStatus.FAILED,
        to=PaymentStatus.HELD,
        by={"system"},
    ),
    cancel=move(*UNPAID, PaymentStatus.AUTHORIZED, to=PaymentStatus.CANCELLED, by={"system"}),
    fail=move(*UNPAID, PaymentStatus.AUTHORIZED, to=PaymentStatus.FAILED, by={"system"}),
    release=move(PaymentStatus.HELD, to=PaymentStatus.RELEASED, by={"system"}),
    refund=move(PaymentStatus.HELD, PaymentStatus.RELEASED, to=PaymentStatus.REFUNDED, by={"system"}),
)

SHARE_LIFECYCLE = Lifecycle.table(
    "payment_share",
    ShareStatus.OPEN,
    hold=move(ShareStatus.OPEN, ShareStatus.CANCELLED, to=ShareStatus.HELD, by={"system"}),
    cancel=move(ShareStatus.OPEN, to=ShareStatus.CANCELLED, by={"system"}),
    release=move(ShareStatus.HELD, to=ShareStatus.RELEASED, by={"system"}),
    refund=move(ShareStatus.HELD, ShareStatus.RELEASED, to=ShareStatus.REFUNDED, by={"system"}),
)

REFUND_LIFECYCLE = Lifecycle.table(
    "refund",
    RefundStatus.PENDING,
    finish=move(RefundStatus.PENDING, to=RefundStatus.DONE, by={"system"}),
    fail=move(RefundStatus.PENDING, RefundStatus.DONE, to=RefundStatus.FAILED, by={"system"}),
)

PAYOUT_LIFECYCLE = Lifecycle.table(
    "payout",
    PayoutStatus.REQUESTED,
    requests={
        "approve": "POST /api/admin/payouts/{id}/approve",
        "cancel": "POST /api/payouts/{id}/cancel",
    },
    hold=move(PayoutStatus.REQUESTED, to=PayoutStatus.ON_HOLD, by={"system"}),
    approve=move(PayoutStatus.ON_HOLD, to=PayoutStatus.REQUESTED, by={"admin"}),
    send=move(PayoutStatus.REQUESTED, to=PayoutStatus.SENT, by={"system"}),
    pay=move(PayoutStatus.SENT, to=PayoutStatus.PAID, by={"system"}),
    fail=move(PayoutStatus.SENT, to=PayoutStatus.FAILED, by={"system"}),
    give_back=move(PayoutStatus.PAID, to=PayoutStatus.RETURNED, by={"system"}),
    cancel=move(
        PayoutStatus.REQUESTED, PayoutStatus.ON_HOLD, to=PayoutStatus.CANCELLED, by={"owner", "admin", "system"}
    ),
)
