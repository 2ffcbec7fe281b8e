"""What every operation of the document gets from its route's policy: a name, who may, errors, headers, keys."""

from typing import Any

from marketplace.core.http import problems
from marketplace.core.http.access import Access
from marketplace.core.http.blueprint import Guard
from marketplace.core.http.cookies import ACCESS_COOKIE, CSRF_HEADER
from marketplace.kit.json_types import JsonObject

WRITTEN_ERRORS = ("409", "413", "415")
# Of views' names; the others say already what a client would search for.
VERBS = {"browse": "list", "show": "get", "serve": "get", "post": "create", "make": "create", "edit": "update"}
ERRORS = {
    "400": ("BadRequest", "The body is not valid JSON, or an Idempotency-Key is missing"),
    "401": ("Unauthorized", "No token, or one that is not valid"),
    "403": ("Forbidden", "Not yours to do"),
    "404": ("NotFound", "Not there, or not visible to you"),
    "405": ("MethodNotAllowed", "What stands in the path makes it another address, which does not take this method"),
    "409": ("Conflict", "Wrong state, or a duplicate"),
    "412": ("PreconditionFailed", "Changed since you loaded it (If-Match)"),
    "413": ("ContentTooLarge", "Too large"),
    "415": ("UnsupportedMediaType", "Not JSON"),
    "422": ("UnprocessableContent", "Some fields are not right"),
    "429": ("TooManyRequests", "Too many requests; see Retry-After"),
    "503": ("ServiceUnavailable", "Busy; see Retry-After"),
}
LIMITS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
ALWAYS = ("X-Request-ID", *LIMITS)
HEADERS: dict[str, dict[str, Any]] = {
    "Allow": {"description": "The methods this address takes", "schema": {"type": "string"}, "example": "GET, HEAD"},
    "ETag": {
        "description": "This version; send it as If-None-Match (304) or, to change it, as If-Match (412)",
        "schema": {"type": "string"},
        "example": '"0f5c2b9a7e1b3d4c5e6f7a8b"',
    },
    "Idempotency-Replayed": {
        "description": "true: this was done before under the same Idempotency-Key, and is what was answered then",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
    "Link": {
        "description": 'The next page, where there is one (rel="next")',
        "schema": {"type": "string"},
        "example": '</api/listings?page=2>; rel="next"',
    },
    "Location": {
        "description": "Where the new thing is",
        "schema": {"type": "string", "format": "uri-reference"},
        "example": "/api/listings/7",
    },
    "RateLimit-Limit": {
        "description": "Requests in the window, where limits are on",
        "schema": {"type": "integer"},
        "example": 1200,
    },
    "RateLimit-Remaining": {"description": "How many are left", "schema": {"type": "integer"}, "example": 1199},
    "RateLimit-Reset": {
        "description": "Seconds until the window is over",
        "schema": {"type": "integer"},
        "example": 60,
    },
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}, "example": 30},
    "X-Request-ID": {
        "description": "The request's name in our log; the client's own, where it sent one",
        "schema": {"type": "string"},
        "required": True,
        "example": "4f2c9a7e1b3d4c5e",
    },
}
KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 255}
KEY = {"in": "header", "schema": KEY_SCHEMA, "example": "6f1c2a9e-1b7d-4a53-9c77-0d6a3f1e5b42"}
PARAMETERS: dict[str, dict[str, Any]] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "description": "A new random text for each write, the same when it is repeated: it is done once",
        **KEY,
    },
    "PaymentKey": {
        "name": "Idempotency-Key",
        "required": True,
        "description": "A new random text for each payment, the same when it is repeated",
        **KEY,
    },
    "IfMatch": {
        "in": "header",
        "name": "If-Match",
        "description": "The ETag it had when it was loaded: 412 where somebody was faster",
        "schema": {"type": "string"},
    },
    "IfNoneMatch": {
        "in": "header",
        "name": "If-None-Match",
        "description": "The ETag of what the client has: 304 where it is the same",
        "schema": {"type": "string"},
    },
}
SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `token` that `POST /api/auth/login` answers",
    },
    "refresh": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `refresh_token`, for `POST /api/auth/refresh` alone",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A key of `POST /api/auth/api-keys`; what it opens is named by its scopes",
    },
}
COOKIE_SCHEMES = {
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": ACCESS_COOKIE,
        "description": "Browsers that signed in with `X-Sign-In: cookie`",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "What the csrf cookie holds, beside the cookie in every write",
    },
}


def components(*, cookies: bool) -> JsonObject:
    """The OpenAPI `components`: security schemes, headers, parameters and error responses."""
    return {
        "securitySchemes": SECURITY_SCHEMES | (COOKIE_SCHEMES if cookies else {}),
        "headers": HEADERS,
        "parameters": dict(PARAMETERS),
        "responses": {
            **{name: _problem(status, text) for status, (name, text) in ERRORS.items()},
            "NotModified": {"description": "The client has it already", "headers": _headers(*ALWAYS, "ETag")},
        },
    }


def complete(operation: dict[str, Any], *, path: str, method: str, view: str, guard: Guard, cookies: bool) -> None:
    """Add to a written operation what its route's policy says."""
    operation["operationId"] = operation_id(view)
    operation["summary"] = " ".join(operation.get("summary", "").split())
    operation["description"] = "\n\n".join(filter(None, [operation.get("description"), _who_may(guard)]))
    operation["security"] = _ways_in(guard, cookies=cookies, writes=method != "get")
    _take_keys(operation, method, guard)
    for status in _statuses(operation, path, method, guard):
        operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{ERRORS[status][0]}"})
    if "422" in operation["responses"]:  # webargs writes one of its own
        operation["responses"]["422"] = {"$ref": f"#/components/responses/{ERRORS['422'][0]}"}
    if method == "get":
        operation["responses"]["304"] = {"$ref": "#/components/responses/NotModified"}
    operation["responses"] = dict(sorted(operation["responses"].items()))


