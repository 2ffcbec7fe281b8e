"""States of a refund of a plan's invoice; what the provider says moves it."""

from marketplace.kit.lifecycle import Lifecycle, move
from marketplace.payments.lifecycle import RefundStatus

INVOICE_REFUND_LIFECYCLE = Lifecycle.table(
    "invoice_refund",
    RefundStatus.PENDING,
    finish=move(RefundStatus.PENDING, to=RefundStatus.DONE, by={"system"}),
    fail=move(RefundStatus.PENDING, RefundStatus.DONE, to=RefundStatus.FAILED, by={"system"}),
)
