"""20,000 people and 200,000 listings around 40 towns, made by the database itself."""

from typing import Any

import flask_migrate
from sqlalchemy import text

import config
from marketplace.app import create_app
from marketplace.auth import sessions
from marketplace.auth.models import User
from marketplace.core.db import db, execute, in_transaction

CATEGORIES = ("bicycles", "phones", "home", "books", "sports", "other")
PEOPLE = """
INSERT INTO users (username, username_key, email, password_hash, role, first_name, last_name, bio, city, country,
  avatar_url, profile_picture_url, is_active, is_verified, phone_verified, is_helper, skills, helper_categories, currency,
  rating_sum, reviews_count, average_rating, completed_tasks, declined_tasks, created_at, updated_at)
SELECT 'user' || n, 'user' || n, 'user' || n || '@example.com', '!', 'user', 'First' || n, 'Last' || n, 'bio', 'town',
  'country', '', '', true, false, false, false, '', '', 'EUR', 0, 0, 0, 0, 0, now(), now() FROM generate_series(1, 20000) n
"""
LISTINGS = """
INSERT INTO listings (seller_id, title, description, category, price_minor, currency, condition, location, latitude, longitude,
  images, contact_info, tags, listing_type, is_featured, is_negotiable, views_count, status, version, created_at, updated_at,
  search_text)
SELECT 1 + n % 20000, 'thing number ' || n, repeat('a described thing ', 8), (CAST(:categories AS text[]))[1 + n % 6],
  (n * 7919) % 500000, 'EUR', 'good', 'a street in town', 45 + (n % 40) * 0.35 + random() * 0.2,
  10 + (n * 7 % 40) * 0.4 + random() * 0.3, '["https://example.com/1.jpg"]', '', ',a,b,', 'sale', false, true, 0, 'active', 1,
  now() - n * interval '1 minute', now(), 'thing number ' || n FROM generate_series(1, :rows) n
"""


def settings(url: str) -> dict[str, Any]:
    """The application as it is measured: quiet, without limits."""
    return config.load({"DATABASE_URL": url, "LOG_LEVEL": "ERROR", "RATE_LIMITS": "0"})


def fill(url: str, rows: int) -> str:
    """Migrate, fill, analyse; answers a token of one person."""
    app = create_app(settings(url))
    with app.app_context():
        flask_migrate.upgrade()
        in_transaction(lambda: _insert(rows))
        with db.engine.connect() as connection:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM ANALYZE"))
        token = in_transaction(_sign_in)
        db.engine.dispose()
    return token


def _insert(rows: int) -> None:
    execute(text("SET LOCAL statement_timeout = 0"))
    execute(text(PEOPLE))
    execute(text(LISTINGS), {"rows": rows, "categories": list(CATEGORIES)})


def _sign_in() -> str:
    user = db.session.get(User, 1)
    assert user is not None
    return str(sessions.tokens_of(sessions.begin(user), "")["token"])
