"""Is the process up, and can it serve."""

from flask import Response, current_app
from marshmallow import Schema, fields
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from marketplace.core.access import NEWCOMER
from marketplace.core.db import fetch
from marketplace.core.json import json_body
from marketplace.core.web import Blueprint

bp = Blueprint("health", __name__, access=NEWCOMER, description="Liveness and readiness")
PROBE = text("SELECT 1")


class HealthSchema(Schema):
    """Up."""

    status = fields.String(required=True, metadata={"example": "ok"})
    version = fields.String(required=True, metadata={"example": "0.1.0"})


class ReadySchema(Schema):
    """Each part the process leans on: ok, or what is wrong."""

    status = fields.String(required=True, metadata={"example": "ok"})
    parts = fields.Dict(required=True, metadata={"example": {"database": "ok", "redis": "ok"}})


@bp.get("/health")
@bp.response(200, HealthSchema)
def show_health() -> dict[str, str]:
    """Say that the process answers."""
    return health_body()


@bp.get("/api/health")
@bp.response(200, HealthSchema)
def show_api_health() -> dict[str, str]:
    """Say the same under /api, where some clients look."""
    return health_body()


@bp.get("/readyz")
@bp.response(200, ReadySchema)
@bp.alt_response(503, schema=ReadySchema, description="A part does not answer")
def show_readiness() -> Response:
    """Say whether the database and Redis answer; a load balancer asks this."""
    parts = {"database": _database(), "redis": _redis()}
    well = parts["database"] == "ok"
    body = {"status": "ok" if well else "unavailable", "parts": parts}
    return Response(json_body(body), 200 if well else 503, content_type="application/json")


def health_body() -> dict[str, str]:
    """Up, and which version."""
    return {"status": "ok", "version": current_app.config["API_VERSION"]}


def _database() -> str:
    try:
        fetch(PROBE)
    except SQLAlchemyError:
        return "does not answer"
    return "ok"


def _redis() -> str:
    """A lost Redis degrades (limits fall back to memory); it does not take the shop down."""
    url = current_app.config["REDIS_URL"]
    if not url:
        return "not used"
    try:
        Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1).ping()
    except RedisError:
        return "does not answer"
    return "ok"
