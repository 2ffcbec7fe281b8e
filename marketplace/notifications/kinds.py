"""The kinds of notifications and their usual channels.

Apart from the rooms: configuration as data: the table of kinds.
"""

from dataclasses import dataclass

CHANNELS = ("in_app", "email", "push", "sms")
DIGESTS = ("off", "hourly", "daily")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its subject, its usual channels, and where in the client it leads.

    An `essential` message was asked for: it ignores preferences and quiet hours and has no unsubscribe link.
    `closed` kinds reach owners of inactive accounts too. `safety` kinds (about the account's security) are sent by the
    usual channels whatever the preferences, and have no unsubscribe link.
    """

    about: str
    usual: frozenset[str]
    path: str
    may_wait: bool = True
    essential: bool = False
    closed: bool = False
    safety: bool = False


EVERYWHERE = frozenset({"in_app", "email", "push"})
LIGHTLY = frozenset({"in_app", "push"})
BY_MAIL = frozenset({"in_app", "email"})
MAIL_ONLY = frozenset({"email"})
SMS_ONLY = frozenset({"sms"})
SECURITY, SESSIONS, KEYS = "/settings/security", "/settings/sessions", "/settings/api-keys"
TASK, LISTING, TALK = "/tasks/{id}", "/listings/{id}", "/messages/{id}"
PAYMENT, PAYOUT = "/payments/{id}", "/payouts/{id}"
CHARGEBACK = "/admin/chargebacks/{id}"
PLAN = "/settings/plan"
DISPUTE = "/disputes/{id}"

KINDS = {
    "new_application": Kind("task", EVERYWHERE, TASK),
    "application_accepted": Kind("task", EVERYWHERE, TASK, may_wait=False),
    "application_rejected": Kind("task", BY_MAIL, TASK),
    "application_withdrawn": Kind("task", frozenset({"in_app"}), TASK),
    "task_assigned": Kind("task", EVERYWHERE, TASK, may_wait=False),
    "task_declined": Kind("task", EVERYWHERE, TASK),
    "task_started": Kind("task", LIGHTLY, TASK),
    "task_marked_done": Kind("task", EVERYWHERE, TASK, may_wait=False),
    "task_completed": Kind("task", EVERYWHERE, TASK),
    "task_disputed": Kind("task", EVERYWHERE, TASK, may_wait=False),
    "task_cancelled": Kind("task", EVERYWHERE, TASK, may_wait=False),
    "task_expired": Kind("task", BY_MAIL, TASK),
    "new_task_nearby": Kind("task", LIGHTLY, TASK),
    "payment_held": Kind("payment", EVERYWHERE, PAYMENT, may_wait=False),
    "payment_secured": Kind("payment", BY_MAIL, PAYMENT),
    "payment_failed": Kind("payment", EVERYWHERE, PAYMENT, may_wait=False),
    "payment_missing": Kind("payment", EVERYWHERE, PAYMENT, may_wait=False),
    "payment_received": Kind("payment", EVERYWHERE, PAYMENT),
    "payment_released": Kind("payment", BY_MAIL, PAYMENT),
    "refund_begun": Kind("payment", EVERYWHERE, PAYMENT),
    "refund_failed": Kind("payment", EVERYWHERE, PAYMENT),
    "payout_paid": Kind("payout", EVERYWHERE, PAYOUT),
    "payout_failed": Kind("payout", EVERYWHERE, PAYOUT),
    "payout_returned": Kind("payout", EVERYWHERE, PAYOUT),
    "payout_held": Kind("payout", BY_MAIL, PAYOUT),
    "chargeback_opened": Kind("payment", EVERYWHERE, PAYMENT, may_wait=False),
    "chargeback_won": Kind("payment", BY_MAIL, PAYMENT),
    "chargeback_lost": Kind("payment", EVERYWHERE, PAYMENT, may_wait=False),
    "chargeback_to_answer": Kind("chargeback", BY_MAIL, CHARGEBACK, may_wait=False),
    "chargeback_answer_due": Kind("chargeback", BY_MAIL, CHARGEBACK, may_wait=False),
    "chargeback_was_won": Kind("chargeback", BY_MAIL, CHARGEBACK),
    "chargeback_was_lost": Kind("chargeback", BY_MAIL, CHARGEBACK),
    "listing_expiring": Kind("listing", BY_MAIL, LISTING),
    "listing_expired": Kind("listing", BY_MAIL, LISTING),
    "saved_search_match": Kind("saved_search", EVERYWHERE, "/saved-searches/{id}"),
    "new_review": Kind("review", EVERYWHERE, "/profile/reviews"),
    "review_replied": Kind("review", LIGHTLY, "/reviews/{id}"),
    "review_reminder": Kind("task", BY_MAIL, TASK),  # or another thing that a deal is about, which leads elsewhere
    "new_message": Kind("conversation", EVERYWHERE, TALK),
    "welcome": Kind("user", frozenset({"in_app"}), "/profile", may_wait=False),
    "password_changed": Kind("user", EVERYWHERE, "/profile", may_wait=False, safety=True),
    "verify_email": Kind("user", MAIL_ONLY, "/verify-email?token={token}", essential=True, closed=True),
    "account_exists": Kind("user", MAIL_ONLY, "/login", essential=True),
    "reset_password": Kind("user", MAIL_ONLY, "/reset-password?token={token}", essential=True),
    "change_email_old": Kind("user", MAIL_ONLY, "/verify-email?token={token}", essential=True),
    "change_email_new": Kind("user", MAIL_ONLY, "/verify-email?token={token}", essential=True),
    "sign_in_code": Kind("user", MAIL_ONLY, "/login", essential=True),
    "phone_code": Kind("user", SMS_ONLY, "/login", essential=True),
    "new_sign_in": Kind("user", BY_MAIL, SESSIONS, may_wait=False, safety=True),
    "second_factor_on": Kind("user", EVERYWHERE, SECURITY, may_wait=False, safety=True),
    "second_factor_off": Kind("user", EVERYWHERE, SECURITY, may_wait=False, safety=True),
    "api_key_made": Kind("user", EVERYWHERE, KEYS, may_wait=False, safety=True),
    "account_suspended": Kind("user", BY_MAIL, "/", may_wait=False, closed=True, safety=True),
    "account_warned": Kind("user", BY_MAIL, "/", may_wait=False, safety=True),
    "account_reinstated": Kind("user", BY_MAIL, "/", may_wait=False, safety=True),
    "verification_approved": Kind("user", EVERYWHERE, "/profile", may_wait=False),
    "verification_refused": Kind("user", EVERYWHERE, "/settings/verification", may_wait=False),
    "export_ready": Kind("user", MAIL_ONLY, "/settings/privacy", essential=True),
    "announcement": Kind("announcement", BY_MAIL, "/announcements"),
    "test": Kind("user", frozenset({"push"}), "/notifications", may_wait=False),
    # plans
    "plan_started": Kind("subscription", BY_MAIL, PLAN, may_wait=False),
    "plan_renewed": Kind("subscription", BY_MAIL, PLAN),
    "plan_past_due": Kind("subscription", EVERYWHERE, PLAN, may_wait=False),
    "plan_ended": Kind("subscription", BY_MAIL, PLAN, may_wait=False),
    "plan_refund_begun": Kind("subscription", EVERYWHERE, PLAN),
    "plan_refund_failed": Kind("subscription", EVERYWHERE, PLAN),
    "dispute_opened": Kind("dispute", BY_MAIL, DISPUTE),
    "dispute_answered": Kind("dispute", EVERYWHERE, DISPUTE),
    "dispute_offer": Kind("dispute", EVERYWHERE, DISPUTE, may_wait=False),
    "dispute_offer_declined": Kind("dispute", EVERYWHERE, DISPUTE),
    "dispute_decided": Kind("dispute", EVERYWHERE, DISPUTE, may_wait=False),
    "dispute_appealed": Kind("dispute", EVERYWHERE, DISPUTE, may_wait=False),
    "dispute_resolved": Kind("dispute", EVERYWHERE, DISPUTE, may_wait=False),
    "dispute_withdrawn": Kind("dispute", EVERYWHERE, DISPUTE),
}
CHOOSABLE = tuple(name for name, kind in KINDS.items() if name != "test" and not kind.essential and not kind.safety)


def path_to(kind: str, thing_id: int | None, token: str = "", path: str | None = None) -> str:
    """The path in the client that this kind leads to, or the `path` of what this one is about."""
    return path or KINDS[kind].path.format(id=thing_id, token=token)