def operation_id(view: str) -> str:
    """list_my_listings → listMyListings; the field's verbs where ours are others: show_task → getTask."""
    verb, *rest = view.split("_")
    return VERBS.get(verb, verb) + "".join(word.capitalize() for word in rest)


def _who_may(guard: Guard) -> str:
    access = guard.access
    if access.token is None:
        return "Open to everybody; a token is not looked at."
    who = _who(access)
    if guard.scope and _keys_may(access):
        who += f" An API key needs the scope `{guard.scope}`."
    if access.proof:
        of = "" if access.proof == "always" else ", where one was set up,"
        who += f" It asks for a fresh proof{of} of who you are (403 `step_up_required`, then `POST /api/auth/step-up`)."
    return who + (" Moves money: it needs an `Idempotency-Key`." if guard.money else "")


def _who(access: Access) -> str:
    if access.token == "refresh":
        return "Takes a refresh token."
    if access.permission:
        return f"For staff with the permission `{access.permission}`."
    return "Open to everybody; a token may show more." if access.optional else "Needs a sign-in."


def _keys_may(access: Access) -> bool:
    return access.token == "access" and not access.permission and not access.proof


def _ways_in(guard: Guard, *, cookies: bool, writes: bool) -> list[dict[str, list[str]]]:
    """A token, a key where one has a scope for it, a cookie where those are allowed, or nothing."""
    access = guard.access
    if access.token is None:
        return []
    ways: list[dict[str, list[str]]] = [{"refresh": []} if access.token == "refresh" else {"bearer": []}]
    if guard.scope and _keys_may(access):
        ways.append({"api_key": []})
    if cookies:
        ways.append({"cookie": [], "csrf": []} if writes else {"cookie": []})
    return [*ways, {}] if access.optional else ways


def _take_keys(operation: dict[str, Any], method: str, guard: Guard) -> None:
    """Refer to the request headers of this operation: If-None-Match, If-Match, Idempotency-Key."""
    names = []
    if method == "get":
        names.append("IfNoneMatch")
    if method == "put" and guard.access.token:
        names.append("IfMatch")
    if method != "get" and guard.access.token == "access" and not guard.no_replay:
        names.append("PaymentKey" if guard.money else "IdempotencyKey")
    if names:
        refs = [{"$ref": f"#/components/parameters/{name}"} for name in names]
        operation["parameters"] = [*operation.get("parameters", []), *refs]


def _statuses(operation: dict[str, Any], path: str, method: str, guard: Guard) -> list[str]:
    statuses = {"401", "429", "503"}
    if not guard.access.optional:
        statuses.add("403")
    if "{" in path:
        statuses |= {"404", "405"}
    if method != "get":
        statuses |= {"403", "404", *WRITTEN_ERRORS}
    if method == "put":
        statuses.add("412")
    if "requestBody" in operation:
        statuses |= {"400", "422"}
    if guard.money:
        statuses.add("400")
    if operation.get("parameters"):
        statuses.add("422")
    return sorted(statuses)


def add_headers(operation: dict[str, Any], method: str, guard: Guard, schemas: dict[str, Any]) -> None:
    """Document the response headers of every answer that is not an error."""
    for status, response in operation["responses"].items():
        if "$ref" not in response:
            names = [*ALWAYS, *_sent_with(response, status, method, guard, schemas)]
            response["headers"] = {**_headers(*names), **response.get("headers", {})}


def _sent_with(response: dict[str, Any], status: str, method: str, guard: Guard, schemas: dict[str, Any]) -> list[str]:
    if status >= "400":
        return []
    if method == "get":
        is_page = "has_more" in _properties(response, schemas)
        return ["ETag", *(["Link"] if is_page else [])]
    names = ["Location"] if status == "201" and "id" in _properties(response, schemas) else []
    keeps = guard.access.token == "access" and not guard.no_replay
    return [*names, "Idempotency-Replayed"] if keeps else names


def _properties(response: dict[str, Any], schemas: dict[str, Any]) -> JsonObject:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    properties: dict[str, Any] = schema.get("properties", {})
    return properties


def _headers(*names: str) -> JsonObject:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _problem(status: str, description: str) -> JsonObject:
    more = {"405": ("Allow",), "429": ("Retry-After",), "503": ("Retry-After",)}.get(status, ())
    schema = {"$ref": "#/components/schemas/Problem"}
    content: JsonObject = {"schema": schema, "example": _example_problem(int(status))}
    return {
        "description": description,
        "headers": _headers(*ALWAYS, *more),
        "content": {"application/problem+json": content},
    }


def _example_problem(status: int) -> JsonObject:
    code, sentence = problems.SENTENCES[status]
    problem: JsonObject = {
        "type": "about:blank",
        "title": problems.phrase_of(status),
        "status": status,
        "detail": sentence,
        "instance": "urn:request:4f2c9a7e1b3d4c5e",
        "error": sentence,
        "code": code,
    }
    if status == 422:
        wrong = "Between 0 and 1,000,000,000,000."
        problem |= {"error": f"price: {wrong}", "errors": {"price": [wrong]}}
    return problem
