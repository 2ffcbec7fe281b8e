"""What Postgres does with the lists at 200,000 rows: an index for every one of them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import flask_migrate
import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import bindparam, event, text

from marketplace.core.database import postgres
from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.database.encryption import Encrypted
from marketplace.core.lists.pagination import COUNT_BOUND
from marketplace.core.lists.text_index import LAST_ROWS
from marketplace.deals import queries as deals
from marketplace.disputes import queries as disputes
from marketplace.kit.clock import now
from marketplace.listings import queries as listings
from marketplace.notifications import queries as notifications
from marketplace.notifications import service
from marketplace.notifications.deliveries.service import DELIVERY_QUEUE
from marketplace.payments import queries as money
from marketplace.payments.admin import queries as staff_money
from marketplace.payments.payouts import queries as payouts_queries
from marketplace.payments.wallets import queries as wallets_queries
from marketplace.reviews import deals as reviewed_deals
from marketplace.tasks import queries as tasks
from tests.conftest import make_app
from tests.factories.people import sign_up

ROWS = 200_000
WORDS = "red blue green old new small large city mountain kitchen garden wooden steel soft hard round".split()
# Around 40 towns, so that a radius of 10 km holds some thousand rows and not the whole table.
FILL = """
INSERT INTO {table} ({owner}, title, description, category, {amount}, currency, location, latitude, longitude,
  images, {extra}, status, version, created_at, updated_at, search_text)
SELECT 1 + n % 2000, 'thing ' || n, 'described',
  (ARRAY['bicycles','phones','home','books','sports','other'])[1 + n % 6],
  (n * 7919) % 500000, 'EUR', 'town', 45 + (n % 40) * 0.35 + random() * 0.2, 10 + (n * 7 % 40) * 0.4 + random() * 0.3,
  '[]', {values}, '{status}', 1, now() - n * interval '1 minute', now(),
  'thing ' || n || ' ' || (CAST(:words AS text[]))[1 + n % 16] || ' ' || (CAST(:words AS text[]))[1 + (n / 16) % 16]
FROM generate_series(1, :rows) n
"""
TABLES = {
    "listings": {
        "owner": "seller_id",
        "amount": "price_minor",
        "extra": "contact_info, tags, listing_type, is_featured, is_negotiable, views_count",
        "values": "'', '', 'sale', n % 900 = 0, false, 0",
    },
    "tasks": {
        "owner": "creator_id",
        "amount": "budget_minor",
        "extra": "required_skills, priority, is_urgent, booked, responses_count, done_note, done_images, reason",
        "values": "'', 'normal', false, false, 0, '', '[]', ''",
    },
    "offerings": {
        "owner": "creator_id",
        "amount": "price_minor",
        "extra": "price_type, availability, experience, contact_count",
        "values": "'fixed', '', '', 0",
    },
}
USERS = """
INSERT INTO users (username, username_key, email, password_hash, role, first_name, last_name, bio, city, country,
  avatar_url, profile_picture_url, is_active, is_verified, phone_verified, is_helper, skills, helper_categories,
  currency, area_latitude, area_longitude, rating_sum, reviews_count, average_rating, completed_tasks, declined_tasks,
  created_at, updated_at)
SELECT 'u' || n, 'u' || n, 'u' || n || '@example.com', '', 'user', '', '', '', '', '', '', '', true, false, false,
  n % 2 = 0, '', '', 'EUR', 45 + random() * 14, 10 + random() * 16, 0, 0, 0, 0, 0, now(), now()
FROM generate_series(1, 20000) n
"""
HAPPENED = (
    """INSERT INTO audit_log (created_at, actor_id, action, subject_type, subject_id, address, request_id, details)
SELECT now() - n * interval '1 minute', n % 50, 'deed.' || n % 40, 'user', n % 9000, '', '', '{}'
FROM generate_series(1, 200000) n""",
    """INSERT INTO security_signals (kind, user_id, address, device, country, score, verdict, reasons, created_at)
