"""Post, edit, move and book offerings."""

from decimal import Decimal
from typing import Any

from sqlalchemy import update

from marketplace.auth.models import User
from marketplace.catalog import service as catalog_service
from marketplace.core.database.db import db, execute, save
from marketplace.core.database.prices import demand_agreement, demand_price, edited, kept_money, minor_units
from marketplace.core.queues.outbox import publish
from marketplace.deals.payments import service as deals_payments_service
from marketplace.events.offerings import OfferingBooked, OfferingChanged, OfferingDeleted, OfferingPosted
from marketplace.kit.errors import Invalid, NotAllowed
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import Money
from marketplace.offerings import policy, queries
from marketplace.offerings.models import Offering
from marketplace.offerings.queries import find
from marketplace.tasks import service as tasks_service
from marketplace.tasks.models import Task
from marketplace.uploads import service as uploads_service

SYSTEM = frozenset({"system"})


def post(creator: User, *, category: str, price: Any = None, **fields: Any) -> Offering:
    """Put up an offering; raises Invalid (422)."""
    currency = fields.pop("currency", creator.currency)
    key, subcategory = catalog_service.resolve(category, fields.pop("subcategory", None))
    offering = save(
        Offering(
            creator_id=creator.id,
            category=key,
            subcategory=subcategory,
            currency=currency,
            price_minor=minor_units("price", price, currency),
            **fields,
        )
    )
    if offering.images:
        uploads_service.use("offering", offering.id, offering.images)
    publish(OfferingPosted(offering_id=offering.id, creator_id=creator.id))
    return offering


def edit(user: User, offering_id: int, *, status: str | None = None, **changes: Any) -> Offering:
    """Change the fields that were sent, and the status along the table. Raises 403, 404, 409, 422."""
    offering = find(user, offering_id)
    roles = policy.role_of(user, offering)
    if changes or status in {None, offering.status}:
        offering.advance("edit", actor=roles)
        _apply(offering, changes)
        uploads_service.use("offering", offering.id, offering.images)
    if status is not None:
        offering.advance_to(status, actor=roles, actor_id=user.id)
    return _changed(offering)


def pause(user: User, offering_id: int) -> Offering:
    """Take it off the list, to be activated again. Raises 403, 404, 409."""
    return _moved(user, offering_id, "pause")


def activate(user: User, offering_id: int) -> Offering:
    """Put it back on the list. Raises 403, 404, 409."""
    return _moved(user, offering_id, "activate")


def close(user: User, offering_id: int) -> Offering:
    """Take it off the list as done with; `activate` reopens it. Raises 403, 404, 409."""
    return _moved(user, offering_id, "close")


def delete(user: User, offering_id: int) -> None:
    """Delete it for good; the row stays, seen by nobody. Raises 403, 404, 409."""
    _moved(user, offering_id, "delete")
    _forget(offering_id)


def book(client: User, offering_id: int, *, message: str = "", starts_at: Any = None, **wanted: Any) -> Task:
    """Make a task for the provider, at the price the client names; raises NotAllowed (403) for one's own, PriceChanged
    (409), Invalid (422)."""
    offering = find(client, offering_id)
    if offering.creator_id == client.id:
        raise NotAllowed("This is your own offering.")
    offering.lifecycle.pick("book", offering.status, policy.role_of(client, offering))
    named = {name: wanted.pop(name, None) for name in ("price", "budget", "currency")}
    price = _agreed(offering, **named)
    if deals_payments_service.takes_money(
        deals_payments_service.chosen(wanted.get("payment")), price, wanted.get("payment_method")
    ):
        _demand_agreement(client, offering, price, **named)
    fields = {**_task_fields(offering, message), "budget": price, **wanted}
    task = tasks_service.book(client, offering.creator_id, deadline=starts_at, **fields)
    publish(
        OfferingBooked(offering_id=offering.id, task_id=task.id, client_id=client.id, provider_id=offering.creator_id)
    )
    return task


def take_down_of(creator_id: int, *, for_good: bool = False) -> None:
    """Pause a person's offerings that are on the list; `for_good` deletes all of them."""
    for offering in queries.living_of(creator_id, on_list=not for_good):
        offering.advance("delete" if for_good else "pause", actor=SYSTEM)
        _changed(offering)
        if for_good:
            _forget(offering.id)


def demand_contact(user: User, offering_id: int) -> None:
    """That this person may write to its provider now. Raises NotAllowed (403) for one's own, 404, 409."""
    offering = find(user, offering_id)
    if offering.creator_id == user.id:
        raise NotAllowed("This is your own offering.")
    offering.lifecycle.pick("contact", offering.status, policy.role_of(user, offering))


def count_contact(offering_id: int) -> None:
    """Add one contact, in SQL, so that two at once both count."""
    execute(update(Offering).where(Offering.id == offering_id).values(contact_count=Offering.contact_count + 1))


def _forget(offering_id: int) -> None:
    uploads_service.use("offering", offering_id, [])
    publish(OfferingDeleted(offering_id=offering_id))


def _moved(user: User, offering_id: int, verb: str) -> Offering:
    offering = find(user, offering_id)
    offering.advance(verb, actor=policy.role_of(user, offering), actor_id=user.id)
    return _changed(offering)


def _changed(offering: Offering) -> Offering:
    db.session.flush()
    publish(OfferingChanged(offering_id=offering.id, status=offering.status))
    return offering


def _agreed(
    offering: Offering, *, price: Decimal | None, budget: Decimal | None, currency: str | None
) -> Decimal | None:
    """The price of the whole in major units: a fixed price, which the client has to name. An hourly or unit price is
    not the whole, which only the client can say."""
    named = budget if price is None else price
    if budget not in {None, named}:
        raise Invalid.field("budget", "The price and the budget differ. Send one of them.")
    if offering.price_type != "fixed" or offering.price_minor is None:
        if named is not None and currency not in {None, offering.currency}:
            raise Invalid.field("currency", f"This is paid in {offering.currency}.")
        return named
    demand_price(named, offering.price_minor, offering.currency, in_currency=currency)
    return Money(offering.price_minor, offering.currency).exact


def _demand_agreement(
    client: User, offering: Offering, costs: Decimal | None, *, price: Any, budget: Any, currency: str | None
) -> None:
    minor, named = minor_units("price", costs, offering.currency), budget if price is None else price
    demand_agreement(named, minor, offering.currency, in_currency=currency, usual=client.currency)


def _task_fields(offering: Offering, message: str) -> JsonObject:
    return {
        "title": offering.title,
        "description": message or offering.description,
        "category": offering.category,
        "subcategory": offering.subcategory,
        "currency": offering.currency,
        "location": offering.location,
        "latitude": offering.latitude,
        "longitude": offering.longitude,
    }


def _apply(offering: Offering, changes: dict[str, Any]) -> None:
    kept = kept_money(offering.price_minor, offering.currency)
    offering.price_minor = edited("price", changes.pop("price", None), kept, changes.get("currency", offering.currency))
    if "category" in changes:
        changes["category"], changes["subcategory"] = catalog_service.resolve(
            changes["category"], changes.get("subcategory")
        )
    for name, value in changes.items():
        setattr(offering, name, value)
