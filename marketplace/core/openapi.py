"""The OpenAPI 3.1 document: errors and worked examples are added to every operation from what it declares."""

import threading
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, redirect, request
from flask_smorest import Api as SmorestApi
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug.wrappers import Response

from marketplace.core import problems
from marketplace.core.fields import Links, Words
from marketplace.core.schemas import ProblemSchema
from marketplace.core.web import Blueprint, Guard

IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "A new random text for each payment, the same when it is repeated",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "6f1c2a9e-1b7d-4a53-9c77-0d6a3f1e5b42",
}
METHODS = {"get", "post", "put", "patch", "delete"}
DOCS_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self' 'unsafe-inline'"
)
WRITTEN_ERRORS = ("409", "413", "415")
DESCRIPTIONS = {
    "400": "The body is not valid JSON",
    "401": "No token, or one that is not valid",
    "403": "Not yours to do",
    "404": "Not there, or not visible to you",
    "405": "What stands in the path makes it another address, which does not take this method",
    "409": "Wrong state, or a duplicate",
    "412": "Changed since you loaded it (If-Match)",
    "413": "Too large",
    "415": "Not JSON",
    "422": "Some fields are not right",
    "429": "Too many requests; see Retry-After",
    "503": "Busy; see Retry-After",
}


class Api(SmorestApi):
    """flask-smorest with our problem documents instead of its own errors. The document is written when somebody
    looks at it first: that takes longer than everything else an application does when it starts."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask, **how: Any) -> None:
        self._unwritten: list[Blueprint] = []
        self._writing = threading.RLock()
        super().__init__(app, **how)

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """Its routes; its part of the document waits."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._unwritten.append(blueprint)

    @property
    def spec(self) -> APISpec:
        """The whole document."""
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


def init_app(app: Flask) -> Api:
    """Serve the document at /openapi.json and the reader at /docs, assets bundled."""
    app.config.update(
        API_TITLE="Marketplace",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
    )
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    key = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    components = {"securitySchemes": {"bearer": bearer, "api_key": key}}
    plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    api = Api(app, spec_kwargs={"marshmallow_plugin": plugin, "components": components})
    for field in (Words, Links):
        api.register_field(field, "string", None)
    app.register_blueprint(
        get_swaggerui_blueprint("/docs", "/openapi.json", config={"app_name": "Marketplace", "deepLinking": True}),
    )
    app.add_url_rule("/", "home", _home)
    app.after_request(_let_docs_run)
    return api


def _home() -> Response:
    return redirect("/docs/")


def _let_docs_run(response: Any) -> Any:
    if response.mimetype == "text/html" and request.path.startswith("/docs"):
        response.headers["Content-Security-Policy"] = DOCS_POLICY
    return response


def _schema_name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    name = kind.__name__.removesuffix("Schema")
    return f"{name}Changes" if not isinstance(schema, type) and schema.partial else name


def _complete(app: Flask, spec: APISpec) -> None:
    """After all blueprints: policies, errors and examples on every operation."""
    policies = {
        (_path(rule.rule), m.lower()): rule.endpoint for rule in app.url_map.iter_rules() for m in rule.methods or ()
    }
    schemas = spec.components.schemas
    for path, item in spec._paths.items():
        for method, operation in item.items():
            if method in METHODS:
                guard = getattr(app.view_functions[policies[path, method]], "guard", None)
                _describe(operation, path, method, guard)
                _exemplify(operation, schemas)


def _path(rule: str) -> str:
    return "".join(f"{{{p.split('>')[0].split(':')[-1]}}}{p.split('>')[1]}" if ">" in p else p for p in rule.split("<"))


def _describe(operation: dict[str, Any], path: str, method: str, guard: Guard | None) -> None:
    if guard is not None:
        operation["security"] = _ways_in(guard)
    operation["summary"] = " ".join(operation.get("summary", "").split())
    statuses = {"401", "429", "503"}
    if guard is not None and not guard.access.optional:
        statuses.add("403")
    if "{" in path:
        statuses |= {"404", "405"}
    if method != "get":
        statuses |= {"403", "404", *WRITTEN_ERRORS}
    if method == "put":
        statuses.add("412")
    if "requestBody" in operation:
        statuses |= {"400", "422"}
    if guard is not None and guard.money:
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        statuses.add("400")
    if operation.get("parameters"):
        statuses.add("422")
    for status in sorted(statuses):
        operation["responses"].setdefault(status, _problem(status))
    operation["responses"]["422"] = _problem("422") if "422" in operation["responses"] else None
    operation["responses"] = {k: v for k, v in operation["responses"].items() if v is not None}


def _ways_in(guard: Guard) -> list[dict[str, list[str]]]:
    """A token, or a key where one has a scope for it, or nothing."""
    ways: list[dict[str, list[str]]] = [{"bearer": []}]
    if guard.scope and not (guard.access.permission or guard.access.proof):
        ways.append({"api_key": []})
    return [*ways, {}] if guard.access.optional else ways


def _problem(status: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"schema": schema} if status == "422" else {"schema": schema, "example": _example_problem(status)}
    return {"description": DESCRIPTIONS[status], "content": {"application/problem+json": content}}


def _example_problem(status: str) -> dict[str, Any]:
    code, sentence = problems.SENTENCES[int(status)]
    return {
        "type": "about:blank",
        "title": HTTPStatus(int(status)).phrase,
        "status": int(status),
        "detail": sentence,
        "instance": "urn:request:4f2c9a7e1b3d4c5e",
        "error": sentence,
        "code": code,
    }


def _exemplify(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for content in body.get("content", {}).values():
            if "example" not in content and "schema" in content:
                content["example"] = example_of(content["schema"], schemas)


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value put together from the examples of the schema's fields."""
    if "example" in schema:
        return schema["example"]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    for choice in schema.get("allOf") or schema.get("anyOf") or []:
        return example_of(choice, schemas)
    kind = schema.get("type")
    if kind == "array" or (isinstance(kind, list) and "array" in kind):
        return [example_of(schema.get("items", {}), schemas)]
    if "properties" in schema:
        return {name: example_of(field, schemas) for name, field in schema["properties"].items()}
    return schema.get("default")