SELECT CASE WHEN n % 9 = 0 THEN 'failed_sign_in' ELSE 'sign_in' END, 1 + n % 20000, '10.0.' || n % 200 || '.1', '', '',
  CASE WHEN n % 5000 = 0 THEN 120 ELSE n % 20 END, CASE WHEN n % 5000 = 0 THEN 'hold' ELSE 'pass' END, '[]',
  now() - n * interval '1 minute'
FROM generate_series(1, 200000) n""",
    """INSERT INTO verifications (user_id, document_type, note, files, reason, version, status, created_at, updated_at)
SELECT 1 + n % 20000, 'passport', '', '[]', '', 1, CASE WHEN n % 4000 = 0 THEN 'pending' ELSE 'approved' END,
  now() - n * interval '1 minute', now() FROM generate_series(1, 200000) n""",
)
FOR_STAFF = {
    "users": ("users?", "users?q=u77", "users?role=admin", "users?state=suspended", "users?state=erased&cursor=start"),
    "audit_log": (
        "audit-log?",
        "audit-log?actor_id=7",
        "audit-log?subject_type=user&subject_id=70",
        "audit-log?action=x",
    ),
    "security_signals": ("signals?", "signals?user_id=77", "signals?verdict=hold", "signals?least_score=100"),
    "verifications": ("verifications?", "verifications?user_id=77"),
}
LISTS = {
    "listings": (
        "sort=price",
        "sort=-price",
        "category=phones",
        "seller_id=77",
        "featured=true",
        "q=wooden+city",
        "category=phones&q=red",
        "location=hard+round",
        "q=wooden&sort=-price",
        "latitude=45.1&longitude=10.1&radius=20001",
        "latitude=-80&longitude=179&radius=20001",
        "q=wooden+city&latitude=45.1&longitude=10.1&radius=20001",
    ),
    "tasks": ("sort=-budget", "category=phones", "q=wooden+city"),
    "offerings": ("sort=price", "category=phones", "q=wooden+city"),
}
ASKED = (
    "q=wooden+city",
    "q=woden+ctiy",
    "q=%22wooden+city%22+-red",
    "q=w*+OR+%26%7C",
    "q=😀",
    "q=-wooden",
    "q=wooden&latitude=45.1&longitude=10.1&radius=20001",
    "q=wooden&latitude=90&longitude=180&radius=20001",
    "q=wooden&latitude=45.1&longitude=10.1&radius=0",
    "q=wooden&category=phones&cursor=start",
)
WALKS = {"q=w*+OR+%26%7C"}  # two letters that no word begins with are thought to be common: the newest rows are read
EVERYWHERE = (
    "",
    "latitude=45.1&longitude=10.1&radius=10",
    "category=phones&latitude=45.1&longitude=10.1&radius=10",
    "cursor=start",
)


CUSTOM_PLANS = 5  # of a prepared statement, before Postgres compares them with a plan for any parameters
PARAMETER = re.compile(r"%\((\w+)\)s")
PREPARED = text("SELECT name FROM pg_prepared_statements WHERE statement = :statement")
GENERIC = re.compile(r"@@ \(?\$\d")  # words that are not known to the plan
SECONDARY_INDEXES = text(
    """SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS made_by FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
  WHERE NOT i.indisunique AND t.relnamespace = CAST('public' AS regnamespace) AND t.relname = ANY(:tables)"""
).bindparams(
    tables=[
        *TABLES,
        "users",
        "deals",
        "audit_log",
        "security_signals",
        "verifications",
        "notifications",
        "deliveries",
        "payments",
        "payment_shares",
        "payouts",
        "ledger_transfers",
    ]
)


@pytest.fixture(scope="module")
def large(urls: dict[str, str]) -> Iterator[Flask]:
    """A Postgres of 200,000 listings, tasks and offerings each."""
    server, _, name = urls["postgres"].rpartition("/")
    with psycopg.connect(urls["postgres"], autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}_large"')
    app = make_app(f"{server}/{name}_large")
    with app.app_context():
        flask_migrate.upgrade()
        event.listen(db.engine, "connect", _prepare_at_once)
        db.engine.dispose()
        in_transaction(lambda: _with_indexes_made_last(_fill))
        with db.engine.connect() as connection:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM ANALYZE"))
        yield app
        db.engine.dispose()


def _prepare_at_once(connection: Any, _record: object) -> None:
    """As psycopg does by itself from the sixth time on."""
    connection.prepare_threshold = 0


def _with_indexes_made_last(fill: Callable[[], None]) -> None:
    """An index over 200,000 rows is made several times faster than it is kept up row by row."""
    execute(text("SET LOCAL statement_timeout = 0"))
    execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
    indexes = fetch(SECONDARY_INDEXES)
    for index in indexes:
        execute(text(f'DROP INDEX "{index.name}"'))
    fill()
    for index in indexes:
        execute(text(index.made_by.replace(":", r"\:")))


def _fill() -> None:
    for statement in (USERS, *HAPPENED):
        execute(text(statement))
    for table, parts in TABLES.items():
        status = "open" if table == "tasks" else "active"
        execute(text(FILL.format(table=table, status=status, **parts)), {"rows": ROWS, "words": WORDS})


def _plans(app: Flask, path: str, **headers: str) -> list[str]:
    """EXPLAIN of every SELECT the request ran."""
    with _noted() as ran:
        assert app.test_client().get(path, headers=headers).status_code == 200
    return [_explained(*one) for one in ran if "categories" not in one[0][:200]]


@contextmanager
def _noted() -> Iterator[list[tuple[str, Any]]]:
    """The SELECTs that run meanwhile and what they bind."""
    ran: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            ran.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
        db.session.rollback()


def _explained(statement: str, parameters: Any) -> str:
    """The plan of a statement that runs again and again: one that psycopg has prepared is planned six times, after
    which Postgres may settle for a plan that knows no parameters."""
    names = list(dict.fromkeys(PARAMETER.findall(statement)))
    as_prepared = PARAMETER.sub(lambda match: f"${names.index(match[1]) + 1}", statement).replace("%%", "%")
    with db.engine.connect() as connection:
        found = connection.execute(PREPARED, {"statement": as_prepared}).scalars().all()
        if len(found) != 1 or _has_a_large_number(parameters):
            return "\n".join(connection.exec_driver_sql(f"EXPLAIN ANALYZE {statement}", parameters).scalars())
        raw: Any = connection.connection.driver_connection
        values = sql.SQL(", ").join(map(sql.Literal, (parameters[name] for name in names)))
        run = f"EXECUTE {found[0]}" + (f" ({values.as_string(raw)})" if names else "")
        for _ in range(CUSTOM_PLANS):
            raw.execute(f"EXPLAIN {run}")
        return "\n".join(line for (line,) in raw.execute(f"EXPLAIN ANALYZE {run}"))


def _has_a_large_number(parameters: Any) -> bool:
    """Whether what psycopg has prepared may be for smaller numbers only: it takes a smallint where one is enough."""
    return any(isinstance(value, int) and abs(value) >= 2**15 for value in parameters.values())


def _walked(plan: str, table: str) -> int:
    """How many rows of the table an index in some order led to that were not wanted."""
    nodes = re.findall(rf"Index Scan (?:Backward )?using \S+ on {table}\b.*? loops=(\d+)((?:(?!->).)*)", plan, re.S)
    removed = [(int(loops), re.search(r"Rows Removed by Filter: (\d+)", said)) for loops, said in nodes]
    return sum(loops * int(rows[1]) for loops, rows in removed if rows)


def _read_in_sequence(plan: str, table: str) -> int:
    """How many rows of the table were read without an index; the bounded count may stop early."""
    read = 0
    for node in re.finditer(rf"Seq Scan on {table}\b.*?rows=(\d+)[^\n]* loops(?:(?!->).)*", plan, re.S):
        removed = re.search(r"Rows Removed by Filter: (\d+)", node.group(0))
        read += int(re.findall(r"actual.*?rows=(\d+)", node.group(0))[0]) + int(removed.group(1) if removed else 0)
    return read


@pytest.mark.parametrize("table", LISTS)
def test_no_list_reads_the_whole_table(large: Flask, table: str) -> None:
    for query in (*EVERYWHERE, *LISTS[table]):
        plans = _plans(large, f"/api/{table}?{query}")
        assert plans, query
        for plan in plans:
            assert _read_in_sequence(plan, table) <= COUNT_BOUND + 1, f"{query}\n{plan}"


@pytest.mark.parametrize("asked", ASKED)
def test_no_search_reads_a_whole_table(large: Flask, asked: str) -> None:
    paths = [f"/api/search?{asked}", f"/api/search/suggest?{asked}", f"/api/helpers?{asked}"]
    paths += [f"/api/search/filters?type={kind}&{asked}" for kind in ("listing", "task", "offering", "person")]
    for path in paths:
        for plan in _plans(large, path):
            assert not GENERIC.search(plan), f"{path}\n{plan}"
            for table in (*TABLES, "users", "known_words"):
                assert _read_in_sequence(plan, table) <= COUNT_BOUND + 1, f"{path}\n{plan}"
                assert asked in WALKS or _walked(plan, table) <= COUNT_BOUND + 1, f"{path}\n{plan}"


def test_a_plan_for_any_words_is_seen_where_a_statement_is_prepared(large: Flask) -> None:
    for mended in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(postgres, "FINDS_WORDS", postgres.FINDS_WORDS if mended else "nothing")
            db.engine.dispose()  # statements that were prepared are of a connection
            plans = _plans(large, "/api/listings?q=wooden")
        assert any(GENERIC.search(plan) for plan in plans) is not mended, plans
    db.engine.dispose()


@pytest.mark.parametrize("typed", ["zzzz", "wo", "thi", "wooden"])
def test_no_suggestion_walks_a_table(large: Flask, typed: str) -> None:
    for plan in _plans(large, f"/api/search/suggest?q={typed}"):
        for table in (*TABLES, "users"):
            assert _walked(plan, table) <= LAST_ROWS, plan


def test_no_list_of_staff_reads_the_whole_table(large: Flask) -> None:
    admin = sign_up(large, "plan_admin", role="admin")
    for table, queries in FOR_STAFF.items():
        for query in queries:
            for plan in _plans(large, f"/api/admin/{query}", Authorization=f"Bearer {admin.token}"):
                assert _read_in_sequence(plan, table) <= COUNT_BOUND + 1, f"{query}\n{plan}"


def test_helpers_near_a_point_read_an_index(large: Flask) -> None:
    for plan in _plans(large, "/api/helpers?latitude=50&longitude=20&radius=10"):
        assert _read_in_sequence(plan, "users") == 0, plan


NEWS = """
INSERT INTO notifications (user_id, type, key, title, message, data, related_type, related_id, is_silent, for_digest,
  read_at, created_at)
