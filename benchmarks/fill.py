"""20,000 people and so many listings around 40 towns, in a database of their own."""

import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import flask_migrate
import psycopg
from psycopg import sql
from sqlalchemy import make_url

import config
from benchmarks import words
from marketplace.app import create_app
from marketplace.auth.models import User
from marketplace.auth.sessions import service as sessions_service
from marketplace.core.database.db import db, in_transaction

CATEGORIES = ("bicycles", "phones", "home", "books", "sports", "other")
TOWNS, PEOPLE, TITLES = 40, 20_000, 5_000
ADD_PEOPLE = f"""
INSERT INTO users (username, username_key, email, password_hash, role, first_name, last_name, bio, city, country,
  avatar_url, profile_picture_url, is_active, is_verified, phone_verified, is_helper, skills, helper_categories, currency,
  rating_sum, reviews_count, average_rating, completed_tasks, declined_tasks, created_at, updated_at, search_text)
SELECT 'user' || n, 'user' || n, 'user' || n || '@example.com', '!', 'user', 'First' || n, 'Last' || n, 'bio', 'town',
  'country', '', '', true, false, false, false, '', '', 'EUR', 0, 0, 0, 0, 0, now(), now(), ''
FROM generate_series(1, {PEOPLE}) n
"""
STREET = "a street in town"
VARYING = (
    *("seller_id", "title", "description", "category", "price_minor", "latitude", "longitude"),
    *("tags", "created_at", "updated_at", "search_text"),
)
SAME = {
    "currency": "EUR",
    "condition": "good",
    "location": STREET,
    "location_key": STREET,
    "images": '["https://example.com/1.jpg"]',
    "contact_info": "",
    "listing_type": "sale",
    "is_featured": "f",
    "is_negotiable": "t",
    "views_count": "0",
    "status": "active",
    "version": "1",
}
INDEXES = """
SELECT 'DROP INDEX ' || indexrelid::regclass, pg_get_indexdef(indexrelid)
FROM pg_index WHERE indrelid = 'listings'::regclass AND NOT indisunique
"""
REFERENCES = """
SELECT 'ALTER TABLE listings DROP CONSTRAINT ' || conname,
  'ALTER TABLE listings ADD CONSTRAINT ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid = 'listings'::regclass AND contype = 'f'
"""


def settings(url: str) -> dict[str, Any]:
    """The application as it is measured: quiet, without limits."""
    return config.load({"DATABASE_URL": url, "LOG_LEVEL": "ERROR", "RATE_LIMITS": "0"})


def spot() -> tuple[float, float]:
    """A random point in a random town."""
    town = random.randrange(TOWNS)
    return 45 + town * 0.35 + random.random() * 0.2, 10 + (town * 7 % TOWNS) * 0.4 + random.random() * 0.3


def database(server_url: str, rows: int) -> str:
    """The address of a migrated and filled database; one that an earlier run left there is used again."""
    name = f"bench_{rows}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    _migrate(url)
    with psycopg.connect(url) as connection:
        if not connection.execute("SELECT 1 FROM listings LIMIT 1").fetchone():
            _fill(connection, rows)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return url


def sign_in(url: str) -> str:
    """A token of one person."""
    app = create_app(settings(url))
    with app.app_context():
        token = in_transaction(_begin)
        db.engine.dispose()
    return token


def titles(url: str, rows: int) -> list[str]:
    """Titles of some of the listings that were filled in, to be looked for."""
    found = "SELECT title FROM listings WHERE id = ANY(%s)"
    with psycopg.connect(url) as connection:
        ids = random.Random(5).sample(range(1, rows + 1), min(rows, TITLES))
        return [title for (title,) in connection.execute(found, [ids])]


def settle(url: str) -> None:
    """Nothing that was written so far waits for work, so that the next turn is not slowed down by this one's."""
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE outbox SET done_at = now() WHERE done_at IS NULL")
        connection.execute("UPDATE jobs SET done_at = now() WHERE done_at IS NULL AND name = 'match_searches'")


def _migrate(url: str) -> None:
    app = create_app(settings(url))
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()


def _fill(connection: psycopg.Connection[Any], rows: int) -> None:
    """All or nothing; what each row would pay for (words, references, indexes) is done once at the end."""
    started = time.monotonic()
    connection.execute(ADD_PEOPLE)
    connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
    connection.execute("ALTER TABLE listings DISABLE TRIGGER USER")
    dropped = connection.execute(INDEXES).fetchall() + connection.execute(REFERENCES).fetchall()
    for drop, _ in dropped:
        connection.execute(drop)
    said = _copy(connection, rows)
    _learn(connection, said)
    for _, make in dropped:
        connection.execute(make)
    connection.execute("ALTER TABLE listings ENABLE TRIGGER USER")
    connection.commit()
    print(f"{rows:,} listings filled in {time.monotonic() - started:.0f} s", flush=True)


def _copy(connection: psycopg.Connection[Any], rows: int) -> set[str]:
    """Write the listings; answers the words they have."""
    said = set(STREET.split())
    same = "\t".join(SAME.values())
    command = f"COPY listings ({', '.join((*VARYING, *SAME))}) FROM STDIN"
    random.seed(rows)
    with connection.cursor().copy(command) as copy:
        for row in _rows(rows, said):
            copy.write("\t".join((*row, same)) + "\n")
    return said


def _rows(rows: int, said: set[str]) -> Iterator[Sequence[str]]:
    first = datetime.now(UTC) - timedelta(minutes=rows)
    for n, (title, description) in enumerate(words.texts(rows, random.Random(rows)), 1):
        said.update(title, description)
        latitude, longitude = spot()
        at = (first + timedelta(minutes=n)).isoformat()
        yield (
            *(str(1 + n % PEOPLE), " ".join(title).capitalize(), " ".join(description), random.choice(CATEGORIES)),
            *(str(n * 7919 % 500_000), str(latitude), str(longitude), f",{title[0]},{title[1]},"),
            *(at, at, " ".join((*title, *description, STREET, *title[:2]))),
        )


def _learn(connection: psycopg.Connection[Any], said: set[str]) -> None:
    """What the trigger would have written."""
    learn = "INSERT INTO known_words (word) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
    connection.execute(learn, [sorted(word for word in said if len(word) >= 3)])


def _begin() -> str:
    user = db.session.get(User, 1)
    assert user is not None
    return str(sessions_service.tokens_of(sessions_service.begin(user), "")["token"])
