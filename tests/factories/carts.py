"""Payments for several deals at once, as an order of several sellers will make them."""

from itertools import count
from typing import Any

from flask import Flask

from marketplace.core.database.db import db, in_transaction
from marketplace.payments import service
from marketplace.payments.provider_requests import handlers
from marketplace.payments.service import Purchase
from tests.factories.money import VISA
from tests.factories.people import Person

_numbers = count(1)


def purchase(payer: Person, payee: Person, minor: int, **more: Any) -> Purchase:
    """Something of one seller that costs so much."""
    number = next(_numbers)
    about = {"reference": f"cart:{number}", "title": f"Thing {number}", "category": "other", "currency": "EUR"}
    sides = {"payer_id": payer.id, "payee_id": payee.id}
    return Purchase(**{**about, **sides, "price_minor": minor, **more})


def begun(app: Flask, purchases: list[Purchase], method: str | None = VISA) -> int:
    """A payment for all of them, asked for at the provider; its id."""
    with app.app_context():
        name = f"checkout:{next(_numbers)}"
        work = lambda: service.begin_together(name, "Three things", purchases, method=method).id  # noqa: E731
        payment_id = handlers.at_once("payment", work)
        db.session.remove()
    return payment_id


def do(app: Flask, verb: Any, *args: Any, **kwargs: Any) -> None:
    """A verb of payments' service, in a transaction."""
    with app.app_context():
        in_transaction(lambda: verb(*args, **kwargs))
        db.session.remove()