SELECT 1 + n % 2000, 'new_message', 'k' || n, 'title', 'message', '{}', 'conversation', n, false, n % 997 = 0,
  CASE WHEN n % 3 = 0 THEN now() END, now() - n * interval '1 second' FROM generate_series(1, :rows) n
"""
ROWS_OF_QUEUES = """
INSERT INTO deliveries (user_id, channel, kind, key, data, created_at, due_at, attempts, done_at)
SELECT 1 + n % 2000, 'email', 'new_message', 'k' || n, '{}', now(), now(), 1, CASE WHEN n % 5000 <> 0 THEN now() END
FROM generate_series(1, :rows) n
"""
MONEY = (
    """INSERT INTO payments (key, reference, intended_outcome, payer_id, title, provider, amount_minor,
  currency, captured_minor, refunded_minor, lost_minor, is_frozen, client_secret, next_url, failure, next_poll_at,
  version, status, created_at, updated_at)
SELECT 'k' || n, 'task:' || n, 'hold', 1 + n % 2000, 't', 'fake', 100, 'EUR',
  100, 0, 0, false, :nothing, :nothing, '', now(), 1, CASE WHEN n % 5000 = 0 THEN 'processing' ELSE 'released' END,
  now() - n * interval '1 second', now() FROM generate_series(1, :rows) n""",
    """INSERT INTO payment_shares (payment_id, reference, active_reference, intended_outcome, payee_id, title,
  amount_minor, discount_minor, subsidy_minor, fee_minor, tax_minor, payee_minor, lines, captured_minor,
  payee_left_minor, fee_left_minor, tax_left_minor, paid_payee_minor, paid_fee_minor, paid_tax_minor, refunded_minor,
  lost_minor, unsubsidized_minor, releases, version, status, created_at, updated_at)
