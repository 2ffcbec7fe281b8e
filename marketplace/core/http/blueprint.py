"""The Blueprint every slice uses: a declared policy, one transaction a write, JSON out."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias
from urllib.parse import urlencode

import orjson
from flask import Response, current_app, g, request
from flask_smorest import Blueprint as DocumentedBlueprint
from marshmallow import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import MethodNotAllowed, NotFound, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.routing import IntegerConverter, Rule, UnicodeConverter
from werkzeug.wrappers import Response as BaseResponse

from marketplace.core.cache import shared_cache
from marketplace.core.database.db import in_transaction
from marketplace.core.http import access as http_access
from marketplace.core.http import idempotency, query_parameters
from marketplace.core.http.access import Access
from marketplace.core.http.fields import MAX_ID
from marketplace.core.http.json import json_body
from marketplace.core.http.response_headers import check_if_match, shared_name, validated
from marketplace.core.lists.pagination import Page
from marketplace.kit.errors import Malformed, Problem
from marketplace.kit.json_types import Json, JsonObject
from marketplace.kit.text import is_storable

View = Callable[..., Any]
Guarded = Callable[..., Response]  # a view that writes its own answer
FORM_BYTES = 256 * 1024  # the parts of a multipart body that are not the file
WRITING = {"POST", "PUT", "PATCH", "DELETE"}


class IdConverter(IntegerConverter):
    """Ids in paths: what no 64-bit column holds is a 404 for every method."""

    regex = r"\d{1,19}"

    def to_python(self, value: str) -> int:
        """Raises NotFound rather than a mismatch, which would become a 405 where methods share a path."""
        number = int(value)
        if number > MAX_ID:
            raise NotFound()
        return number


class TextConverter(UnicodeConverter):
    """Texts in paths: a NUL or lone surrogate, which no database keeps, is a 404."""

    def to_python(self, value: str) -> str:
        """Raises NotFound (404) for what `is_storable` refuses."""
        if not is_storable(value):
            raise NotFound()
        return value


class LateRule(Rule):
    """Compiles what builds its addresses when the first is built: most routes never build one, and all of them
    together cost a start 50 ms."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now = super()._compile_builder
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(*args: Any, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](*args, **values)

        return build


class JsonParser(FlaskParser):
    """Reads bodies by orjson: no recursion to exhaust, no NaN, no lone surrogates."""

    def _raw_load_json(self, req: Any) -> object:
        body = req.get_data(cache=True)
        try:
            return orjson.loads(body) if body else missing
        except orjson.JSONDecodeError:
            raise Malformed() from None  # webargs would take bytes that are no UTF-8 for an empty body


@dataclass(frozen=True, slots=True)
class Guard:
    """What a route declares: who may, the scope an API key needs, and what becomes of an Idempotency-Key."""

    access: Access
    scope: str
    no_replay: bool = False
    money: bool = False

    def check(self) -> None:
        """Load the person of the request into `g`; raises NotSignedIn (401), NotAllowed (403), NoKey."""
        http_access.check(self.access, self.scope)
        if self.money:
            idempotency.demand()

    def once(self, work: Callable[[], Response], *, transaction: bool) -> Response:
        """Do `work`, or answer what it answered under the request's key. Without a transaction the key of an answer
        that is not kept says nothing, and money takes a lease on its key."""
        ignored = self.no_replay and not transaction
        if g.person is None or ignored or "Idempotency-Key" not in request.headers:
            return work()
        how = {"lease": self.money and not transaction, "no_replay": self.no_replay}
        return idempotency.once(g.person.id, work, transaction=transaction, **how)


