"""Rows of the work queues that wait, failed or died, for an operator to read and to send again.

Apart from the rooms: reads and one verb over the queues of all slices, which have no table here.
"""

from typing import Any

from marketplace.core.database.db import AnyRow, fetch
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.ops import audit_log
from marketplace.core.queues.jobs import JOBS, state_of
from marketplace.core.queues.outbox import OUTBOX
from marketplace.core.queues.work_queue import STATES, Queue
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.notifications.deliveries.service import DELIVERY_QUEUE
from marketplace.payments.provider_requests.queue import CALLS
from marketplace.payments.webhooks.service import EVENTS

SHOWN = {
    "outbox": OUTBOX,
    "jobs": JOBS,
    "deliveries": DELIVERY_QUEUE,
    "provider_calls": CALLS,
    "provider_events": EVENTS,
}
SECRET = frozenset({"shown", "method", "body"})
WHAT = {"outbox": "fact", "jobs": "job", "deliveries": "delivery"}


class NotDead(Conflict):
    """409: only dead rows can be sent again."""

    code = "not_dead"
    sentence = "This was not given up: it is done, or will be tried again by itself."


def _list_of(name: str, queue: Queue) -> ListQuery:
    table = queue.table
    return ListQuery(
        name=name,
        table=table,
        columns=[column for column in table.c if column.name not in SECRET],
        filters={state: queue.state(state) for state in STATES},
        sorts={"created_at": table.c.created_at, "due_at": table.c.due_at},
        default_sort="-created_at",
    )


LISTS = {name: _list_of(name, queue) for name, queue in SHOWN.items()}


def browse(name: str, *, state: str | None = None, **query: Any) -> Page:
    """One queue's rows, newest first, with a count of the rows in each state that needs a look."""
    counts = {one: SHOWN[name].count(one) for one in STATES if one != "done"}
    asked = {**query, state: True} if state else query
    return LISTS[name].page(asked, view, extra={"counts": counts})


def again(name: str, row_id: int) -> JsonObject:
    """Reset a dead row to be tried from the start; raises NotFound, NotDead (409)."""
    if not SHOWN[name].again(row_id) and _row(name, row_id):
        raise NotDead()
    audit_log.record("queue.again", name, row_id)
    return view(_row(name, row_id))


def view(row: Any) -> JsonObject:
    """A row without its secrets, `state` as a word."""
    values = {key: value for key, value in row._mapping.items() if key not in SECRET and not key.startswith("key_")}
    return {**values, "state": _state(row)}


def _row(name: str, row_id: int) -> AnyRow:
    table = SHOWN[name].table
    rows = fetch(table.select().where(table.c.id == row_id))
    if not rows:
        raise NotFound.of(WHAT.get(name, "call"))
    return rows[0]


def _state(row: Any) -> str:
    if hasattr(row, "started_at"):
        return state_of(row)
    if row.done_at or row.dead_at:
        return "done" if row.done_at else "dead"
    return "failed" if row.error else "waiting"
