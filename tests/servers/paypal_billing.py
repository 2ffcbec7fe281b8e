"""The local PayPal's payouts, subscriptions and reports."""

from datetime import datetime, timedelta
from typing import Any

from tests.servers import paypal_shapes as shape
from tests.servers.paypal_store import Fault, Store, checked, stamp

INTERVALS = {"MONTH": timedelta(days=30), "YEAR": timedelta(days=365)}
LONGEST_RANGE = timedelta(days=31)


def create_payout(book: Store, body: dict[str, Any]) -> dict[str, Any]:
    """A batch; the same sender_batch_id again is refused with a link to it."""
    sender_batch_id = body["sender_batch_header"].get("sender_batch_id", "")
    for batch in book.of_kind("payout"):
        if batch["batch_header"]["sender_batch_header"]["sender_batch_id"] == sender_batch_id:
            links = [book.link("self", f"/v1/payments/payouts/{batch['id']}")] if book.names_duplicates else []
            raise Fault(400, "USER_BUSINESS_ERROR", "Batch already exists", links=links, field="SENDER_BATCH_ID")
    item = body["items"][0]
    checked(item["amount"])
    if len(item.get("sender_item_id", "")) > 63 or "@" not in item["receiver"]:
        raise Fault(400, "VALIDATION_ERROR", "Receiver is invalid or does not match with type")
    header = {"payout_batch_id": book.number("B"), "batch_status": "PENDING"}
    header["sender_batch_header"] = body["sender_batch_header"]
    line = {"payout_item_id": book.number("I"), "payout_batch_id": header["payout_batch_id"], "payout_item": item}
    line |= {"transaction_status": "PENDING"}
    header["amount"] = item["amount"]
    return book.add("B", "payout", id=header["payout_batch_id"], batch_header=header, items=[line])


def settle_payout(book: Store, payout_id: str, status: str = "SUCCESS") -> None:
    """It arrives, or comes back."""
    batch = book.get(payout_id, "payout")
    item = batch["items"][0]
    amount = {
        "currency_code": item["payout_item"]["amount"]["currency"],
        "value": item["payout_item"]["amount"]["value"],
    }
    first = "transaction_id" not in item
    item.setdefault("transaction_id", book.number("T"))
    batch["batch_header"]["batch_status"] = "SUCCESS"
    item["transaction_status"] = status
    if first:
        book.enter("T0001", item["transaction_id"], amount, -1)
        book.tell("PAYMENT.PAYOUTSBATCH.SUCCESS", {"batch_header": batch["batch_header"]})
    if status != "SUCCESS":
        item["errors"] = {"name": "RECEIVER_UNREGISTERED", "message": "Receiver is unregistered"}
        book.enter("T1114", book.number("T"), amount, +1, paypal_reference_id=item["transaction_id"])
    names = {"SUCCESS": "SUCCEEDED", "RETURNED": "RETURNED"}
    book.tell(f"PAYMENT.PAYOUTS-ITEM.{names[status]}", item)


def create_product(book: Store, body: dict[str, Any]) -> dict[str, Any]:
    """What can be subscribed to."""
    if not 6 <= len(body["id"]) <= 50:
        raise Fault(400, "INVALID_REQUEST", "INVALID_STRING_LENGTH")
    if body["id"] in book.things:
        raise Fault(422, "UNPROCESSABLE_ENTITY", "DUPLICATE_RESOURCE_IDENTIFIER")
    return book.add("PROD-", "product", **body)


def create_plan(book: Store, body: dict[str, Any]) -> dict[str, Any]:
    """Its terms."""
    book.get(body["product_id"], "product")
    checked(body["billing_cycles"][0]["pricing_scheme"]["fixed_price"])
    return book.add("P-", "plan", **{"status": "ACTIVE", **body})


def list_plans(book: Store, query: dict[str, Any]) -> dict[str, Any]:
    """Of one product."""
    return {"plans": [one for one in book.of_kind("plan") if one["product_id"] == query.get("product_id")]}


def create_subscription(book: Store, body: dict[str, Any]) -> dict[str, Any]:
    """It waits for its payer."""
    book.get(body["plan_id"], "plan")
    kept = {name: value for name, value in body.items() if name != "application_context"}
    made = book.add("I-", "subscription", status="APPROVAL_PENDING", paid=[], **kept)
    made["links"] = [book.link("approve", f"/webapps/billing/subscriptions?ba_token={made['id']}")]
    book.tell("BILLING.SUBSCRIPTION.CREATED", made)
    return made


