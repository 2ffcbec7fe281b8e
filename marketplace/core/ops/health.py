"""Is the process up, and can it serve."""

from typing import Any

from flask import Flask, Response, current_app
from marshmallow import Schema, fields
from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy import text

from marketplace.core.database import encryption, migrations, sqlite
from marketplace.core.database.db import db, fetch
from marketplace.core.http.access import NEWCOMER
from marketplace.core.http.blueprint import Blueprint
from marketplace.core.http.json import json_body
from marketplace.core.ops import readiness
from marketplace.core.ops.readiness import NOT_USED, OK

bp = Blueprint("health", __name__, access=NEWCOMER, description="Liveness and readiness")
PROBE = text("SELECT 1")
BEHIND = "older than this version of the marketplace: run flask db upgrade"
AHEAD = "newer than this version of the marketplace: start the version it was migrated by"
NOT_ASKED = "not asked of a database of another version: see migrations"


class HealthSchema(Schema):
    """Up."""

    status = fields.String(required=True, metadata={"example": "ok"})
    version = fields.String(required=True, metadata={"example": "0.1.0"})


class ReadySchema(Schema):
    """ok, degraded (it serves, but something is missing) or unavailable; and each part the process leans on:
    ok, not used, or what is wrong."""

    status = fields.String(required=True, metadata={"example": "ok"})
    parts = fields.Dict(
        required=True,
        metadata={
            "example": {
                "database": "ok",
                "migrations": "ok",
                "redis": "ok",
                "encryption": "ok",
                "storage": "ok",
                "workers": "ok",
            }
        },
    )


@bp.get("/health")
@bp.response(200, HealthSchema)
def show_health() -> Response:
    """Say that the process answers."""
    return _now({"status": OK, "version": current_app.config["API_VERSION"]})


@bp.get("/api/health")
@bp.response(200, HealthSchema)
def show_api_health() -> Response:
    """Say the same under /api, where some clients look."""
    return _now({"status": OK, "version": current_app.config["API_VERSION"]})


@bp.get("/readyz")
@bp.response(200, ReadySchema)
@bp.alt_response(503, schema=ReadySchema, description="It cannot serve")
def show_readiness() -> Response:
    """Say whether everything answers that is needed to serve; a load balancer asks this."""
    status, parts = readiness.ask()
    return _now({"status": status, "parts": parts}, 503 if status == readiness.UNAVAILABLE else 200)


def init_app(app: Flask) -> None:
    """What core itself leans on. A lost Redis degrades (limits fall back to memory); it does not take the shop down."""
    readiness.init_app(app)
    readiness.add(app, "database", _database)
    readiness.add(app, "migrations", _migrations)
    readiness.add(app, "redis", _redis, vital=False)
    readiness.add(app, "encryption", _encryption, seconds=5)
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        readiness.add(app, "sqlite", _sqlite, vital=False)


def _now(body: dict[str, Any], status: int = 200) -> Response:
    """The answer with Cache-Control: no-store; one of a moment ago is wrong."""
    return Response(json_body(body), status, {"Cache-Control": "no-store"}, content_type="application/json")


def _database() -> str:
    fetch(PROBE)
    return OK


def _migrations() -> str:
    directory = current_app.extensions["migrate"].directory
    found = migrations.heads_of(db.session.connection())
    if found == migrations.heads(directory):
        return OK
    return BEHIND if found.issubset(migrations.revisions(directory)) else AHEAD


def _encryption() -> str:
    """OK where the keys of this process open what is stored; a process with others would write what nobody can read."""
    if _migrations() != OK:
        return NOT_ASKED
    lost = encryption.unreadable_ends()
    return f"no key of ENCRYPTION_KEYS opens {', '.join(lost)}" if lost else OK


def _sqlite() -> str:
    return sqlite.warning() or OK


def _redis() -> str:
    url = current_app.config["REDIS_URL"]
    if not url:
        return NOT_USED
    try:
        Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1).set("readyz", 1, ex=60)
    except ResponseError:  # full, a replica, without its own replicas
        return "refuses to write"
    return OK