class Blueprint(DocumentedBlueprint):
    """A slice's routes. `access=` is required, on the blueprint or on the route."""

    ARGUMENTS_PARSER = JsonParser()

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        access: Access | None = None,
        area: str = "",
        follows: str = "",
        **kwargs: Any,
    ) -> None:
        """API keys with a scope of `area` (such as listings:read) may call the routes; without one none may. In the
        document it `follows` the blueprint of this name; unless told, the one before it in the manifest."""
        super().__init__(name, import_name, **kwargs)
        self.access, self.area, self.follows = access, area, follows
        self._unwritten: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        *,
        access: Access | None = None,
        transaction: bool = True,
        body_limit: str = "",
        shared: str = "",
        no_replay: bool = False,
        money: bool = False,
        **options: Any,
    ) -> None:
        """Register a view behind its policy; raises TypeError where none is declared.

        A write without a `transaction` of the edge's talks to the outside between transactions of its own;
        `body_limit` names the setting of how many bytes its file may have. A `shared` list answers strangers from
        the shared cache, under this topic. `no_replay`: the answer holds a secret and is not kept for a repetition.
        A `money` write needs an Idempotency-Key.
        """
        declared = access or self.access
        if declared is None:
            raise TypeError(f"{rule} has no policy: say access=ANYONE, SIGNED_IN or a role.")
        methods = set(options.setdefault("methods", ["GET"]))
        guard = Guard(declared, self._scope(methods), no_replay, money)
        if not transaction:
            guarded = _without_transaction(view_func, guard, body_limit)
        else:
            guarded = _writing(view_func, guard) if methods & WRITING else _reading(view_func, guard, shared)
        guarded.guard = guard  # type: ignore[attr-defined]
        super().add_url_rule(rule, endpoint or view_func.__name__, guarded, provide_automatic_options, **options)

    def _store_endpoint_docs(self, *args: Any, **options: Any) -> None:
        """Later: it copies every schema and example, for a document that nobody may ask for."""
        self._unwritten.append((args, options))

    def register_views_in_doc(self, *args: Any, **options: Any) -> None:
        """Write this blueprint's part of the OpenAPI document."""
        waiting, self._unwritten = self._unwritten, []
        for stored, how in waiting:
            super()._store_endpoint_docs(*stored, **how)
        super().register_views_in_doc(*args, **options)

    def _scope(self, methods: set[str]) -> str:
        return f"{self.area}:{'write' if methods & WRITING else 'read'}" if self.area else ""

    def response(self, status_code: int, schema: Any = None, **kwargs: Any) -> Callable[[View], View]:
        """Document the answer with `schema`; what goes out is written as it is (tests compare the two)."""
        document = super().response(status_code, schema, **kwargs)

        def decorate(view: View) -> View:
            @wraps(view)
            def answering(*args: Any, **kwargs: Any) -> Response:
                return as_response(view(*args, **kwargs), status_code)

            documented: View = document(answering)
            return documented

        return decorate

    def arguments(self, schema: Any, *, location: str = "json", **kwargs: Any) -> Callable[[View], View]:
        """Parse the body or query by `schema`; a body that is not JSON is a 415."""
        kept = schema() if isinstance(schema, type) else schema  # webargs would build the class anew each time
        loading = super().arguments(kept, location=location, **kwargs)
        known = query_parameters.known_to(kept) if location == "query" else frozenset()

        def decorate(view: View) -> View:
            loaded: Guarded = loading(view)

            @wraps(loaded)
            def checked(*args: Any, **kwargs: Any) -> Response:
                if location == "json" and request.get_data() and not request.is_json:
                    raise UnsupportedMediaType()
                if location == "query":
                    query_parameters.note_ignored(known)
                return loaded(*args, **kwargs)

            return checked

        return decorate

    def sends_file(self, part: str = "file") -> Callable[[View], View]:
        """Document a multipart body with one file in the part of this name."""
        shape = {"type": "object", "properties": {part: {"type": "string", "format": "binary"}}, "required": [part]}
        content = {"multipart/form-data": {"schema": shape, "example": {part: "(the bytes of the file)"}}}
        decorate: Callable[[View], View] = self.doc(requestBody={"required": True, "content": content})
        return decorate

    def sends_bytes(self, *content_types: str) -> Callable[[View], View]:
        """Document an answer that is a file."""
        whole = {"schema": {"type": "string", "format": "binary"}, "example": "(the bytes of the file)"}
        answer = {"description": "The file", "content": dict.fromkeys(content_types, whole)}
        decorate: Callable[[View], View] = self.doc(responses={"200": answer})
        return decorate


def _reading(view: View, guard: Guard, topic: str = "") -> View:
    @wraps(view)
    def reading(*args: Any, **kwargs: Any) -> Response:
        guard.check()
        name = shared_name() if topic else None
        response = view(*args, **kwargs) if name is None else _shared(topic, name, lambda: view(*args, **kwargs))
        return validated(response) if response.status_code == 200 and not response.is_streamed else response

    return reading


