"""Every error becomes one problem document (RFC 9457); nothing of the inside leaks."""

from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from marketplace.core.http.json import json_body
from marketplace.core.http.validation_messages import MISSING
from marketplace.kit.errors import Problem

SENTENCES = {
    400: ("malformed", "This request could not be understood."),
    401: ("not_signed_in", "Please sign in first."),
    403: ("not_allowed", "This is not yours to do."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    406: ("not_acceptable", "This cannot be answered in the form you accept."),
    408: ("timeout", "The request took too long to come. Send it again."),
    409: ("conflict", "The state of this thing does not allow it now."),
    411: ("length_required", "Say how long the body is: send Content-Length."),
    412: ("precondition_failed", "This was changed since you loaded it. Load it again and repeat."),
    413: ("too_large", "The body is too large."),
    414: ("uri_too_long", "This address is too long. Send fewer or shorter parameters."),
    415: ("unsupported_media_type", "Send JSON, with Content-Type: application/json."),
    416: ("range_not_satisfiable", "This file is shorter than the part that was asked for."),
    417: ("expectation_failed", "The server cannot do what the Expect header says. Send the request without it."),
    422: ("invalid", "Some fields are not right."),
    429: ("too_many_requests", "Too many requests. Wait a little and try again."),
    431: ("headers_too_large", "The headers are too large or too many. Clear the cookies of this site and try again."),
    500: ("internal", "Something went wrong on our side. It has been recorded."),
    501: ("not_implemented", "The server does not know this transfer coding. Send the body with a Content-Length."),
    503: ("busy", "The marketplace is busy. Try again in a moment."),
}
# What RFC 9110 calls what Python's table has by older names.
PHRASES = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
KEPT_HEADERS = {"allow", "retry-after", "content-range"}


def init_app(app: Flask) -> None:
    """Render every error that leaves a view as application/problem+json."""
    app.register_error_handler(Problem, render_problem)
    app.register_error_handler(HTTPException, render_http_exception)


def render_problem(problem: Problem) -> Response:
    """One of our own errors as problem+json."""
    return _document(
        problem.status,
        problem.sentence,
        code=problem.code,
        errors=problem.errors,
        headers=problem.headers,
        beside=problem.beside,
    )


def render_http_exception(error: HTTPException) -> Response:
    """One of Flask's, webargs' or the limiter's; a 500 was a bug and is in the log."""
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    code, sentence = SENTENCES.get(status, ("error", "This request cannot be answered."))
    errors = _flat((getattr(error, "data", None) or {}).get("messages", {}))
    if status == 413:
        sentence = f"The body is too large: {_limit()} at most."
    headers = {k: v for k, v in error.get_headers(request.environ) if k.lower() in KEPT_HEADERS}
    if status == 400 and errors:
        sentence, errors = "The body is not valid JSON.", {}
    return _document(status, sentence, code=code, errors=errors, headers=headers)


def _document(
    status: int,
    sentence: str,
    *,
    code: str,
    errors: dict[str, list[str]],
    headers: dict[str, str],
    beside: dict[str, Any] | None = None,
) -> Response:
    body: dict[str, Any] = {
        **(beside or {}),
        "type": "about:blank",
        "title": phrase_of(status),
        "status": status,
        "detail": sentence,
        "instance": f"urn:request:{g.get('request_id', '')}",
        "error": _plain(sentence, errors),
        "code": code,
    }
    if errors:
        body["errors"] = errors
    return Response(json_body(body), status, headers, content_type="application/problem+json")


def phrase_of(status: int) -> str:
    """The title of a problem that has no type of its own: the status's name (RFC 9457, 4.2.1)."""
    return PHRASES.get(status) or HTTPStatus(status).phrase


def _limit() -> str:
    most = g.get("largest") or request.max_content_length or 0
    return f"{most / 2**20:g} MB" if most >= 2**20 else f"{most / 1024:g} kB"


def _plain(sentence: str, errors: dict[str, list[str]]) -> str:
    """What a client shows as it is: every field that is missing, and the first that is wrong with what is wrong."""
    missing = [_spoken(name) for name, sentences in errors.items() if sentences[0] == MISSING]
    said = [f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing."] if missing else []
    for name, sentences in errors.items():
        if sentences[0] != MISSING:
            said.append(sentences[0] if sentences[0] == sentence else f"{_spoken(name)}: {sentences[0]}")
            break
    return " ".join(said) or sentence


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def listed(words: list[str]) -> str:
    """ "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _flat(messages: Any) -> dict[str, list[str]]:
    """{"json": {"a": {0: ["x"]}}} → {"a.0": ["x"]}; whole-body errors stand under "body"."""
    found: dict[str, list[str]] = {}
    for fields in messages.values() if isinstance(messages, dict) else []:
        _collect(found, "", fields)
    return found


def _collect(found: dict[str, list[str]], path: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            name = "body" if key == "_schema" else str(key)
            _collect(found, f"{path}.{name}" if path else name, inner)
    else:
        sentences = value if isinstance(value, list) else [value]
        found.setdefault(path or "body", []).extend(str(s) for s in sentences)