SELECT id, reference, CASE WHEN id % 50 = 0 THEN reference END, 'hold', 1 + (id + 1) % 2000, 't', 100, 0, 0, 10, 0, 90,
  '[]', 100, 0, 0, 0, 90, 10, 0, 0, 0, 0, 1, 1, CASE WHEN id % 50 = 0 THEN 'held' ELSE 'released' END, now(), now()
  FROM payments ORDER BY id""",
    """INSERT INTO payouts (key, user_id, provider, amount_minor, currency, origin, score, reasons, failure, version,
  status, created_at, updated_at)
SELECT 'k' || n, 1 + n % 2000, 'fake', 90, 'EUR', 'manual', 0, '[]', '', 1,
  CASE WHEN n % 5000 = 0 THEN 'on_hold' ELSE 'paid' END, now() - n * interval '1 second', now()
FROM generate_series(1, :rows) n""",
    """INSERT INTO ledger_accounts (key, owner_id, purpose, currency, balance_minor)
SELECT 'a' || n, CASE WHEN n > 2 THEN n - 2 END, CASE WHEN n > 2 THEN 'available' ELSE 'provider' END, 'EUR', 0
FROM generate_series(1, 2002) n""",
    """INSERT INTO ledger_transfers (key, debit_id, credit_id, currency, amount_minor, debit_after, credit_after, kind,
  reference, subject, created_at)
