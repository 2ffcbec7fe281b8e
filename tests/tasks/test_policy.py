"""Who sees which task."""

import pytest
from flask import Flask
from sqlalchemy import update

from marketplace.core.database.db import db, execute, in_transaction
from marketplace.tasks import policy
from marketplace.tasks.models import Task
from tests.factories import things
from tests.factories.people import Person


@pytest.mark.parametrize(("booked", "seen"), [(False, True), (True, False)])
def test_a_stranger_sees_no_booking_that_has_no_worker(context: Flask, anna: Person, booked: bool, seen: bool) -> None:
    task = things.task(anna)["id"]
    in_transaction(lambda: execute(update(Task).where(Task.id == task).values(booked=booked)))

    assert (db.session.scalar(policy.visible_to(None)) is not None) is seen
