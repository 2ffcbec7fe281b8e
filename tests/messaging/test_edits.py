"""What happens to a message after it was sent: edited, deleted, reacted to, replied to."""

import runpy
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

import config
from marketplace.core.database.db import db, fetch
from marketplace.kit.emoji import normal_emoji
from marketplace.messaging.models import Message, MessageVersion, Reaction
from marketplace.uploads.models import UploadUse
from tests.factories import things
from tests.factories.people import Person
from tests.factories.talks import TALKS, fill, pair, said, say, shown, unread
from tests.races.burst import burst

EMOJI = {
    "plain": "😀",
    "old symbol": "☎️",
    "with its variation": "❤️",
    "arrow": "↔️",
    "sign": "©️",
    "skin tone": "👍🏽",
    "joined family": "👩‍👩‍👧‍👦",
    "joined, with skins": "👩🏽‍❤️‍💋‍👨🏿",
    "flag": "🇱🇻",
    "flag by tags": "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "joined flag": "🏳️‍🌈",
    "keycap": "1️⃣",
    "keycap of a sign": "#️⃣",
    "the longest": "☎️" + "\u200d😀" * 7,
}
NO_EMOJI = {
    "a letter": "a",
    "a word": "good",
    "a foreign word": "labi",
    "a letter and a symbol": "a😀",
    "a number": "7",
    "a phone number in symbols": "37120000001☎",
    "two of them": "😀😀",
    "a sign of typing": "^",
    "half a flag": "🇱",
    "a variation alone": "\ufe0f",
    "a joiner at the end": "😀\u200d",
    "turned around": "😀\u202e",
    "a space": "😀 ",
    "17 characters": "😀" + "\u200d😀" * 8,
    "html": "<b>😀<",
    "html of symbols": "<©>",
}


@pytest.fixture
def talk(anna: Person, juris: Person) -> int:
    """A conversation of the two with nothing said."""
    return pair(anna, juris, message="")


def path(message: dict[str, Any], emoji: str | None = None) -> str:
    """Of a message, or of an emoji under it."""
    own = f"/api/messages/messages/{message['id']}"
    return own if emoji is None else f"{own}/reactions/{quote(emoji, safe='')}"


def later(**delay: float) -> Any:
    """So much later."""
    return time_machine.travel(datetime.now(UTC) + timedelta(**delay))


def versions(app: Flask, message: dict[str, Any]) -> list[str]:
    """What it said before, the oldest first."""
    with app.app_context():
        rows = fetch(select(MessageVersion.content).where(MessageVersion.message_id == message["id"]).order_by("id"))
        db.session.remove()
    return [row.content for row in rows]


def test_words_are_changed_and_the_old_ones_kept(app: Flask, anna: Person, juris: Person, talk: int) -> None:
    message = say(anna, talk, "At six?")
    for words in ("At seven?", "At eight?"):
        answer = anna.put(path(message), json={"content": words})
        assert (answer.status_code, answer.json["message"]["content"]) == (200, words)

    (seen,) = said(juris, talk)
    assert (seen["content"], seen["seq"], seen["created_at"]) == ("At eight?", 1, message["created_at"])
    assert seen["edited_at"].endswith("Z")
    assert message["edited_at"] is None
    assert versions(app, message) == ["At six?", "At seven?"]
    assert shown(juris, talk)["last_message"]["content"] == "At eight?"


def test_a_quarter_of_an_hour_is_the_time_to_edit(app: Flask, anna: Person, talk: int) -> None:
    message = say(anna, talk, "At six?")
    with later(minutes=14, seconds=50):
        assert anna.put(path(message), json={"content": "At seven?"}).status_code == 200
    with later(minutes=15, seconds=10):
        answer = anna.put(path(message), json={"content": "At eight?"})
        assert (answer.status_code, answer.json["code"]) == (409, "too_late")
    assert said(anna, talk)[0]["content"] == "At seven?"
    assert versions(app, message) == ["At six?"]


