"""States of a verification, and who moves it."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, move


class VerificationStatus(StrEnum):
    """States of a verification; `revoked` takes the badge away."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


VERIFICATION_LIFECYCLE = Lifecycle.table(
    "verification",
    VerificationStatus.PENDING,
    requests={
        "approve": "POST /api/admin/verifications/{id}/approve",
        "refuse": "POST /api/admin/verifications/{id}/refuse",
        "withdraw": "DELETE /api/auth/verification",
        "revoke": "POST /api/admin/users/{user_id}/verify",
    },
    approve=move(VerificationStatus.PENDING, to=VerificationStatus.APPROVED, by={"admin"}),
    refuse=move(VerificationStatus.PENDING, to=VerificationStatus.REFUSED, by={"admin"}),
    withdraw=move(VerificationStatus.PENDING, to=VerificationStatus.WITHDRAWN, by={"owner", "system"}),
    revoke=move(VerificationStatus.APPROVED, to=VerificationStatus.REVOKED, by={"admin", "system"}),
)
