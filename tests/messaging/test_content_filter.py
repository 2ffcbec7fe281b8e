"""What messages may contain: contact data is hidden between strangers, threats are refused and remembered."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.content_filter.models import Violation
from marketplace.content_filter.rules import SHIPPED
from marketplace.core.database.db import db, fetch
from tests.conftest import make_app
from tests.factories import things
from tests.factories.people import Person, sign_up
from tests.factories.talks import pair

TALKS = "/api/messages/conversations"
NUMBER = "+371 29 123 456"


@pytest.fixture
def talk(anna: Person, juris: Person) -> str:
    """The address of a conversation of the two."""
    return f"{TALKS}/{anna.post(TALKS, json={'user_id': juris.id}).json['id']}/messages"


def broken(app: Flask) -> list[tuple[str, str]]:
    """Which rules were broken, and what was done."""
    with app.app_context():
        rows: list[Any] = fetch(select(Violation.rule, Violation.action).order_by(Violation.id))
        db.session.remove()
    return [(row.rule, row.action) for row in rows]


def test_a_number_is_hidden_between_strangers_and_shown_once_there_is_a_deal(
    app: Flask, anna: Person, juris: Person, talk: str
) -> None:
    sent = anna.post(talk, json={"content": f"Call me: {NUMBER}, tonight"}).json["message"]
    assert "123" not in sent["content"]
    assert sent["content"].startswith("Call me: ")
    assert sent["content"].endswith(", tonight")
    assert broken(app) == [("telephone number", "mask")]
    things.assigned_task(anna, juris)
    for who in (anna, juris):
        assert who.post(talk, json={"content": f"Call me: {NUMBER}"}).json["message"]["content"] == f"Call me: {NUMBER}"
    edited = anna.put(f"/api/messages/messages/{sent['id']}", json={"content": f"Now: {NUMBER}"})
    assert edited.json["message"]["content"] == f"Now: {NUMBER}"
    assert len(broken(app)) == 1


def test_an_edit_is_judged_too(app: Flask, anna: Person, talk: str) -> None:
    sent = anna.post(talk, json={"content": "Hello"}).json["id"]
    edited = anna.put(f"/api/messages/messages/{sent}", json={"content": f"Call {NUMBER}"}).json["message"]
    assert "123" not in edited["content"]


def test_a_threat_is_refused_remembered_and_not_stored(app: Flask, anna: Person, juris: Person, talk: str) -> None:
    answer = anna.post(talk, json={"content": "I will kill you"})
    assert (answer.status_code, answer.json["code"]) == (422, "content_refused")
    assert juris.get(talk).json["messages"] == []
    assert broken(app) == [("threat", "refuse")]
    assert anna.post(talk, json={"content": "Sorry."}).json["message"]["seq"] == 1


def test_accounts_stay_hidden_with_a_deal_too(app: Flask, anna: Person, juris: Person, talk: str) -> None:
    things.assigned_task(anna, juris)
    sent = anna.post(talk, json={"content": "Pay to LV80 BANK 0000 4351 9500 1"}).json["message"]
    assert "4351" not in sent["content"]


def test_what_would_wait_for_a_moderator_is_refused_in_words_and_in_titles(app: Flask, tmp_path: Path) -> None:
    strict = tmp_path / "rules.toml"
    strict.write_text(SHIPPED.read_text(encoding="utf-8").replace('message = "mask"', 'message = "hold"'))
    shop = make_app(app.config["DATABASE_URL"], CONTENT_RULES=str(strict))
    anna, juris = sign_up(shop, "anna"), sign_up(shop, "juris")
    said = anna.post(f"{TALKS}/{pair(anna, juris)}/messages", json={"content": f"Call {NUMBER}"})
    titled = anna.post("/api/messages/rooms", json={"title": f"Call {NUMBER}", "member_ids": [juris.id]})
    assert [answer.json["code"] for answer in (said, titled)] == ["content_refused"] * 2
