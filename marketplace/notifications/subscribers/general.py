"""Which fact is told to whom; safe to repeat, as each names itself by a key."""

from typing import Any

from marketplace.auth import queries as auth_queries
from marketplace.auth.keys import service as keys_service
from marketplace.auth.sessions import service as sessions_service
from marketplace.core.queues.jobs import enqueue
from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import (
    AccountReinstated,
    AccountSuspended,
    ApiKeyMade,
    MailTokenIssued,
    NewDeviceSeen,
    PasswordChanged,
    PhoneCodeIssued,
    RegistrationRepeated,
    SecondFactorSwitched,
    SignInCodeIssued,
    UserRegistered,
)
from marketplace.events.listings import ListingExpired, ListingExpiring
from marketplace.events.messaging import MessageSent
from marketplace.events.privacy import ExportReady
from marketplace.events.reports import ReportResolved
from marketplace.events.reviews import ReviewDue, ReviewReplied, ReviewWritten
from marketplace.events.search import SavedSearchMatched
from marketplace.events.subscriptions import (
    PlanRefundBegun,
    PlanRefundFailed,
    SubscriptionEnded,
    SubscriptionPastDue,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from marketplace.events.tasks import (
    ApplicationRejected,
    ApplicationSent,
    ApplicationWithdrawn,
    TaskAssigned,
    TaskCancelled,
    TaskCompleted,
    TaskDeclined,
    TaskDisputed,
    TaskDone,
    TaskExpired,
    TaskPosted,
    TaskStarted,
)
from marketplace.events.verification import VerificationDecided
from marketplace.kit.clock import now
from marketplace.notifications import notification_builder
from marketplace.reports import queries as reports_queries
from marketplace.reports.models import WARN
from marketplace.verification import queries as verification_queries

LETTERS_OF = {
    "verify": "verify_email",
    "reset": "reset_password",
    "change_old": "change_email_old",
    "change_new": "change_email_new",
}


@subscribe(UserRegistered)
def welcome(event: UserRegistered) -> None:
    """A first letter."""
    notification_builder.tell(
        event.user_id, "welcome", "", event.user_id, first_name=auth_queries.first_name_of(event.user_id)
    )


@subscribe(MailTokenIssued)
def send_link(event: MailTokenIssued) -> None:
    """A link that counts once."""
    kind = LETTERS_OF[event.purpose]
    notification_builder.by_letter(
        event.user_id, kind, event.token_id, **notification_builder.values_of_token(event.token_id)
    )


@subscribe(RegistrationRepeated)
def tell_of_repeated_registration(event: RegistrationRepeated) -> None:
    """Instead of an answer to whoever asked; one letter a day."""
    notification_builder.by_mail(
        event.user_id, "account_exists", f"account_exists:{event.user_id}:{now().date()}", event.user_id
    )


@subscribe(SignInCodeIssued)
def send_sign_in_code(event: SignInCodeIssued) -> None:
    """Who reads the mailbox is let in."""
    notification_builder.code(event.user_id, "sign_in_code", "email", event.challenge_id)


@subscribe(PhoneCodeIssued)
def send_phone_code(event: PhoneCodeIssued) -> None:
    """Who holds the telephone is let in."""
    notification_builder.code(event.user_id, "phone_code", "sms", event.code_id)


@subscribe(NewDeviceSeen)
def warn_of_new_device(event: NewDeviceSeen) -> None:
    """In case it was somebody else."""
    device, address = sessions_service.where(event.sign_in_id)
    values: dict[str, Any] = {"device": device[:120] or "?", "address": address or "?"}
    notification_builder.tell(event.user_id, "new_sign_in", event.sign_in_id, event.user_id, **values)


@subscribe(SecondFactorSwitched)
def warn_of_second_factor(event: SecondFactorSwitched) -> None:
    """In case it was somebody else."""
    kind = "second_factor_on" if event.is_on else "second_factor_off"
    notification_builder.tell(event.user_id, kind, str(event.version), event.user_id)


@subscribe(ApiKeyMade)
def warn_of_api_key(event: ApiKeyMade) -> None:
    """In case it was somebody else."""
    notification_builder.tell(
        event.user_id, "api_key_made", str(event.key_id), event.user_id, name=keys_service.name_of(event.key_id)
    )


@subscribe(AccountSuspended)
def tell_of_suspension(event: AccountSuspended) -> None:
    """Why, and what to do."""
    reason = auth_queries.suspension_reason(event.user_id)
    notification_builder.tell(event.user_id, "account_suspended", str(event.version), event.user_id, reason=reason)


@subscribe(ReportResolved)
def tell_of_warning(event: ReportResolved) -> None:
    """What is against the rules; of a ban and of what was deleted other facts tell."""
    if event.action == WARN:
        note = reports_queries.note_of(event.report_id)
        notification_builder.tell(
            event.reported_id, "account_warned", str(event.report_id), event.reported_id, reason=note
        )


@subscribe(AccountReinstated)
def tell_of_reinstatement(event: AccountReinstated) -> None:
    """It is open again."""
    notification_builder.tell(event.user_id, "account_reinstated", str(event.version), event.user_id)


@subscribe(VerificationDecided)
def tell_of_verification(event: VerificationDecided) -> None:
    """Whether the documents were enough."""
    kind = "verification_approved" if event.is_approved else "verification_refused"
    values: dict[str, Any] = (
        {} if event.is_approved else {"reason": verification_queries.reason_of(event.verification_id)}
    )
    notification_builder.tell(event.user_id, kind, str(event.verification_id), event.user_id, **values)


@subscribe(ExportReady)
def send_export(event: ExportReady) -> None:
    """Where the file can be fetched."""
    notification_builder.by_mail(event.user_id, "export_ready", f"export:{event.upload_id}", event.upload_id)


@subscribe(PasswordChanged)
def warn_of_new_password(event: PasswordChanged) -> None:
    """In case it was somebody else."""
    notification_builder.tell(event.user_id, "password_changed", str(event.version), event.user_id)


@subscribe(ApplicationSent)
def tell_owner_of_application(event: ApplicationSent) -> None:
    """Somebody offers to do the task."""
    key = f"{event.application_id}:{event.version}"
    notification_builder.of_task(
        event.owner_id, "new_application", key, event.task_id, applicant_name=event.applicant_id
    )


@subscribe(ApplicationWithdrawn)
def tell_owner_of_withdrawal(event: ApplicationWithdrawn) -> None:
    """Somebody does not offer it any more."""
    key = f"{event.application_id}:{event.version}"
    notification_builder.of_task(
        event.owner_id, "application_withdrawn", key, event.task_id, applicant_name=event.applicant_id
    )


@subscribe(ApplicationRejected)
def tell_applicant_of_rejection(event: ApplicationRejected) -> None:
    """It is not going to be them."""
    key = f"{event.application_id}:{event.version}"
    notification_builder.of_task(event.applicant_id, "application_rejected", key, event.task_id)


@subscribe(TaskAssigned)
def tell_worker_of_assignment(event: TaskAssigned) -> None:
    """It is going to be them: chosen among applicants, or booked."""
    kind = "task_assigned" if event.booked else "application_accepted"
    notification_builder.of_task(event.worker_id, kind, _step(event), event.task_id, owner_name=event.owner_id)


@subscribe(TaskDeclined)
def tell_owner_of_decline(event: TaskDeclined) -> None:
    """The worker gave it back."""
    notification_builder.of_task(
        event.owner_id, "task_declined", _step(event), event.task_id, worker_name=event.worker_id
    )


@subscribe(TaskStarted)
def tell_owner_of_start(event: TaskStarted) -> None:
    """The worker took it up."""
    notification_builder.of_task(
        event.owner_id, "task_started", _step(event), event.task_id, worker_name=event.worker_id
    )


@subscribe(TaskDone)
def tell_owner_it_is_done(event: TaskDone) -> None:
    """The owner is asked to confirm."""
    notification_builder.of_task(
        event.owner_id, "task_marked_done", _step(event), event.task_id, worker_name=event.worker_id
    )


@subscribe(TaskCompleted)
def tell_worker_of_completion(event: TaskCompleted) -> None:
    """The owner is content."""
    notification_builder.of_task(
        event.worker_id, "task_completed", str(event.task_id), event.task_id, owner_name=event.owner_id
    )


@subscribe(TaskDisputed)
def tell_other_side_of_dispute(event: TaskDisputed) -> None:
    """One side does not agree."""
    other = event.owner_id if event.by_id == event.worker_id else event.worker_id
    notification_builder.of_task(other, "task_disputed", _step(event), event.task_id, other_name=event.by_id)


@subscribe(TaskCancelled)
def tell_worker_of_cancellation(event: TaskCancelled) -> None:
    """There is nothing to do any more."""
    if event.worker_id is not None:
        notification_builder.of_task(
            event.worker_id, "task_cancelled", str(event.task_id), event.task_id, owner_name=event.owner_id
        )


@subscribe(TaskExpired)
def tell_owner_of_expiry(event: TaskExpired) -> None:
    """Nobody took it in time."""
    notification_builder.of_task(event.owner_id, "task_expired", str(event.task_id), event.task_id)


@subscribe(TaskPosted)
def look_for_helpers_nearby(event: TaskPosted) -> None:
    """Those who want to hear of tasks near them are told by a job: they may be many."""
    if notification_builder.has_alerts():
        enqueue("alert_nearby", key=f"alert_nearby:{event.task_id}", task_id=event.task_id)


@subscribe(ListingExpiring)
def remind_seller(event: ListingExpiring) -> None:
    """There are a few days left."""
    key = f"{event.listing_id}:{event.expires_at}"
    notification_builder.of_listing(event.seller_id, "listing_expiring", key, event.listing_id, days=event.days)


@subscribe(ListingExpired)
def tell_seller_of_expiry(event: ListingExpired) -> None:
    """It is off the list."""
    key = f"{event.listing_id}:{event.expires_at}"
    notification_builder.of_listing(event.seller_id, "listing_expired", key, event.listing_id)


@subscribe(ReviewWritten)
def tell_of_review(event: ReviewWritten) -> None:
    """Somebody said what it was like."""
    name = auth_queries.name_of(event.reviewer_id)
    values = {"reviewer_name": name, "rating": event.rating}
    by = event.reviewer_id
    notification_builder.tell(
        event.reviewed_user_id, "new_review", str(event.review_id), event.review_id, named_id=by, **values
    )


@subscribe(ReviewReplied)
def tell_of_reply(event: ReviewReplied) -> None:
    """Whom one has reviewed says something to it."""
    name, by = auth_queries.name_of(event.by_id), event.by_id
    key = str(event.review_id)
    notification_builder.tell(event.reviewer_id, "review_replied", key, event.review_id, named_id=by, other_name=name)


@subscribe(ReviewDue)
def remind_of_review(event: ReviewDue) -> None:
    """A deal is over and not rated yet."""
    notification_builder.of_deal(event.user_id, "review_reminder", event.reference, other_id=event.other_id)


@subscribe(SavedSearchMatched)
def tell_of_match(event: SavedSearchMatched) -> None:
    """What somebody looks for was put up."""
    notification_builder.of_match(event.user_id, event.search_id, event.kind, event.thing_id)


@subscribe(MessageSent)
def tell_of_message(event: MessageSent) -> None:
    """One piece of news a conversation, however many messages wait in it."""
    notification_builder.of_message(event.message_id, event.sender_id, event.conversation_id, event.seq)


@subscribe(SubscriptionStarted)
def tell_of_plan(event: SubscriptionStarted) -> None:
    """It is paid for."""
    notification_builder.of_plan(
        event.user_id, "plan_started", str(event.subscription_id), event.subscription_id, event.plan_key
    )


@subscribe(SubscriptionRenewed)
def tell_of_renewal(event: SubscriptionRenewed) -> None:
    """One more invoice is."""
    notification_builder.of_plan(
        event.user_id, "plan_renewed", str(event.invoice_id), event.subscription_id, event.plan_key
    )


@subscribe(SubscriptionPastDue)
def warn_of_declined_renewal(event: SubscriptionPastDue) -> None:
    """There are a few days left to pay."""
    key = f"{event.subscription_id}:{event.version}"
    notification_builder.of_plan(event.user_id, "plan_past_due", key, event.subscription_id, event.plan_key)


@subscribe(SubscriptionEnded)
def tell_of_end(event: SubscriptionEnded) -> None:
    """Nothing comes with it any more."""
    notification_builder.of_plan(
        event.user_id, "plan_ended", str(event.subscription_id), event.subscription_id, event.plan_key
    )


@subscribe(PlanRefundBegun)
def tell_of_plan_refund(event: PlanRefundBegun) -> None:
    """It takes days until a bank shows it."""
    _tell_of_plan_refund("plan_refund_begun", event)


@subscribe(PlanRefundFailed)
def tell_of_failed_plan_refund(event: PlanRefundFailed) -> None:
    """The money is in their wallet instead."""
    _tell_of_plan_refund("plan_refund_failed", event)


def _tell_of_plan_refund(kind: str, event: PlanRefundBegun | PlanRefundFailed) -> None:
    amount = notification_builder.said(event.amount_minor, event.currency)
    about = (str(event.refund_id), event.subscription_id, event.plan_key)
    notification_builder.of_plan(event.user_id, kind, *about, amount=amount)


def _step(event: TaskAssigned | TaskDeclined | TaskStarted | TaskDone | TaskDisputed) -> str:
    """Of a task that goes to and fro each step is told once."""
    return f"{event.task_id}:{event.version}"
