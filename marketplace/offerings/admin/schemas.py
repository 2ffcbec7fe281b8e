"""Everybody's offerings, as staff ask for them."""

from typing import ClassVar

from marketplace.core.http.fields import Choice
from marketplace.core.http.schemas import PageQuery
from marketplace.offerings.lifecycle import LIVING

ALL = "all"


class AnyOfferingsQuery(PageQuery):
    """In one state or all, by words or not."""

    input_aliases: ClassVar[dict[str, str]] = {"search": "q"}
    status = Choice(*LIVING, ALL)