def test_only_the_writer_changes_a_message(anna: Person, juris: Person, stranger: Person, talk: int) -> None:
    message = say(anna, talk)
    for person, status in ((juris, 403), (stranger, 404)):
        assert person.put(path(message), json={"content": "Mine now"}).status_code == status
        assert person.delete(path(message)).status_code == status
    assert anna.put("/api/messages/messages/999999", json={"content": "x"}).status_code == 404
    assert said(anna, talk) == [message]


@pytest.mark.parametrize("content", ["", None, 5, "x" * 5001, "a\x00b"])
def test_bad_words_change_nothing(anna: Person, talk: int, content: Any) -> None:
    message = say(anna, talk)
    answer = anna.put(path(message), json={"content": content})
    assert answer.status_code in {400, 422}, answer.json
    assert said(anna, talk) == [message]


def test_what_is_deleted_leaves_its_number_and_nothing_else(app: Flask, anna: Person, juris: Person, talk: int) -> None:
    link = things.upload(anna)["url"]
    first = say(anna, talk, "Secret", attachment_url=link, attachment_type="image", client_message_id="c-1")
    second = say(anna, talk, "Afterwards")
    anna.put(path(first), json={"content": "Still secret"})
    juris.post(path(first, "😀"))
    assert (_uses(app), unread(juris)) == (1, 2)

    assert anna.delete(path(first)).status_code == 200

    gone, kept = said(juris, talk)
    assert (gone["id"], gone["seq"], gone["content"]) == (first["id"], 1, "")
    assert (gone["attachment_url"], gone["attachment_type"], gone["reactions"]) == (None, None, [])
    assert gone["deleted_at"].endswith("Z")
    assert (kept["id"], kept["seq"], kept["deleted_at"]) == (second["id"], 2, None)
    assert (_uses(app), versions(app, first), unread(juris)) == (0, [], 1)
    with app.app_context():
        assert fetch(select(Reaction.id)) == []
        (row,) = fetch(select(Message.__table__).where(Message.id == first["id"]))
        assert (row.content, row.digest) == ("", None)
        db.session.remove()


def _uses(app: Flask) -> int:
    with app.app_context():
        found = len(fetch(select(UploadUse.upload_id).where(UploadUse.thing == "message")))
        db.session.remove()
    return found


def test_deleting_again_is_fine_and_a_deleted_message_does_not_change(anna: Person, juris: Person, talk: int) -> None:
    message = say(anna, talk)
    assert [anna.delete(path(message)).status_code for _ in range(2)] == [200, 200]
    gone = said(juris, talk)
    assert anna.put(path(message), json={"content": "Back"}).status_code == 409
    assert juris.post(path(message, "😀")).status_code == 409
    assert said(juris, talk) == gone


def test_old_messages_can_be_deleted(anna: Person, talk: int) -> None:
    message = say(anna, talk)
    with later(minutes=50):
        assert anna.delete(path(message)).status_code == 200


def test_the_retry_of_a_deleted_message_answers_that_it_is_deleted(anna: Person, juris: Person, talk: int) -> None:
    message = say(anna, talk, "Hi", client_message_id="c-1")
    anna.delete(path(message))
    again = anna.post(f"{TALKS}/{talk}/messages", json={"content": "Hi", "client_message_id": "c-1"})
    assert (again.status_code, again.json["id"], again.json["message"]["content"]) == (200, message["id"], "")
    assert len(said(juris, talk)) == 1


@pytest.mark.parametrize("kind", EMOJI)
def test_one_emoji_is_put_under_a_message_and_taken_away(anna: Person, juris: Person, talk: int, kind: str) -> None:
    message, emoji = say(anna, talk), EMOJI[kind]
    for _ in range(2):
        answer = juris.post(path(message, emoji))
        assert answer.status_code == 200, answer.json
        assert answer.json["message"]["reactions"] == [{"emoji": emoji, "user_ids": [juris.id]}]
    anna.post(path(message, emoji))
    assert said(anna, talk)[0]["reactions"] == [{"emoji": emoji, "user_ids": [juris.id, anna.id]}]
    assert shown(anna, talk)["last_message"]["reactions"] == [{"emoji": emoji, "user_ids": [juris.id, anna.id]}]

    assert juris.delete(path(message, emoji)).json["message"]["reactions"] == [{"emoji": emoji, "user_ids": [anna.id]}]


