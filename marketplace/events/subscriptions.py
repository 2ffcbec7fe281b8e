"""Facts about plans."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStarted(Event):
    """Somebody has paid for a plan for the first time."""

    subscription_id: int
    user_id: int
    plan_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRenewed(Event):
    """One more invoice of a plan was paid; `invoice_id` is ours."""

    subscription_id: int
    user_id: int
    plan_key: str
    invoice_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged(Event):
    """A subscriber changed to the plan `plan_key`."""

    subscription_id: int
    user_id: int
    plan_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPastDue(Event):
    """The renewal of a plan was declined; `version` in seconds since 1970."""

    subscription_id: int
    user_id: int
    plan_key: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRefundBegun(Event):
    """What was paid for a plan is on its way back, minor units."""

    refund_id: int
    subscription_id: int
    user_id: int
    plan_key: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRefundFailed(Event):
    """It could not go back the way it was paid, and is in the payer's wallet, minor units."""

    refund_id: int
    subscription_id: int
    user_id: int
    plan_key: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionEnded(Event):
    """A plan that was paid for is over."""

    subscription_id: int
    user_id: int
    plan_key: str
