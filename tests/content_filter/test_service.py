"""Who broke which rule is remembered, also where the text was refused."""

import pytest
from flask import Flask
from sqlalchemy import delete, select

from marketplace.auth.models import User
from marketplace.content_filter import service
from marketplace.content_filter.models import Violation
from marketplace.core.database.db import db, execute, fetch, in_transaction
from tests.factories.people import Person


def _violations() -> list[tuple[int, str, str, str, int | None]]:
    rows = fetch(select(Violation.__table__).order_by(Violation.id))
    return [(row.user_id, row.rule, row.action, row.subject_type, row.subject_id) for row in rows]


def _check(person: Person, text: str, **how: object) -> str:
    return in_transaction(lambda: service.check(person.id, text, "message", **how)).text  # type: ignore[arg-type]


def test_an_ordinary_text_leaves_no_trace(context: Flask, anna: Person) -> None:
    assert _check(anna, "Is it still available?") == "Is it still available?"
    assert _violations() == []


def test_a_masked_text_is_remembered_with_what_it_was(context: Flask, anna: Person) -> None:
    assert _check(anna, "Call 29123456 or 26123456", subject_id=7) == "Call •••••••• or ••••••••"
    assert _violations() == [(anna.id, "telephone number", "mask", "message", 7)]


def test_what_is_let_through_is_no_violation(context: Flask, anna: Person) -> None:
    assert _check(anna, "Call 29123456", trusted=lambda: True) == "Call 29123456"
    assert _violations() == []


@pytest.mark.parametrize(("text", "times"), [("Is it still available?", 0), ("Call 29123456 or 26123456", 1)])
def test_whether_the_two_have_a_deal_is_asked_only_where_it_matters(
    context: Flask, anna: Person, text: str, times: int
) -> None:
    asked: list[bool] = []

    assert _check(anna, text, trusted=lambda: not asked.append(True)) == text  # type: ignore[func-returns-value]
    assert len(asked) == times


def test_a_refused_text_takes_its_transaction_with_it(context: Flask, anna: Person) -> None:
    with pytest.raises(service.Refused) as refused:
        _check(anna, "You asshole, call 29123456")

    assert (refused.value.status, refused.value.code) == (422, "content_refused")
    assert refused.value.sentence == "This is rude. Write it without the insult."
    assert _violations() == []


def test_a_refusal_is_recorded_once_its_transaction_is_gone(context: Flask, anna: Person) -> None:
    with pytest.raises(service.Refused):
        service.refusals_recorded(lambda: _check(anna, "You asshole, call 29123456"))

    assert _violations() == [
        (anna.id, "abuse", "refuse", "message", None),
        (anna.id, "telephone number", "mask", "message", None),
    ]


def test_a_refusal_that_leaves_a_view_is_recorded_and_answered(context: Flask, anna: Person) -> None:
    other = Flask("other")
    service.init_app(other)
    with pytest.raises(service.Refused) as refused:
        _check(anna, "You asshole")

    with context.test_request_context():
        answer = other.error_handler_spec[None][None][service.Refused](refused.value)
    assert (answer.status_code, answer.json["code"]) == (422, "content_refused")
    assert _violations() == [(anna.id, "abuse", "refuse", "message", None)]


def test_violations_go_with_their_person(context: Flask, anna: Person) -> None:
    _check(anna, "Call 29123456")
    db.session.remove()
    db.engine.dispose()  # emptying the tables between tests changes the schema under SQLite's open connections
    in_transaction(lambda: execute(delete(User).where(User.id == anna.id)))

    assert _violations() == []
