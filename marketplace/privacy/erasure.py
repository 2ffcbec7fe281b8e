"""Blank or delete what the data inventory says of an erased person; safe to repeat, in whatever step it was stopped.

Apart from the rooms: one algorithm over the tables of all slices, none of which is imported here.
"""

from functools import partial
from typing import Any

from sqlalchemy import JSON, Column, Table, delete, or_, update

from marketplace.core.database.db import Base, CommaList, execute, in_transaction
from marketplace.core.lists import full_text
from marketplace.core.manifest import slices
from marketplace.privacy.data_inventory import Entry, register


def erase_rest(user_id: int) -> None:
    """Delete and blank in all tables; the account itself was erased before."""
    floors = sorted(slices(), key=lambda one: -one.floor)  # what refers to others goes before them
    for step in (step for one in floors for step in one.erase):
        while in_transaction(partial(step, user_id)):
            pass
    for table in reversed(Base.metadata.sorted_tables):  # likewise
        in_transaction(partial(_erase, table, register()[table.name], user_id))
    in_transaction(full_text.sweep_words)  # of all these texts, and of those they had changed before
    full_text.forget_deleted()


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
