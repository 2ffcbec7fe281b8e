"""The OpenAPI 3.1 document: written once, from what the routes declare, and served as bytes that are kept."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, current_app, request
from flask_smorest import Api as SmorestApi

from marketplace.core.http import openapi_operations, problems
from marketplace.core.http.blueprint import Blueprint
from marketplace.core.http.fields import Links, Words
from marketplace.core.http.openapi_components import share
from marketplace.core.http.openapi_examples import add_examples
from marketplace.core.http.schemas import ProblemSchema
from marketplace.kit.json_types import JsonObject

INTRODUCTION = """\
Everything the marketplace does, over HTTP and JSON. `/api/…` and `/api/v1/…` answer the same.

**Begin here:** [the first ten minutes](/docs/guides/getting-started), then [the conventions](/docs/guides/api) that
hold everywhere: lists, errors, sending twice, money.

**To try an operation** on this page: `POST /api/auth/login`, copy `token`, press *Authorize* and paste it into
`bearer`. It stays in this browser until you press *Logout* there. An operation without a lock needs no token.

**Guides:** [accounts](/docs/guides/accounts), [payments](/docs/guides/payments), [disputes](/docs/guides/disputes),
[chat](/docs/guides/chat), [search](/docs/guides/search), [files](/docs/guides/files),
[notifications](/docs/guides/notifications), [plans](/docs/guides/plans), [caching](/docs/guides/caching);
[all of them](/docs/guides/).
"""
METHODS = {"get", "post", "put", "patch", "delete"}


class Api(SmorestApi):
    """flask-smorest with our problem documents instead of its own errors. The document is written when somebody
    looks at it first: that takes longer than everything else an application does when it starts."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask, **how: Any) -> None:
        self._unwritten: list[Blueprint] = []
        self._writing = threading.RLock()
        self._bodies: dict[str, bytes] = {}
        super().__init__(app, **how)

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """Register the routes now; their part of the document is built when it is asked for."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._unwritten.append(blueprint)
        self._bodies = {}

    @property
    def spec(self) -> APISpec:
        """The whole OpenAPI document, built at the first call."""
        with self._writing:
            waiting, self._unwritten = self._unwritten, []
            for blueprint in waiting:
                blueprint.register_views_in_doc(self, self._app, self._spec, name=blueprint.name, parameters=None)
                self._spec.tag({"name": blueprint.name, "description": blueprint.description})
            if waiting:
                _complete(self._app, self._spec)
            return self._spec

    @spec.setter
    def spec(self, spec: APISpec) -> None:
        self._spec = spec

    def _register_error_handlers(self) -> None:
        problems.init_app(self._app)

    def _openapi_json(self) -> Response:
        """The document, compressed where the client takes that; a proxy may keep it, and asks again."""
        with self._writing:
            if not self._bodies:
                body = current_app.json.dumps(self.spec.to_dict(), sort_keys=False).encode()
                self._bodies = {"identity": body, "gzip": gzip.compress(body, mtime=0)}
        coding = "gzip" if request.accept_encodings["gzip"] > 0 else "identity"
        response = Response(self._bodies[coding], content_type="application/json")
        if coding == "gzip":
            response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
        response.headers["Cache-Control"] = "public, no-cache"
        response.set_etag(hashlib.blake2b(self._bodies[coding], digest_size=12).hexdigest())
        return response.make_conditional(request)  # type: ignore[return-value]


def init_app(app: Flask) -> Api:
    """Serve the document at /openapi.json."""
    app.config.update(
        API_TITLE=app.config["SITE_NAME"],
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
    )
    plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    about = {
        "info": _info(app),
        "servers": _servers(app),
        "components": openapi_operations.components(cookies=app.config["COOKIE_SIGN_IN"]),
    }
    api = Api(app, spec_kwargs={"marshmallow_plugin": plugin, **about})
    for field in (Words, Links):
        api.register_field(field, "string", None)
    return api


def _info(app: Flask) -> JsonObject:
    return {
        "summary": "Classifieds, quick help and services on offer, with the trust and the money between people",
        "description": INTRODUCTION,
        "contact": {"name": app.config["SITE_NAME"], "url": app.config["SITE_URL"]},
        "license": {"name": "MIT", "identifier": "MIT"},
    }


def _servers(app: Flask) -> list[dict[str, str]]:
    """Where the document came from, and for those who have it as a file the public address."""
    public = app.config["API_URL"]
    named = [] if public.startswith("http://localhost") else [{"url": public, "description": "The public address"}]
    return [{"url": "/", "description": "Where this document came from"}, *named]


def _schema_name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    name = kind.__dict__.get("documented_as") or kind.__name__.removesuffix("Schema")
    return f"{name}Changes" if not isinstance(schema, type) and schema.partial else name


def _complete(app: Flask, spec: APISpec) -> None:
    """After all blueprints: what the policies say of every operation, and examples."""
    endpoints = {
        (_path(rule.rule), m.lower()): rule.endpoint for rule in app.url_map.iter_rules() for m in rule.methods or ()
    }
    schemas, cookies = spec.components.schemas, app.config["COOKIE_SIGN_IN"]
    for path, method, operation in _operations(spec):
        endpoint = endpoints[path, method]
        guard = vars(app.view_functions[endpoint])["guard"]
        view = endpoint.rpartition(".")[2]
        openapi_operations.complete(operation, path=path, method=method, view=view, guard=guard, cookies=cookies)
        openapi_operations.add_headers(operation, method, guard, schemas)
        add_examples(operation, schemas)
    spec.components.responses.pop("UNPROCESSABLE_ENTITY", None)  # the library's own, which nothing refers to
    schemas.pop("PaginationMetadata", None)
    written = [operation for _, _, operation in _operations(spec)]
    share(list(spec._paths.values()), written, spec.options["components"], schemas)


def _operations(spec: APISpec) -> Iterator[tuple[str, str, JsonObject]]:
    for path, item in spec._paths.items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


def _path(rule: str) -> str:
    return "".join(f"{{{p.split('>')[0].split(':')[-1]}}}{p.split('>')[1]}" if ">" in p else p for p in rule.split("<"))
