"""Keys that clients send, and a tree that never turns in a circle."""

import pytest
from flask import Flask

from marketplace.catalog import service
from marketplace.catalog.queries import tree
from marketplace.core.database.db import in_transaction
from marketplace.kit.errors import Conflict, Invalid
from tests.factories.people import Person


@pytest.mark.parametrize(
    ("sent", "subcategory", "kept"),
    [
        ("bicycles", None, ("bicycles", None)),
        ("  Bicycles ", None, ("bicycles", None)),
        ("bicycles", "road", ("bicycles", "road")),
        ("never heard of", None, ("other", "never heard of")),
        ("x" * 80, None, ("other", "x" * 60)),
    ],
)
def test_no_key_is_refused(context: Flask, sent: str, subcategory: str | None, kept: tuple[str, str | None]) -> None:
    assert service.resolve(sent, subcategory) == kept


def test_a_category_cannot_stand_under_itself(context: Flask) -> None:
    upper = in_transaction(lambda: service.add(key="upper", name="Upper", kinds=["listing"]).id)
    in_transaction(lambda: service.add(key="lower", name="Lower", kinds=["listing"], parent_key="upper"))

    with pytest.raises(Invalid):
        in_transaction(lambda: service.change(upper, parent_key="lower"))
    with pytest.raises(Invalid):
        in_transaction(lambda: service.add(key="third", name="Third", kinds=["listing"], parent_key="nowhere"))
    assert tree().knows("lower")
    assert not tree().knows("third")


def test_the_category_of_unknown_keys_stays(admin: Person) -> None:
    every = admin.get("/api/categories").json["categories"]
    other = next(one["id"] for one in every if one["key"] == "other")
    with admin.app.app_context(), pytest.raises(Conflict):
        in_transaction(lambda: service.remove(other))
