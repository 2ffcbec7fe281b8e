"""The fake provider's subscriptions.

`pm_card_worksOnce` pays what a subscription begins with and is declined from then on. What is declined is tried again
every day. A change of plans is prorated by the day, in whole minor units: what is left of the old plan is credit, and
credit is used up before the card is asked. Nothing is ever paid back.

Apart from the rooms: a gateway's part: one ability of the fake provider.
"""

from calendar import monthrange
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from marketplace.core.database.db import fetch, in_transaction
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import share
from marketplace.payments.providers.fake.book import THINGS, FakeBook, ThingRow
from marketplace.payments.providers.fake.test_cards import CHALLENGES, DECLINES, WORKS_ONCE, tried
from marketplace.payments.providers.provider import (
    Declined,
    InvoiceState,
    Paid,
    PlanTerms,
    ProviderStatus,
    Refused,
    ResourceType,
    SubscriptionState,
)

KIND = "subscription"
NEVER = "never"  # later than every date, as letters come after digits
TRY_AGAIN = timedelta(days=1)
DECLINED = "Your card was declined."
ONE_DAY = timedelta(days=1)


class FakeSubscriptions(FakeBook):
    """Begins, renews by the clock, changes and ends them."""

    site_url: str

    def subscribe(
        self, *, terms: PlanTerms, customer_id: str | None, user_id: int, email: str, method: str | None, key: str
    ) -> SubscriptionState:
        """Paid at once by a test card that works; raises Declined, and is there all the same, unpaid."""

        def work() -> tuple[SubscriptionState, str]:
            thing, is_new = self._made(KIND, "sub", key, _unpaid(terms, customer_id or f"cus_{user_id}", method))
            if is_new:
                status, failure = tried({"status": ProviderStatus.REQUIRES_PAYMENT_METHOD.value}, method)
                thing = self._changed(thing, "created", failure=failure)
                thing = self._begin(thing) if status is ProviderStatus.AUTHORIZED else thing
            return self._state(thing), thing.data["failure"] if thing.data["status"] == Paid.INCOMPLETE.value else ""

        return _unless_declined(self._do("subscribe", work))

    def change_plan(self, subscription_id: str, *, terms: PlanTerms, key: str) -> SubscriptionState:
        """The same interval keeps its period, another one begins a new; raises Declined, and the old plan stays."""

        def work() -> tuple[SubscriptionState, str]:
            thing = self._thing(KIND, subscription_id)
            if key in thing.data["keys"]:
                return self._state(thing), ""
            if thing.data["status"] != Paid.ACTIVE.value or terms.currency != thing.data["currency"]:
                raise Refused("Only a subscription that is paid for can change, within its currency.", "not_possible")
            wanted = {**_terms(terms), "keys": [*thing.data["keys"], key]}
            to_pay, credit = _prorated(thing.data, terms, now())
            if to_pay and _declines(thing.data["method"]):
                return self._state(thing), DECLINED
            period = {} if terms.interval == thing.data["interval"] else _period(_text(now()), terms.interval, 1)
            thing = self._changed(thing, "updated", **wanted, **period, credit_minor=credit)
            return self._state(self._paid(thing, to_pay, key)), ""

        return _unless_declined(self._do("change_plan", work))

    def end_subscription(self, subscription_id: str, *, at_once: bool, key: str) -> SubscriptionState:
        """At the end of the period, or now; what nobody paid for ends now."""

        def work() -> SubscriptionState:
            thing = self._thing(KIND, subscription_id)
            if thing.data["status"] == Paid.ENDED.value:
                return self._state(thing)
            if at_once or thing.data["status"] != Paid.ACTIVE.value:
                return self._state(self._ended(thing))
            return self._state(self._changed(thing, "updated", cancel_at_period_end=True))

        return self._do("end_subscription", work)

    def fetch_subscription(self, subscription_id: str) -> SubscriptionState:
        """Raises Unknown."""
        return self._do("fetch_subscription", lambda: self._state(self._thing(KIND, subscription_id)))

    def find_subscription(self, key: str) -> SubscriptionState | None:
        """By the key it was begun with."""

        def work() -> SubscriptionState | None:
            thing = self._with_key(KIND, key)
            return None if thing is None else self._state(thing)

        return self._do("find_subscription", work)

    def pass_challenge(self, subscription_id: str) -> None:
        """For trying it out: the payer does what their bank wanted."""
        self._do("pass_challenge", lambda: self._begin(self._thing(KIND, subscription_id)))

    def give_card(self, subscription_id: str, method: str) -> None:
        """For trying it out: the payer gives another card, which is tried at once where something is due."""

        def work() -> None:
            thing = self._thing(KIND, subscription_id)
            due = {"renews_at": _text(now())} if thing.data["status"] == Paid.PAST_DUE.value else {}
            self._changed(thing, "updated", method=method, **due)

        self._do("give_card", work)

    def renew_due(self) -> int:
        """What the clock does: renew those whose period is over, or end them; returns how many."""
        renewed = 0
        while names := self._to_renew():
            for name in names:
                renewed += in_transaction(partial(self._renew, name))
        return renewed

    def _to_renew(self) -> list[str]:
        is_due = THINGS.c.data["renews_at"].as_string() <= _text(now())
        return [row.name for row in fetch(select(THINGS.c.name).where(THINGS.c.kind == KIND, is_due))]

    def _renew(self, name: str) -> int:
        thing = self._thing(KIND, name)
        if thing.data["renews_at"] > _text(now()):
            return 0
        if thing.data["cancel_at_period_end"]:
            self._ended(thing)
        elif _to_pay(thing.data)[0] and _declines(thing.data["method"]):
            again = _text(now() + TRY_AGAIN)
            self._changed(thing, "past_due", status=Paid.PAST_DUE.value, renews_at=again)
        else:
            self._go_on(thing)
        return 1

    def _begin(self, thing: ThingRow) -> ThingRow:
        """The first invoice is paid."""
        if thing.data["status"] != Paid.INCOMPLETE.value:
            return thing
        period = _period(_text(now()), thing.data["interval"], 1)
        begun = self._changed(thing, "updated", status=Paid.ACTIVE.value, failure="", **period)
        return self._paid(begun, begun.data["amount_minor"], "1")

    def _go_on(self, thing: ThingRow) -> ThingRow:
        """The next period, paid by what is left of earlier plans and then by the card."""
        data = thing.data
        to_pay, credit = _to_pay(data)
        period = _period(data["begun_at"], data["interval"], data["number"] + 1)
        changes = {"status": Paid.ACTIVE.value, "credit_minor": credit, **period}
        return self._paid(
            self._changed(thing, "updated", **changes), to_pay, f"{data['begun_at']}/{data['number'] + 1}"
        )

    def _paid(self, thing: ThingRow, amount_minor: int, what: str) -> ThingRow:
        """An invoice of its own, in the book; `what` was paid is paid once."""
        if not amount_minor:
            return thing
        said = {"amount_minor": amount_minor, "currency": thing.data["currency"]}
        invoice, is_new = self._made("invoice", "in", f"{thing.name}:{what}", {**said, "method": thing.data["method"]})
        if not is_new:
            return thing
        self._write(ResourceType.SUBSCRIPTION, invoice, amount_minor)
        listed = [*thing.data["invoices"], {**said, "id": invoice.name, "paid_at": _text(now())}]
        return self._change(thing, "invoice.paid", ResourceType.SUBSCRIPTION, invoices=listed)

    def _ended(self, thing: ThingRow) -> ThingRow:
        return self._changed(thing, "deleted", status=Paid.ENDED.value, renews_at=NEVER)

    def _changed(self, thing: ThingRow, what: str, **changes: Any) -> ThingRow:
        return self._change(thing, f"customer.subscription.{what}", ResourceType.SUBSCRIPTION, **changes)

    def _state(self, thing: ThingRow) -> SubscriptionState:
        data = thing.data
        invoices = tuple(InvoiceState(**{**one, "paid_at": _moment(one["paid_at"])}) for one in data["invoices"])
        unpaid = data["status"] == Paid.INCOMPLETE.value
        challenged = unpaid and data["method"] in CHALLENGES
        return SubscriptionState(
            id=thing.name,
            status=Paid(data["status"]),
            plan_key=data["plan"],
            currency=data["currency"],
            period_start=_moment(data["period_start"]),
            period_end=_moment(data["period_end"]),
            cancel_at_period_end=data["cancel_at_period_end"],
            paid_minor=sum(one.amount_minor for one in invoices),
            invoices=invoices,
            client_secret=f"{thing.name}_secret_{self._signature(0, thing.name.encode())[:24]}" if unpaid else "",
            next_url=f"{self.site_url}/{'challenge' if challenged else 'pay'}/{thing.name}" if unpaid else "",
            customer_id=data["customer"],
        )


