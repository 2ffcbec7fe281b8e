"""JSON by orjson: moments in UTC with a Z, nothing else special."""

from decimal import Decimal
from typing import Any

import orjson
from flask import Flask
from flask.json.provider import JSONProvider

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS


def json_body(value: Any) -> bytes:
    """orjson, UTF-8; moments in UTC with a Z."""
    return orjson.dumps(value, option=OPTIONS)


def _number(value: Any) -> float:
    """Decimal → float, for bounds in the OpenAPI document; raises TypeError for anything else."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class OrjsonProvider(JSONProvider):
    """Flask's JSON, for request.get_json and the test client, by orjson."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj, option=OPTIONS, default=_number).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)


def init_app(app: Flask) -> None:
    """Make orjson the JSON of the application."""
    app.json = OrjsonProvider(app)
