"""Words are readable in the application and nowhere else."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import MetaData, Table, inspect, select, text

from marketplace.core.database.db import db, fetch
from marketplace.core.database.encryption import Unreadable
from marketplace.core.http.idempotency import IdempotencyKey
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import relay
from marketplace.messaging import queries
from tests.factories.people import Person, sign_up
from tests.factories.talks import TALKS, pair, said, say, shown
from tests.servers import sqlite_files

WORDS = ("zvirbulis", "kaija", "stirna", "lapsa", "vilks")


def raw(app: Flask) -> str:
    """Every value of every table as the database has it, and on SQLite the very files."""
    with app.app_context():
        tables = MetaData()
        for name in inspect(db.engine).get_table_names():
            Table(name, tables, autoload_with=db.engine)
        rows = [_plain(value) for table in tables.sorted_tables for row in fetch(select(table)) for value in row]
        if db.engine.dialect.name == "sqlite":
            fetch(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            rows.append(sqlite_files.content(str(db.engine.url.database)).decode("latin-1"))
        db.session.remove()
    return "\n".join(rows).lower()


def _plain(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


@pytest.fixture
def talk(app: Flask, anna: Person, juris: Person) -> int:
    """A conversation with words sent, edited, answered, deleted and told of."""
    talk = pair(anna, juris, "Zvirbulis")
    edited = say(juris, talk, "Kaija", client_message_id="c-1")
    juris.put(f"/api/messages/messages/{edited['id']}", json={"content": "Stirna"})
    deleted = say(anna, talk, "Vilks")
    anna.delete(f"/api/messages/messages/{deleted['id']}")
    say(anna, talk, "Lapsa and a few words more, so that they count as the same words again")
    with app.app_context():
        relay()
        jobs.run_due()
        db.session.remove()
    return talk


def test_no_word_is_anywhere_in_the_database(app: Flask, anna: Person, juris: Person, talk: int) -> None:
    everything = raw(app)
    assert "juris" in everything
    assert [word for word in WORDS if word in everything] == []
    assert [one["content"][:9] for one in said(juris, talk)] == ["Zvirbulis", "Stirna", "", "Lapsa and"]


def test_the_answer_kept_for_a_repeated_write_is_not_readable_either(app: Flask, anna: Person, juris: Person) -> None:
    talk = pair(anna, juris, message="")
    sent = [
        anna.post(f"{TALKS}/{talk}/messages", json={"content": "Zvirbulis"}, headers={"Idempotency-Key": "k-1"})
        for _ in range(2)
    ]
    assert (sent[0].status_code, sent[0].json) == (201, sent[1].json)
    assert "zvirbulis" not in raw(app)


def test_keys_change_and_everything_is_still_read(with_keys: Callable[..., Flask]) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    before, between, after = with_keys(old), with_keys(new, old), with_keys(new)
    anna, juris = sign_up(before, "anna"), sign_up(before, "juris")
    talk = pair(anna, juris, "Zvirbulis")
    edited = say(anna, talk, "Kaija")
    anna.put(f"/api/messages/messages/{edited['id']}", json={"content": "Stirna"})

    say(replace(juris, app=between), talk, "Lapsa")
    assert _words(replace(anna, app=between), talk) == ["Zvirbulis", "Stirna", "Lapsa"]
    with after.app_context():
        with pytest.raises(Unreadable):
            queries.views([edited["id"]])
        db.session.remove()

    done = between.test_cli_runner().invoke(args=["encryption", "rotate"])
    assert (done.exit_code, done.output) == (0, "4 values are under the first key.\n")
    reader = replace(juris, app=after)
    assert _words(reader, talk) == ["Zvirbulis", "Stirna", "Lapsa"]
    assert shown(reader, talk)["last_message"]["content"] == "Lapsa"
    found = reader.get("/api/messages/search", query_string={"q": "zvirb"}).json["messages"]
    assert [one["content"] for one in found] == ["Zvirbulis"]
    say(reader, talk, "Vilks")
    assert _words(replace(anna, app=between), talk)[-1] == "Vilks"


def test_values_that_no_key_opens_are_told_by_rotating_by_the_audit_and_by_readyz(
    app: Flask, anna: Person, juris: Person, with_keys: Callable[..., Flask]
) -> None:
    pair(anna, juris, "Zvirbulis")
    stranger = with_keys(Fernet.generate_key().decode())

    said = stranger.test_cli_runner().invoke(args=["encryption", "rotate"])
    assert (said.exit_code, "Traceback" in said.output) == (1, False)
    assert "messages.content: no key of ENCRYPTION_KEYS opens 1 of its values" in said.output
    assert "flask encryption derived-key" in said.output
    found = stranger.test_cli_runner().invoke(args=["audit"])
    assert (found.exit_code, "messages.content: no key" in found.output) == (1, True)
    ready = stranger.test_client().get("/readyz")
    assert (ready.status_code, "messages.content" in ready.json["parts"]["encryption"]) == (503, True)
    assert app.test_client().get("/readyz").json["status"] == "ok"


def test_a_key_that_was_derived_gives_way_to_one_that_is_set(
    app: Flask, anna: Person, juris: Person, with_keys: Callable[..., Flask]
) -> None:
    talk = pair(anna, juris, message="")
    anna.post(f"{TALKS}/{talk}/messages", json={"content": "Zvirbulis"}, headers={"Idempotency-Key": "k-2"})
    derived = app.test_cli_runner().invoke(args=["encryption", "derived-key"]).output.strip()
    new = Fernet.generate_key().decode()

    _rotate(with_keys(new, derived))

    after = with_keys(new)
    assert _words(replace(anna, app=after), talk) == ["Zvirbulis"]
    with after.app_context():
        kept = [row.body for row in fetch(select(IdempotencyKey.body))]
        db.session.remove()
    assert kept
    assert None not in kept


def _rotate(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["encryption", "rotate"])
    assert done.exit_code == 0, done.output


def _words(person: Person, talk: int) -> list[str]:
    return [one["content"] for one in said(person, talk)]


def test_the_same_words_look_different_each_time(app: Flask, anna: Person, juris: Person) -> None:
    talk = pair(anna, juris, "Zvirbulis")
    say(anna, talk, "Zvirbulis")
    with app.app_context():
        one, other = (row[0] for row in fetch(text("SELECT content FROM messages")))
        db.session.remove()
    assert (one != other, len(one) > 90) == (True, True)


def test_control_words_that_are_not_encrypted_are_found(app: Flask, anna: Person, juris: Person) -> None:
    anna.put("/api/auth/profile", json={"bio": f"Zvirbulis {os.getpid()}"})
    assert f"zvirbulis {os.getpid()}" in raw(app)
