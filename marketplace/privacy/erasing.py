"""What somebody left behind names nobody any more; safe to repeat, in whatever step it was stopped."""

from functools import partial
from typing import Any

from sqlalchemy import JSON, Column, Table, delete, or_, select, update

from marketplace.auth import standing
from marketplace.core import search
from marketplace.core.db import Base, CommaList, execute, in_transaction
from marketplace.core.leases import table_of
from marketplace.listings import service as listings
from marketplace.messaging import rooms
from marketplace.notifications.models import Delivery, Notification
from marketplace.offerings import service as offerings
from marketplace.privacy.register import Entry, register
from marketplace.tasks import service as tasks
from marketplace.uploads import service as uploads
from marketplace.verification import service as verification

FILES_AT_ONCE = 100


def erase_rest(user_id: int) -> None:
    """The account itself was closed before."""
    for step in (standing.unname, _take_down, _forget_digests):
        in_transaction(partial(step, user_id))
    while in_transaction(lambda: uploads.remove_some_of(user_id, FILES_AT_ONCE)):
        pass
    for table in reversed(Base.metadata.sorted_tables):  # what refers to others goes before them
        in_transaction(partial(_erase, table, register()[table.name], user_id))
    in_transaction(search.sweep_words)  # of all these texts, and of those they had changed before
    search.forget_deleted()


def _take_down(user_id: int) -> None:
    listings.take_down_of(user_id, for_good=True)
    offerings.take_down_of(user_id, for_good=True)
    tasks.take_down_of(user_id)
    tasks.forget_words_of(user_id)
    verification.take_down_of(user_id)
    rooms.take_down_of(user_id)


def _forget_digests(user_id: int) -> None:
    """A digest repeats what many people wrote, so it names none of them as the one."""
    readers = select(Notification.user_id).where(Notification.named_id == user_id)
    execute(delete(table_of(Delivery)).where(Delivery.kind == "digest", Delivery.user_id.in_(readers)))


def _erase(table: Table, entry: Entry, user_id: int) -> None:
    if entry.delete:
        execute(delete(table).where(or_(*(table.c[name] == user_id for name in entry.delete))))
    for whose, names in entry.blank.items():
        nothing = {name: _nothing(table.c[name]) for name in names}
        execute(update(table).where(table.c[whose] == user_id).values(nothing))


def _nothing(column: Column[Any]) -> object:
    if column.nullable:
        return None
    return [] if isinstance(column.type, JSON | CommaList) else column.type.python_type()