def _shared(topic: str, name: str, make: Callable[[], Response]) -> Response:
    """The kept answer, or a fresh one that is kept; with its Link header in front of the body."""
    kept = shared_cache.shared()
    version = kept.version(topic)
    found = kept.get(topic, version, name) if version is not None else None
    if found is not None:
        link, _, body = found.partition(b"\n")
        return Response(body, headers={"Link": link.decode()} if link else {}, content_type="application/json")
    response = make()
    if version is not None and response.status_code == 200 and not g.get("ignored_parameters"):
        kept.put(topic, version, name, response.headers.get("Link", "").encode() + b"\n" + response.get_data())
    return response


def _without_transaction(view: Guarded, guard: Guard, body_limit: str) -> View:
    @wraps(view)
    def writing(*args: Any, **kwargs: Any) -> Response:
        if body_limit:
            g.largest = current_app.config[body_limit]
            request.max_content_length = g.largest + FORM_BYTES
        http_access.refuse_strangers(guard.access)
        _take_body()  # whoever was signed out while a slow body came is not let in by it
        guard.check()
        return guard.once(lambda: view(*args, **kwargs), transaction=False)

    return writing


def _writing(view: Guarded, guard: Guard) -> View:
    @wraps(view)
    def writing(*args: Any, **kwargs: Any) -> Response:
        http_access.refuse_strangers(guard.access)
        _take_body()  # a slow sender must not hold the transaction open

        def work() -> Response:
            guard.check()
            if request.if_match and request.method == "PUT":
                check_if_match(_present)
            g.answer_anew = None
            return guard.once(lambda: view(*args, **kwargs), transaction=True)

        response = in_transaction(work)
        return response if g.answer_anew is None else _answered_anew(response, g.answer_anew)

    return writing


def answer_anew(make: Callable[[], Any]) -> None:
    """Answer what `make` says once the edge's transaction is committed and what hangs on it (after_commit) is done: a
    bank was asked, say. Whoever repeats the request is answered the same; where the process dies in between, what the
    view had answered."""
    g.answer_anew = make


def _answered_anew(response: Response, make: Callable[[], Any]) -> Response:
    try:
        anew = as_response(make(), response.status_code)
    except Problem:  # what is committed is done: whoever cannot be told more is told that
        return response
    if g.person is not None and "Idempotency-Key" in request.headers:
        idempotency.keep(g.person.id, anew)
    return anew


def _take_body() -> None:
    """Raises RequestEntityTooLarge for a chunked body too: werkzeug cuts one off at the limit without a word."""
    if len(request.get_data()) >= (request.max_content_length or 0) and request.content_length is None:
        raise RequestEntityTooLarge()


def _present() -> Response:
    """The answer a GET of the same address would give this person now, for If-Match."""
    adapter = current_app.url_map.bind("")
    try:
        endpoint, values = adapter.match(request.path, method="GET")
    except (NotFound, MethodNotAllowed):
        return Response(b"")
    guarded: Any = current_app.view_functions[endpoint]
    answer: Response = guarded.__wrapped__(**values)
    return answer


def as_response(value: Any, status: int) -> Response:
    """A dict, a Page, or what `created()` made, as JSON."""
    if isinstance(value, Response):
        return value
    if isinstance(value, Created):
        return Response(json_body(value.body), 201, {"Location": value.location}, content_type="application/json")
    if isinstance(value, Page):
        return _page_response(value)
    return Response(json_body(value), status, content_type="application/json")


class Created:
    """A creation's answer: 201 with Location, and the id beside the message."""

    def __init__(self, name: str, thing: dict[str, Any], location: str, message: str, **beside: Any) -> None:
        self.body = {"message": message, "id": thing["id"], **beside, name: thing}
        self.location = f"{location}/{thing['id']}"


def written_answer(name: str, thing: dict[str, Any], message: str) -> JsonObject:
    """The JSON of a write: `message`, and the thing under its name."""
    return {"message": message, name: thing}


def _page_response(page: Page) -> Response:
    response = Response(json_body(page.body()), content_type="application/json")
    following = page.next_parameters()
    if following:
        args = {**request.args.to_dict(), **following}
        response.headers["Link"] = f'<{request.path}?{urlencode(args)}>; rel="next"'
    return response


# What a view may return; as_response() makes JSON of it.
Answer: TypeAlias = BaseResponse | Page | Created | Json
