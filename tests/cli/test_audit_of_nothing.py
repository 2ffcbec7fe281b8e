"""What the tests leave out of the auditor because nothing is there has nothing to say, and what is there is asked."""

from flask import Flask
from sqlalchemy import select, text, update

from marketplace.auth.models import User
from marketplace.cli.audit import findings
from marketplace.core.database.db import Base, db, execute, fetch, in_transaction
from tests.database_reset import filled_only, filled_tables
from tests.factories.people import Person


def test_in_an_empty_database_there_is_nothing_to_find(context: Flask) -> None:
    assert filled_tables() <= {"categories", "alembic_version"}
    assert findings() == []


def test_what_is_there_is_asked(context: Flask, anna: Person) -> None:
    closed = update(User).where(User.id == anna.id)
    in_transaction(lambda: execute(closed.values(is_active=False)))
    with filled_only(filled_tables()):
        found = findings()
    assert found == findings() != []
    in_transaction(lambda: execute(closed.values(is_active=True)))


def test_a_statement_is_left_out_where_all_its_tables_are_empty(context: Flask, anna: Person) -> None:
    half_empty = text("SELECT u.id FROM users u LEFT JOIN listings l ON l.seller_id = u.id")
    with filled_only(filled_tables()):
        assert [row.id for row in fetch(half_empty)] == [row.id for row in fetch(select(User.id))] == [anna.id]
        assert fetch(text("SELECT COUNT(*) FROM listings")) == []
        assert fetch(select(Base.metadata.tables["listings"])) == []
        assert fetch(text("SELECT 1 AS one"))[0].one == 1
    assert fetch(text("SELECT COUNT(*) AS n FROM listings"))[0].n == 0


def test_filled_is_what_has_rows(context: Flask, anna: Person) -> None:
    assert "users" in filled_tables()
    assert not {"listings", "ledger_transfers"} & filled_tables()
    assert db.session.scalar(select(User.id)) == anna.id