SPELLINGS = {  # the one that is kept: how it is typed too
    "❤\ufe0f": ["❤", "❤\ufe0e"],
    "1\ufe0f\u20e3": ["1\u20e3"],
    "🏳\ufe0f\u200d🌈": ["🏳\u200d🌈"],
    "👍🏽": ["👍\ufe0f🏽"],
}


def test_spellings_of_an_emoji_are_one_reaction_and_skins_are_not(anna: Person, juris: Person, talk: int) -> None:
    message = say(anna, talk)
    for kept, others in SPELLINGS.items():
        for emoji in (*others, kept):
            anna.post(path(message, emoji))
            found = juris.post(path(message, emoji)).json["message"]["reactions"]
            assert found == [{"emoji": kept, "user_ids": [anna.id, juris.id]}]
        for person in (juris, anna):
            person.delete(path(message, others[0]))
        assert said(anna, talk)[0]["reactions"] == []
    for emoji in ("👍", "👍🏽"):
        anna.post(path(message, emoji))
    assert [one["emoji"] for one in said(anna, talk)[0]["reactions"]] == ["👍", "👍🏽"]


@pytest.mark.one_database
@pytest.mark.parametrize("kind", NO_EMOJI)
def test_what_is_no_single_emoji_is_refused(anna: Person, juris: Person, talk: int, kind: str) -> None:
    message = say(anna, talk)
    answer = juris.post(path(message, NO_EMOJI[kind]))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["emoji"])
    assert said(juris, talk) == [message]


def test_nothing_and_what_no_database_keeps_is_no_address(anna: Person, talk: int) -> None:
    message = say(anna, talk)
    for emoji in ("", "%00", "😀%00", "😀/😀"):
        for method in ("POST", "DELETE"):
            assert anna.call(method, f"{path(message)}/reactions/{emoji}").status_code in {404, 405}, emoji
    for emoji in ("%ED%A0%80", "%FF", "x" * 5000):
        assert anna.post(f"{path(message)}/reactions/{emoji}").status_code in {404, 422}, emoji
        assert anna.delete(f"{path(message)}/reactions/{emoji}").status_code in {200, 404, 422}, emoji
    assert said(anna, talk) == [message]


def test_twenty_different_emoji_are_enough(anna: Person, juris: Person, talk: int) -> None:
    message = say(anna, talk)
    twenty = [chr(0x1F600 + number) for number in range(20)]
    for emoji in twenty:
        assert juris.post(path(message, emoji)).status_code == 200
    refused = juris.post(path(message, "🎈"))
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert anna.post(path(message, twenty[0])).status_code == 200
    juris.delete(path(message, twenty[1]))
    assert anna.post(path(message, "🎈")).status_code == 200
    assert len(said(anna, talk)[0]["reactions"]) == 20


def test_strangers_do_not_react(anna: Person, juris: Person, stranger: Person, talk: int) -> None:
    message = say(anna, talk)
    juris.post(path(message, "😀"))
    for method in ("POST", "DELETE"):
        assert stranger.call(method, path(message, "😀")).status_code == 404
    assert anna.delete(path(message, "😀")).json["message"]["reactions"] == [{"emoji": "😀", "user_ids": [juris.id]}]


def test_every_change_is_counted_and_no_change_is_not(anna: Person, juris: Person, talk: int) -> None:
    first, second = say(anna, talk), say(anna, talk)
    assert [first["rev"], second["rev"]] == [1, 2]
    juris.post(path(first, "😀"))
    juris.post(path(first, "😀"))
    juris.delete(path(first, "🎈"))
    anna.put(path(second), json={"content": "Other"})
    anna.delete(path(second))
    anna.delete(path(second))
    assert [(one["seq"], one["rev"]) for one in said(juris, talk)] == [(1, 3), (2, 5)]
    seen = shown(juris, talk)
    assert (seen["last_seq"], seen["last_rev"]) == (2, 5)


