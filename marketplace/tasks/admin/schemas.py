"""Everybody's tasks, as staff ask for them."""

from typing import ClassVar

from marketplace.core.http.fields import Choice
from marketplace.core.http.schemas import PageQuery
from marketplace.tasks.lifecycle import TaskStatus
from marketplace.tasks.schemas import SEEN_STATES

ALL = "all"


class AnyTasksQuery(PageQuery):
    """In one state or all, by words or not."""

    input_aliases: ClassVar[dict[str, str]] = {"search": "q"}
    status = Choice(*SEEN_STATES, ALL, example=TaskStatus.OPEN)
