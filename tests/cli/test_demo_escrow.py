"""The story of a task's money: told to its end, on a database of its own, and loud where the books are wrong."""

from datetime import UTC, datetime

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, insert, select

from marketplace.auth.models import User
from marketplace.cli.demo_escrow import NO_FAKE, REFUSAL, demo_escrow
from marketplace.core.database.db import execute, fetch, in_transaction
from marketplace.payments.providers.fake.book import FakeLine
from tests.factories.people import sign_up

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TOLD = (
    "Anna's first card is declined",
    "Anna confirms: released",
    "He sends 36.00 EUR to his bank: paid.",
    "all of it is back on her card",
    "Juris owes his share now.",
    "Juris offers to settle for 20.00 EUR before the fee.",
    "the bank sends it back: returned",
    "He mends his details and sends it once more: paid.",
    "still delivered before her time is over.",
    "72 hours later the clock confirms for her: completed",
    "Everything is as it must be",
)


def run(app: Flask) -> Result:
    return app.test_cli_runner().invoke(demo_escrow)


def test_the_story_is_told_to_its_end_and_the_books_sum_to_zero(app: Flask) -> None:
    answer = run(app)

    assert answer.exit_code == 0, answer.output
    places = [answer.output.index(sentence) for sentence in TOLD]
    assert places == sorted(places)
    totals = [line.split()[-2:] for line in answer.output.splitlines() if "all together" in line]
    assert len(totals) > 10
    assert totals == [["0.00", "EUR"]] * len(totals)


def test_it_touches_nobodys_data(app: Flask) -> None:
    sign_up(app, "somebody")

    answer = run(app)

    assert (answer.exit_code, REFUSAL in answer.output) == (1, True)
    with app.app_context():
        assert fetch(select(func.count()).select_from(User))[0][0] == 1


def test_it_takes_no_real_money(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "payment_providers", {})

    answer = run(app)

    assert (answer.exit_code, NO_FAKE in answer.output) == (1, True)


@pytest.mark.control
def test_it_fails_where_the_provider_knows_of_money_that_we_do_not(app: Flask) -> None:
    line = {"about": "payment", "name": "pi_lost", "key": "lost", "amount_minor": 500, "currency": "EUR"}
    with app.app_context():
        in_transaction(lambda: execute(insert(FakeLine), {**line, "made_at": LONG_AGO}))

    answer = run(app)

    assert answer.exit_code == 1
    assert "pi_lost" in answer.output