def _unpaid(terms: PlanTerms, customer: str, method: str | None) -> JsonObject:
    nothing = {"period_start": None, "period_end": None, "renews_at": NEVER, "begun_at": None, "number": 0}
    about: dict[str, Any] = {"customer": customer, "method": method, "failure": ""}
    so_far: dict[str, Any] = {"keys": [], "invoices": [], "credit_minor": 0, "cancel_at_period_end": False}
    return {**_terms(terms), **nothing, **about, **so_far, "status": Paid.INCOMPLETE.value}


def _terms(terms: PlanTerms) -> JsonObject:
    return {
        "plan": terms.key,
        "amount_minor": terms.amount_minor,
        "currency": terms.currency,
        "interval": terms.interval,
    }


def _declines(method: str | None) -> bool:
    """Whether a card that is on file does not pay (any more)."""
    return method is None or method == WORKS_ONCE or method in DECLINES


def _unless_declined(answer: tuple[SubscriptionState, str]) -> SubscriptionState:
    state, failure = answer
    if failure:
        raise Declined(failure, "card_declined")
    return state


def _to_pay(data: dict[str, Any]) -> tuple[int, int]:
    """What the next period takes from the card, and the credit that is left."""
    used = min(data["credit_minor"], data["amount_minor"])
    return data["amount_minor"] - used, data["credit_minor"] - used


