"""The states of somebody's wish to be verified, and who moves it."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, move


class S(StrEnum):
    """`revoked` takes the badge away again."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


VERIFICATION_LIFECYCLE = Lifecycle.table(
    "verification",
    S.PENDING,
    requests={
        "approve": "POST /api/admin/verifications/{id}/approve",
        "refuse": "POST /api/admin/verifications/{id}/refuse",
        "withdraw": "DELETE /api/auth/verification",
        "revoke": "POST /api/admin/users/{user_id}/verify",
    },
    approve=move(S.PENDING, to=S.APPROVED, by={"admin"}),
    refuse=move(S.PENDING, to=S.REFUSED, by={"admin"}),
    withdraw=move(S.PENDING, to=S.WITHDRAWN, by={"owner", "system"}),
    revoke=move(S.APPROVED, to=S.REVOKED, by={"admin", "system"}),
)
