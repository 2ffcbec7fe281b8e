"""The document for those who make clients of it: names that stay, examples that are true, a linter that is content."""

import gzip
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from flask import Flask

from marketplace.app import EXPOSED
from marketplace.core.http.access import NEWCOMER
from tests.conftest import make_app
from tests.factories.people import Person
from tests.servers.node import NODE, install

Document = dict[str, Any]
NAMES = Path(__file__).with_name("operation_ids.txt")


@pytest.fixture(scope="module")
def app_alone(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The document is the same whatever the database: it is looked at without one."""
    return make_app(f"sqlite:///{tmp_path_factory.mktemp('document') / 'none.db'}", COOKIE_SIGN_IN="1")


@pytest.fixture(scope="module")
def document(app_alone: Flask) -> Document:
    """As it is served."""
    found: Document = app_alone.test_client().get("/openapi.json").json
    return found


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Every operation with its path and method."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


def resolved(document: Document, part: Document) -> Document:
    """What a reference means."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: Document = document["components"][kind][name]
    return found


def test_names_of_operations_stay(document: Document) -> None:
    """Typed clients call them: a new route adds a line, and a line that goes breaks somebody's build."""
    named = {f"{one['operationId']} {method.upper()} {path}" for path, method, one in operations(document)}
    kept = set(NAMES.read_text(encoding="utf-8").split("\n")) - {""}
    assert (sorted(named - kept), sorted(kept - named)) == ([], []), f"(new, gone): keep {NAMES.name} in step"


def test_every_operation_has_a_name_of_its_own_in_one_style(document: Document) -> None:
    named = [one["operationId"] for _, _, one in operations(document)]
    assert len(named) == len(set(named))
    assert [name for name in named if not re.fullmatch(r"[a-z]+[0-9]*([A-Z][a-zA-Z0-9]+)+", name)] == []


def examples(part: Any, pointer: str = "#") -> Iterator[tuple[str, Any]]:
    """Every example in the document, and where its schema stands."""
    if isinstance(part, dict):
        if "example" in part and not pointer.endswith(("/properties", "/example")):
            yield pointer + ("/schema" if "schema" in part else ""), part["example"]
        for name, inner in part.items():
            if name != "example":
                yield from examples(inner, f"{pointer}/{quote(name.replace('~', '~0').replace('/', '~1'))}")
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            yield from examples(inner, f"{pointer}/{number}")


def test_every_example_is_what_its_schema_says(document: Document) -> None:
    registry = jsonschema_rs.Registry([("urn:document", document)])
    found = list(examples(document))
    wrong = [
        f"{pointer}: {error.message[:200]}"
        for pointer, example in found
        for error in jsonschema_rs.Draft202012Validator(
            {"$ref": f"urn:document{pointer}"}, registry=registry, validate_formats=True
        ).iter_errors(example)
    ]
    assert wrong == []
    assert len(found) > 1000


def test_what_is_no_example_is_found(document: Document) -> None:
    """The control: one wrong example, and the test above would fail."""
    registry = jsonschema_rs.Registry([("urn:document", document)])
    pointer = "urn:document#/components/schemas/Task/properties/available_actions"
    validator = jsonschema_rs.Draft202012Validator({"$ref": pointer}, registry=registry)
    assert validator.is_valid(["edit"])
    assert not validator.is_valid(["fly"])


def test_available_actions_are_named(document: Document) -> None:
    """Of each kind of thing in the alphabet's order: a client switches over them."""
    fields = {
        name: schema["properties"]["available_actions"]["items"].get("enum")
        for name, schema in document["components"]["schemas"].items()
        if "available_actions" in schema.get("properties", {})
    }
    assert len(fields) >= 8
    assert [name for name, words in fields.items() if not words or words != sorted(words)] == []


def test_errors_stand_in_the_document_once(app_alone: Flask, document: Document) -> None:
    inline = [
        f"{method} {path} {status}"
        for path, method, operation in operations(document)
        for status, answer in operation["responses"].items()
        if status >= "400" and "$ref" not in answer
    ]
    assert len(inline) < 10, f"those that routes describe in words of their own: {inline}"
    size = len(app_alone.test_client().get("/openapi.json").data)
    assert size < 2_900 * len(list(operations(document))), "bytes an operation"
    problem = document["components"]["schemas"]["Problem"]
    assert set(problem["required"]) == {"type", "title", "status", "detail", "instance", "error", "code"}


def test_message_is_one_of_a_conversation(document: Document) -> None:
    schemas = document["components"]["schemas"]
    assert {"conversation_id", "content", "seq"} <= set(schemas["Message"]["properties"])
    assert set(schemas["Confirmation"]["properties"]) == {"message"}


def test_headers_are_written_down_where_they_are_sent(document: Document) -> None:
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            found = resolved(document, answer)
            names = set(found["headers"])
            where = f"{method} {path} {status}"
            assert {"X-Request-ID", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= names, where
            assert ("Retry-After" in names) == (status in {"429", "503"} and "$ref" in answer), where
            assert "ETag" in names or method != "get" or status not in {"200", "304"}, where


def test_headers_that_are_sent_are_written_down(app: Flask, anna: Person, document: Document) -> None:
    """A creation, its repetition, its reading, again with what is known, and a list with more behind."""
    body = {"title": "Oars", "description": "A pair.", "price": 20, "category": "sports"}
    key = {"Idempotency-Key": "once"}
    first = anna.post("/api/listings", json=body, headers=key)
    answers = [
        ("post", "/api/listings", first),
        ("post", "/api/listings", anna.post("/api/listings", json=body, headers=key)),
        ("get", "/api/listings/{listing_id}", anna.get(first.headers["Location"])),
    ]
    known = {"If-None-Match": answers[-1][2].headers["ETag"]}
    answers.append(("get", "/api/listings/{listing_id}", anna.get(first.headers["Location"], headers=known)))
    anna.post("/api/listings", json=body)
    answers.append(("get", "/api/listings", anna.get("/api/listings?per_page=1")))
    sent = set()
    for method, path, answer in answers:
        written = resolved(document, document["paths"][path][method]["responses"][str(answer.status_code)])["headers"]
        here = {name for name in EXPOSED if name in answer.headers}
        assert here <= set(written), (method, path, answer.status_code)
        sent |= here
    assert sent >= {"ETag", "Link", "Location", "Idempotency-Replayed", "X-Request-ID"}


def test_locks_are_where_a_token_is_read(app_alone: Flask, document: Document) -> None:
    for rule in app_alone.url_map.iter_rules():
        guard = getattr(app_alone.view_functions[rule.endpoint], "guard", None)
        item = document["paths"].get(re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule), {})
        for method in set(item) & {name.lower() for name in rule.methods or ()} if guard else ():
            security = item[method]["security"]
            if guard.access == NEWCOMER:
                assert security == [], rule.rule
            else:
                assert {"cookie": [], "csrf": []} in security or {"cookie": []} in security, rule.rule
                assert ({} in security) == guard.access.optional, rule.rule
    assert {} in document["paths"]["/api/listings"]["get"]["security"]
    assert document["paths"]["/api/auth/refresh"]["post"]["security"][0] == {"refresh": []}


def test_it_is_made_once_and_may_be_kept(app_alone: Flask) -> None:
    client = app_alone.test_client()
    plain, packed = client.get("/openapi.json"), client.get("/openapi.json", headers={"Accept-Encoding": "br, gzip"})
    assert gzip.decompress(packed.data) == plain.data
    assert (packed.headers["Content-Encoding"], packed.headers["Cache-Control"]) == ("gzip", "public, no-cache")
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert client.get("/openapi.json", headers={"If-None-Match": plain.headers["ETag"]}).status_code == 304
    refused = client.get("/openapi.json", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


def test_the_public_address_is_a_server_beside_the_one_it_came_from(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'none.db'}", API_URL="https://api.example.org")
    servers = app.test_client().get("/openapi.json").json["servers"]
    assert [server["url"] for server in servers] == ["/", "https://api.example.org"]


def test_a_public_linter_finds_nothing(document: Document, tmp_path: Path) -> None:
    """Redocly's recommended rules, but for what tests/node/redocly.yaml gives a reason for."""
    install("@redocly/cli", "THE DOCUMENT IS NOT LINTED")
    (tmp_path / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    command = [str(shutil.which("node")), "node_modules/@redocly/cli/bin/cli.js", "lint", "--format=json"]
    command += ["--config=redocly.yaml", str(tmp_path / "openapi.json")]
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "PATH": os.environ["PATH"]}
    run = subprocess.run(command, cwd=NODE, env=quiet, capture_output=True, text=True, timeout=600, check=False)
    found = json.loads(run.stdout)["problems"]
    assert [f"{one['ruleId']}: {one['message']} {one['location'][0].get('pointer')}" for one in found] == []
    assert run.returncode == 0, run.stderr