def _prorated(data: dict[str, Any], terms: PlanTerms, at: datetime) -> tuple[int, int]:
    """What a change takes from the card now, and the credit that is left: the days that are not over of what was
    paid count for the new plan."""
    left, whole = _days(data, at)
    unused = _part(data["amount_minor"], left, whole) + data["credit_minor"]
    stays = terms.interval == data["interval"]
    price = _part(terms.amount_minor, left, whole) if stays else terms.amount_minor
    return max(price - unused, 0), max(unused - price, 0)


def _days(data: dict[str, Any], at: datetime) -> tuple[int, int]:
    """Whole days that are left, the one that has begun counted as over, and all days."""
    start, end = datetime.fromisoformat(data["period_start"]), datetime.fromisoformat(data["period_end"])
    return max((end - at) // ONE_DAY, 0), (end - start) // ONE_DAY


def _part(amount_minor: int, left: int, whole: int) -> int:
    return share(amount_minor, (left, whole - left))[0]


def _period(begun_at: str, interval: str, number: int) -> JsonObject:
    """The so-manieth period since then, counted from the first day so that 31 January is followed by 31 March."""
    begun, months = datetime.fromisoformat(begun_at), 12 if interval == "year" else 1
    end = _text(_later(begun, number * months))
    start = _text(_later(begun, (number - 1) * months))
    return {"begun_at": begun_at, "number": number, "period_start": start, "period_end": end, "renews_at": end}


def _later(begun: datetime, months: int) -> datetime:
    years, month = divmod(begun.month - 1 + months, 12)
    year, month = begun.year + years, month + 1
    return begun.replace(year=year, month=month, day=min(begun.day, monthrange(year, month)[1]))


def _text(moment: datetime) -> str:
    """All of one length, so that they compare as texts."""
    return moment.isoformat(timespec="microseconds")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
