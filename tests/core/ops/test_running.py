"""Settings, health, logs and headers."""

import json
import secrets

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import text

import config
from config import ConfigurationError
from marketplace.core.database.db import db, normalise_url
from tests.conftest import make_app
from tests.factories import things
from tests.factories.people import Person

SAFE = {
    "MARKETPLACE_ENV": "production",
    "SECRET_KEY": secrets.token_hex(32),
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "DATABASE_URL": "postgresql://localhost/x",
    "CORS_ORIGINS": "https://shop.example.com",
}


def test_production_names_everything_that_is_missing_at_once() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        config.load({"MARKETPLACE_ENV": "production", "FLASK_DEBUG": "1"})
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "FLASK_DEBUG", "CORS_ORIGINS"):
        assert name in str(refusal.value)


def test_production_starts_on_safe_settings() -> None:
    assert config.load(SAFE)["LOG_JSON"] is True


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"SMTP_HOST": "mail.example.com"}, "SITE_URL and API_URL"),
        ({"JOBS": "threads"}, "JOBS"),
        ({"ENCRYPTION_KEYS": "not-a-key"}, "ENCRYPTION_KEYS"),
        ({"LIMIT_CODES": "some per minute"}, "LIMIT_CODES"),
        ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES"),
        ({"JOBS": "celery"}, "REDIS_URL"),
        ({"SMTP_HOST": "mail.example.com", "SMTP_SECURITY": "ssl"}, "SMTP_SECURITY"),
    ],
)
def test_production_refuses_channels_that_cannot_work(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        config.load({**SAFE, **wrong})


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "CORS_ORIGINS"])
def test_production_refuses_each_unsafe_setting_alone(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        config.load({key: value for key, value in SAFE.items() if key != name})


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgres_means_psycopg_3(scheme: str) -> None:
    assert normalise_url(f"{scheme}://u@h/d") == "postgresql+psycopg://u@h/d"


def test_what_the_address_of_postgres_asks_for_is_kept(urls: dict[str, str]) -> None:
    more = "options=-c%20search_path%3Dshop%20-c%20statement_timeout%3D7000%20-c%20timezone%3DAsia/Tokyo"
    with make_app(f"{urls['postgres']}?{more}&connect_timeout=9").app_context():
        names = ("search_path", "statement_timeout", "lock_timeout", "timezone")
        shown = [db.session.scalar(text(f"SHOW {name}")) for name in names]
        driver = db.session.connection().connection.driver_connection
    assert shown == ["shop", "7s", "2s", "UTC"]
    assert driver is not None
    assert driver.info.get_parameters()["connect_timeout"] == "9"


def test_health(app: Flask) -> None:
    for path in ("/health", "/api/health"):
        answer = app.test_client().get(path)
        assert (answer.json["status"], answer.headers["Cache-Control"]) == ("ok", "no-store")


def test_one_line_a_request_tells_who_asked_what(app: Flask, anna: Person, capsys: pytest.CaptureFixture[str]) -> None:
    loud = make_app(app.config["DATABASE_URL"], LOG_LEVEL="INFO", LOG_JSON="1")
    asked = Person(loud, token=anna.token).get("/api/auth/profile", headers={"X-Request-ID": "abcdef123456"})
    make_app(app.config["DATABASE_URL"])  # quiet again
    line = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert asked.headers["X-Request-ID"] == "abcdef123456"
    wanted = {"request_id": "abcdef123456", "route": "/api/auth/profile", "status": 200, "actor": anna.id}
    assert wanted.items() <= line.items()
    assert line["ms"] >= 0


@pytest.mark.parametrize("sent", ["short", "x" * 65, "with space and more", "a\tb\tc\td\te"])
def test_a_request_id_that_could_forge_a_log_line_is_replaced(app: Flask, sent: str) -> None:
    answer = app.test_client().get("/health", headers={"X-Request-ID": sent})
    assert answer.headers["X-Request-ID"] != sent


def test_every_answer_carries_the_security_headers(app: Flask) -> None:
    for path in ("/health", "/api/listings", "/nowhere", "/docs/"):
        headers = app.test_client().get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "default-src" in headers["Content-Security-Policy"]


def test_the_documentation_asks_nobody_else(app: Flask) -> None:
    page = app.test_client().get("/docs/").text
    assert "swagger-ui-bundle.js" in page
    assert "//" not in page.replace("http://www.w3.org", "").replace("<!--", "") or "https://" not in page


def test_what_a_token_reads_is_never_kept_by_a_shared_cache(app: Flask, anna: Person, anybody: Person) -> None:
    things.listing(anna)
    assert anna.get("/api/listings").headers["Cache-Control"] == "private, no-store"
    assert "public" in anybody.get("/api/listings").headers["Cache-Control"]
    assert "Authorization" in anybody.get("/api/listings").headers["Vary"]


def test_views_are_counted_at_once_and_never_the_owners(anna: Person, anybody: Person) -> None:
    listing_id = things.listing(anna)["id"]
    anna.get(f"/api/listings/{listing_id}")
    seen = [anybody.get(f"/api/listings/{listing_id}").json["views_count"] for _ in range(3)]
    assert seen == [1, 2, 3]