def agree(book: Store, subscription_id: str) -> None:
    """The payer approves it, or the other plan."""
    subscription = book.get(subscription_id, "subscription")
    if other := subscription.pop("revised_to", None):
        subscription["plan_id"] = other
        book.tell("BILLING.SUBSCRIPTION.UPDATED", subscription)
        return
    subscription["status"] = "ACTIVE"
    cycle = book.get(subscription["plan_id"], "plan")["billing_cycles"][0]
    price = cycle["pricing_scheme"]["fixed_price"]
    following = stamp(INTERVALS[cycle["frequency"]["interval_unit"]])
    paid = {"amount": price, "time": stamp()}
    subscription["billing_info"] = {"last_payment": paid, "next_billing_time": following}
    transaction = {"id": book.number("S"), "status": "COMPLETED", "time": stamp()}
    subscription["paid"].append({**transaction, "amount_with_breakdown": {"gross_amount": price}})
    book.enter("T0002", transaction["id"], price, +1, custom_field=subscription.get("custom_id", ""))
    book.tell("BILLING.SUBSCRIPTION.ACTIVATED", subscription)
    book.tell("PAYMENT.SALE.COMPLETED", {"id": transaction["id"], "billing_agreement_id": subscription["id"]})


def list_subscriptions(book: Store, query: dict[str, Any]) -> dict[str, Any]:
    """The first page has number one."""
    size, page = int(query["page_size"]), int(query["page"])
    found = [one for one in book.of_kind("subscription") if one["create_time"] >= query["created_after"]]
    return {"subscriptions": found[(page - 1) * size : page * size]}


def revise(book: Store, body: dict[str, Any], subscription_id: str) -> dict[str, Any]:
    """The payer has to agree."""
    subscription = book.get(subscription_id, "subscription")
    if subscription["status"] != "ACTIVE":
        raise Fault(422, "UNPROCESSABLE_ENTITY", "SUBSCRIPTION_STATUS_INVALID")
    subscription["revised_to"] = book.get(body["plan_id"], "plan")["id"]
    links = [book.link("approve", f"/webapps/billing/subscriptions/update?ba_token={subscription_id}")]
    return {"plan_id": body["plan_id"], "plan_overridden": False, "links": links}


def cancel(book: Store, body: dict[str, Any], subscription_id: str) -> None:
    """No more is paid."""
    subscription = book.get(subscription_id, "subscription")
    if subscription["status"] not in {"ACTIVE", "SUSPENDED"}:
        raise Fault(422, "UNPROCESSABLE_ENTITY", "SUBSCRIPTION_STATUS_INVALID")
    subscription |= {"status": "CANCELLED", "status_change_note": body["reason"]}
    subscription["billing_info"].pop("next_billing_time")
    book.tell("BILLING.SUBSCRIPTION.CANCELLED", subscription)


def list_transactions(book: Store, query: dict[str, Any], subscription_id: str) -> dict[str, Any]:
    """What was paid for it."""
    paid = book.get(subscription_id, "subscription")["paid"]
    return {"transactions": [one for one in paid if query["start_time"] <= one["time"] <= query["end_time"]]}


def report(book: Store, query: dict[str, Any]) -> dict[str, Any]:
    """Transaction Search."""
    start, end = (datetime.fromisoformat(query[name]) for name in ("start_date", "end_date"))
    if end - start > LONGEST_RANGE:
        raise Fault(400, "INVALID_REQUEST", "Date range is greater than 31 days")
    found = [
        one for one in book.transactions if start <= datetime.fromisoformat(one["transaction_initiation_date"]) <= end
    ]
    size, page = int(query["page_size"]), int(query["page"])
    details = [{"transaction_info": one} for one in found[(page - 1) * size : page * size]]
    pages = -(-len(found) // size)
    return {"transaction_details": details, "page": page, "total_items": len(found), "total_pages": pages}


def list_events(book: Store, query: dict[str, Any]) -> dict[str, Any]:
    """The webhooks of one kind."""
    events = [one for one in book.events if one["event_type"] == query.get("event_type")]
    return {"events": [one for one in events if query["start_time"] <= one["create_time"] <= query["end_time"]]}


ROUTES = [
    ("POST", r"v1/payments/payouts", shape.PayoutRequest, create_payout),
    ("GET", r"v1/payments/payouts/([^/]+)", shape.Nothing, lambda book, _, i: book.get(i, "payout")),
    ("POST", r"v1/catalogs/products", shape.ProductRequest, create_product),
    ("POST", r"v1/billing/plans", shape.PlanRequest, create_plan),
    ("GET", r"v1/billing/plans", shape.PlansQuery, list_plans),
    ("GET", r"v1/billing/plans/([^/]+)", shape.Nothing, lambda book, _, i: book.get(i, "plan")),
    ("POST", r"v1/billing/subscriptions", shape.SubscriptionRequest, create_subscription),
    ("GET", r"v1/billing/subscriptions", shape.SubscriptionsQuery, list_subscriptions),
    ("GET", r"v1/billing/subscriptions/([^/]+)", shape.Nothing, lambda book, _, i: book.get(i, "subscription")),
    ("POST", r"v1/billing/subscriptions/([^/]+)/revise", shape.ReviseRequest, revise),
    ("POST", r"v1/billing/subscriptions/([^/]+)/cancel", shape.CancelRequest, cancel),
    ("GET", r"v1/billing/subscriptions/([^/]+)/transactions", shape.PeriodQuery, list_transactions),
    ("GET", r"v1/reporting/transactions", shape.TransactionsQuery, report),
    ("GET", r"v1/notifications/webhooks-events", shape.EventsQuery, list_events),
]