SELECT 'k' || n, 1 + n % 2, 3 + n % 2000, 'EUR', 90, 0, 0, 'release', 'task:' || n, 'payment:' || n,
  now() - n * interval '1 second' FROM generate_series(1, :rows) n""",
)
DEALS = """
INSERT INTO deals (kind, subject_id, reference, title, client_id, provider_id, currency, price_minor, category, payment,
  stage, agreed_at, delivered_at, completed_at, created_at, updated_at)
SELECT 'task', n, 'task:' || n, 't', 1 + n % 2000, 1 + (n + 1) % 2000, 'EUR', 100, 'moving', 'outside',
  CASE WHEN n % 5000 = 0 THEN 'disputed' WHEN n % 100 = 0 THEN 'delivered' WHEN n % 50 = 0 THEN 'active'
  ELSE 'completed' END, now() - n * interval '1 minute', now() - n * interval '1 second',
  CASE WHEN n % 50 <> 0 THEN now() - n * interval '1 minute' END, now(), now()
FROM generate_series(1, :rows) n
"""
ENDINGS = """
UPDATE listings SET expires_at = now() + (id % 1000) * interval '1 day' WHERE id % 2 = 0;
UPDATE tasks SET deadline = now() + (id % 1000) * interval '1 day' WHERE id % 2 = 0;
"""


@pytest.fixture(scope="module")
def busy(large: Flask) -> Flask:
    """The same with 200,000 pieces of news and deliveries, and an end to every second thing."""

    def more() -> None:
        for statement in (NEWS, ROWS_OF_QUEUES, DEALS, *MONEY):
            secret = [bindparam("nothing", "", Encrypted())] if ":nothing" in statement else []
            execute(text(statement).bindparams(*secret), {"rows": ROWS})
        for statement in ENDINGS.split(";")[:2]:
            execute(text(statement))

    in_transaction(lambda: _with_indexes_made_last(more))
    with db.engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
    return large


@pytest.mark.parametrize(
    ("table", "ask"),
    [
        ("listings", lambda: listings.EXPIRY.ids(batch=200)),
        ("listings", lambda: listings.REMINDER.ids(batch=200)),
        ("tasks", lambda: tasks.EXPIRY.ids(batch=200)),
        ("deals", lambda: deals.of(SomebodyElse, per_page=20, page=1)),
        ("deals", lambda: deals.of(SomebodyElse, per_page=20, page=1, kind="task", stage="active")),
        ("deals", lambda: deals.of(SomebodyElse, per_page=20, cursor="start", side="provider")),
        ("deals", lambda: deals.UNCONFIRMED.ids(batch=200)),
        ("deals", lambda: deals.have_a_deal(77, 78)),
        ("deals", lambda: deals.have_begun(77, 79)),
        ("deals", lambda: deals.has_running(77)),
        ("deals", lambda: disputes.deals_without_file(batch=200)),
        ("deals", lambda: reviewed_deals.unrated(now() - timedelta(days=10), now() - timedelta(days=3))),
        ("deals", lambda: reviewed_deals.unreviewed(SomebodyElse, 78)),
        ("deliveries", DELIVERY_QUEUE.oldest_due),
        ("notifications", lambda: notifications.of(SomebodyElse, per_page=20, page=1)),
        ("notifications", lambda: notifications.unread_count(SomebodyElse)),
        ("payments", lambda: money.to_ask_about(200)),
        ("payments", lambda: money.of(SomebodyElse, per_page=20, page=1)),
        ("payments", lambda: money.of(SomebodyElse, per_page=20, page=1, status="released")),
        ("payment_shares", lambda: money.of(SomebodyElse, per_page=20, page=1)),
        ("payment_shares", lambda: money.standings_of(["task:7", "task:8"])),
        ("payment_shares", lambda: money.held_of("task:50")),
        ("payments", lambda: wallets_queries.wallet(SomebodyElse)),
        ("payment_shares", lambda: wallets_queries.wallet(SomebodyElse)),
        ("payments", lambda: staff_money.browse_payments(SomebodyElse, per_page=20, page=1)),
        ("payments", lambda: staff_money.browse_payments(SomebodyElse, status="processing", per_page=20, page=1)),
        ("payouts", lambda: staff_money.browse_payouts(SomebodyElse, status="on_hold", per_page=20, page=1)),
        ("payouts", lambda: payouts_queries.of(SomebodyElse, per_page=20, page=1)),
        ("ledger_transfers", lambda: wallets_queries.statement(SomebodyElse, per_page=20, page=1)),
        ("ledger_transfers", lambda: wallets_queries.statement(SomebodyElse, per_page=20, cursor="start")),
        ("notifications", lambda: service.gather_digest(77, "period")),
    ],
)
def test_what_the_clock_and_the_reader_ask_reads_an_index(busy: Flask, table: str, ask: Callable[[], Any]) -> None:
    for plan in _explained_of(ask):
        assert _read_in_sequence(plan, table) == 0, plan


class SomebodyElse:
    """Enough of a person for a query."""

    id = 77
    role = "user"
    language = "en"


def _explained_of(ask: Callable[[], Any]) -> list[str]:
    """EXPLAIN of every SELECT that `ask` runs."""
    with _noted() as ran:
        ask()
    return [_explained(*one) for one in ran]
