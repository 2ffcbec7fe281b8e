"""A task's own fields, taken from what its owner sent, whole or in part.

Apart from the rooms: what posting, booking and editing share: fields into a row, without a verb.
"""

from typing import Any

from marketplace.auth.models import User
from marketplace.catalog import service as catalog_service
from marketplace.core.database.prices import edited, kept_money, minor_units
from marketplace.deals.payments import service as deals_payments_service
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid
from marketplace.tasks import queries
from marketplace.tasks.models import DIFFICULTIES, Task


def new(owner: User, *, category: str, budget: Any = None, **fields: Any) -> Task:
    """A task of these fields, not saved yet; raises Invalid (422)."""
    currency = fields.pop("currency", owner.currency)
    fields["payment"] = deals_payments_service.chosen(fields.get("payment"))
    key, subcategory = catalog_service.resolve(category, fields.pop("subcategory", None))
    _sort_out_priority(fields)
    _check_deadline(fields)
    return Task(
        creator_id=owner.id,
        category=key,
        subcategory=subcategory,
        currency=currency,
        budget_minor=minor_units("budget", budget, currency),
        **fields,
    )


def change(task: Task, changes: dict[str, Any]) -> None:
    """Set the fields that were sent; raises Invalid (422)."""
    if "payment" in changes:
        deals_payments_service.chosen(changes["payment"])
    _sort_out_priority(changes)
    _check_deadline(changes)
    kept = kept_money(task.budget_minor, task.currency)
    task.budget_minor = edited("budget", changes.pop("budget", None), kept, changes.get("currency", task.currency))
    if "category" in changes:
        changes["category"], changes["subcategory"] = catalog_service.resolve(
            changes["category"], changes.get("subcategory")
        )
    for name, value in changes.items():
        setattr(task, name, value)


def _sort_out_priority(fields: dict[str, Any]) -> None:
    """An older client sends the difficulty as `priority`."""
    if fields.get("priority") in DIFFICULTIES:
        fields["difficulty"] = fields.pop("priority")
    if fields.get("priority") == "urgent":
        fields["is_urgent"] = True


def _check_deadline(fields: dict[str, Any]) -> None:
    deadline = fields.get("deadline")
    if deadline is not None and deadline < now() - queries.GRACE:
        raise Invalid.field("deadline", "The deadline lies in the past.")
