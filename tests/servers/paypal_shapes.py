"""The bodies PayPal documents for what we send, as far as we send it; anything else is a complaint.

By the references of Orders v2, Payments v2, Payouts v1, Subscriptions v1, Catalog Products v1 and Webhooks v1.
"""

from typing import Literal, NotRequired, TypedDict


class Money(TypedDict):
    """An amount."""

    currency_code: str
    value: str


class PurchaseUnit(TypedDict):
    """What is bought."""

    amount: Money
    reference_id: NotRequired[str]
    description: NotRequired[str]
    custom_id: NotRequired[str]
    invoice_id: NotRequired[str]
    soft_descriptor: NotRequired[str]


class ExperienceContext(TypedDict):
    """What the payer sees."""

    brand_name: NotRequired[str]
    locale: NotRequired[str]
    shipping_preference: NotRequired[Literal["GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"]]
    user_action: NotRequired[Literal["CONTINUE", "PAY_NOW"]]
    return_url: NotRequired[str]
    cancel_url: NotRequired[str]
    landing_page: NotRequired[Literal["LOGIN", "GUEST_CHECKOUT", "NO_PREFERENCE", "BILLING"]]


class Wallet(TypedDict):
    """Paying by PayPal."""

    experience_context: NotRequired[ExperienceContext]
    email_address: NotRequired[str]


class Source(TypedDict):
    """How it is paid."""

    paypal: NotRequired[Wallet]


class OrderRequest(TypedDict):
    """POST /v2/checkout/orders."""

    intent: Literal["CAPTURE", "AUTHORIZE"]
    purchase_units: list[PurchaseUnit]
    payment_source: NotRequired[Source]


class Nothing(TypedDict):
    """No body."""


class CaptureRequest(TypedDict):
    """POST /v2/payments/authorizations/{id}/capture."""

    amount: NotRequired[Money]
    invoice_id: NotRequired[str]
    final_capture: NotRequired[bool]
    note_to_payer: NotRequired[str]
    soft_descriptor: NotRequired[str]


class RefundRequest(TypedDict):
    """POST /v2/payments/captures/{id}/refund."""

    amount: NotRequired[Money]
    custom_id: NotRequired[str]
    invoice_id: NotRequired[str]
    note_to_payer: NotRequired[str]


class PayoutMoney(TypedDict):
    """An amount of the older APIs."""

    currency: str
    value: str


class PayoutItem(TypedDict):
    """One payee."""

    receiver: str
    amount: PayoutMoney
    recipient_type: NotRequired[Literal["EMAIL", "PHONE", "PAYPAL_ID"]]
    note: NotRequired[str]
    sender_item_id: NotRequired[str]


class BatchHeader(TypedDict):
    """What holds for all of them."""

    sender_batch_id: NotRequired[str]
    recipient_type: NotRequired[str]
    email_subject: NotRequired[str]
    email_message: NotRequired[str]


class PayoutRequest(TypedDict):
    """POST /v1/payments/payouts."""

    sender_batch_header: BatchHeader
    items: list[PayoutItem]


class ProductRequest(TypedDict):
    """POST /v1/catalogs/products."""

    name: str
    type: NotRequired[Literal["PHYSICAL", "DIGITAL", "SERVICE"]]
    id: NotRequired[str]
    description: NotRequired[str]


class Frequency(TypedDict):
    """How often."""

    interval_unit: Literal["DAY", "WEEK", "MONTH", "YEAR"]
    interval_count: NotRequired[int]


class PricingScheme(TypedDict):
    """How much."""

    fixed_price: Money


class BillingCycle(TypedDict):
    """How often how much."""

    tenure_type: Literal["REGULAR", "TRIAL"]
    sequence: int
    frequency: Frequency
    total_cycles: NotRequired[int]
    pricing_scheme: NotRequired[PricingScheme]


class PaymentPreferences(TypedDict):
    """What if it is not paid."""

    auto_bill_outstanding: NotRequired[bool]
    payment_failure_threshold: NotRequired[int]


class PlanRequest(TypedDict):
    """POST /v1/billing/plans."""

    product_id: str
    name: str
    billing_cycles: list[BillingCycle]
    payment_preferences: PaymentPreferences
    description: NotRequired[str]
    status: NotRequired[Literal["CREATED", "ACTIVE", "INACTIVE"]]


class Subscriber(TypedDict):
    """Who pays."""

    email_address: NotRequired[str]


class ApplicationContext(TypedDict):
    """What the subscriber sees."""

    return_url: str
    cancel_url: str
    brand_name: NotRequired[str]
    shipping_preference: NotRequired[Literal["GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"]]
    user_action: NotRequired[Literal["CONTINUE", "SUBSCRIBE_NOW"]]


class SubscriptionRequest(TypedDict):
    """POST /v1/billing/subscriptions."""

    plan_id: str
    quantity: NotRequired[str]
    start_time: NotRequired[str]
    custom_id: NotRequired[str]
    subscriber: NotRequired[Subscriber]
    application_context: NotRequired[ApplicationContext]


class ReviseRequest(TypedDict):
    """POST /v1/billing/subscriptions/{id}/revise."""

    plan_id: NotRequired[str]
    quantity: NotRequired[str]
    application_context: NotRequired[ApplicationContext]


class CancelRequest(TypedDict):
    """POST /v1/billing/subscriptions/{id}/cancel."""

    reason: str


class TransactionsQuery(TypedDict):
    """GET /v1/reporting/transactions."""

    start_date: str
    end_date: str
    fields: NotRequired[str]
    page_size: NotRequired[int]
    page: NotRequired[int]
    transaction_id: NotRequired[str]
    transaction_type: NotRequired[str]


class EventsQuery(TypedDict):
    """GET /v1/notifications/webhooks-events."""

    page_size: NotRequired[int]
    start_time: NotRequired[str]
    end_time: NotRequired[str]
    transaction_id: NotRequired[str]
    event_type: NotRequired[str]


class PlansQuery(TypedDict):
    """GET /v1/billing/plans."""

    product_id: NotRequired[str]
    page_size: NotRequired[int]
    page: NotRequired[int]


class SubscriptionsQuery(TypedDict):
    """GET /v1/billing/subscriptions."""

    created_after: NotRequired[str]
    page_size: NotRequired[int]
    page: NotRequired[int]


class PeriodQuery(TypedDict):
    """GET /v1/billing/subscriptions/{id}/transactions."""

    start_time: str
    end_time: str