def test_an_answer_names_a_message_of_the_same_conversation(anna: Person, juris: Person, stranger: Person) -> None:
    here, elsewhere = pair(anna, juris), pair(anna, stranger)
    (asked,), (other,) = said(anna, here), said(anna, elsewhere)
    answer = say(juris, here, "Good evening.", reply_to_id=asked["id"])
    assert answer["reply_to_id"] == asked["id"]
    for wrong in (other["id"], 999_999):
        refused = anna.post(f"{TALKS}/{here}/messages", json={"content": "x", "reply_to_id": wrong})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["reply_to_id"])
    assert [one["reply_to_id"] for one in said(anna, here)] == [None, asked["id"]]


def test_a_message_needs_words_or_an_attachment(anna: Person, talk: int) -> None:
    for body in ({}, {"content": ""}, {"content": "   "}, {"attachment_type": "image"}):
        assert anna.post(f"{TALKS}/{talk}/messages", json=body).status_code == 422, body
    link = {"attachment_url": f"/api/uploads/{'a' * 32}.png", "attachment_type": "file"}
    assert anna.post(f"{TALKS}/{talk}/messages", json=link).status_code == 201
    assert [one["content"] for one in said(anna, talk)] == [""]


NAME = f"{'a' * 32}.png"


@pytest.mark.parametrize(
    "link",
    [
        "/api/uploads/call+37120000001.png",
        f"/api/uploads/{NAME}?call=+37120000001",
        f"/api/uploads/{NAME}#anna@example.com",
        f"/api/uploads/../auth/profile/{NAME}",
        f"/api/uploads//{NAME}",
        f"https://elsewhere.example/api/uploads/{NAME}",
    ],
)
def test_an_attachment_is_an_address_of_an_upload_and_nothing_more(anna: Person, talk: int, link: str) -> None:
    answer = anna.post(f"{TALKS}/{talk}/messages", json={"attachment_url": link, "attachment_type": "image"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["attachment_url"])


def test_what_is_deleted_while_others_react_has_no_reactions(
    app: Flask, anna: Person, juris: Person, talk: int
) -> None:
    ids = fill(anna, talk, [f"Number {number}" for number in range(12)])
    for message_id in ids:
        message = {"id": message_id}
        reacting = [partial(who.post, path(message, emoji)) for who in (anna, juris) for emoji in ("😀", "🎈", "❤️")]
        answers = burst([*reacting, partial(anna.delete, path(message))])
        assert {answer.status_code for answer in answers} <= {200, 409}
    with app.app_context():
        assert fetch(select(Reaction.id)) == []
        db.session.remove()
    assert all(one["deleted_at"] and not one["reactions"] for one in said(juris, talk))


def test_the_migration_makes_one_reaction_of_two_spellings(app: Flask, anna: Person, juris: Person, talk: int) -> None:
    message = say(anna, talk)
    for person, typed in ((anna, ["❤", "😀"]), (juris, ["❤", "☎"])):
        for emoji in typed:
            person.post(path(message, emoji))
    migration = runpy.run_path(str(config.ROOT / "migrations/versions/0025_files_and_emoji.py"))
    with app.app_context(), db.engine.begin() as connection:
        before = [("❤", juris.id), ("☎", juris.id)]
        for emoji, user_id in before:
            names = {"old": emoji, "new": normal_emoji(emoji), "who": user_id}
            connection.execute(text("UPDATE reactions SET emoji = :old WHERE emoji = :new AND user_id = :who"), names)
        again = (
            "INSERT INTO reactions (message_id, user_id, created_at, emoji) "
            "SELECT message_id, user_id, created_at, '❤' FROM reactions"
        )
        connection.execute(text(f"{again} WHERE user_id = {anna.id} AND emoji = '❤\ufe0f'"))
        migration["merge_reactions"](connection)
    found = {one["emoji"]: one["user_ids"] for one in said(anna, talk)[0]["reactions"]}
    assert found == {"❤\ufe0f": [anna.id, juris.id], "😀": [anna.id], "☎\ufe0f": [juris.id]}
