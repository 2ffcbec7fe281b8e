"""What occurs again and again in the document is written once, under `components`: half its size, and one name
in a typed client instead of twenty unnamed types."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from marketplace.kit.money import CURRENCIES

DocumentPart = dict[str, Any]
OFTEN = 3


def share(
    paths: list[DocumentPart], operations: list[DocumentPart], components: DocumentPart, schemas: DocumentPart
) -> None:
    """Replace repeated parameters, answers and the currencies of an OpenAPI document by references."""
    lists = [part["parameters"] for part in (*paths, *operations) if "parameters" in part]
    share_parts(lists, "parameters", components["parameters"], lambda parameter: str(parameter["name"]))
    answers = [operation["responses"] for operation in operations]
    share_parts(answers, "responses", components["responses"], _schema_of)
    share_currency([schemas, *operations], schemas)


def share_parts(places: list[Any], kind: str, known: DocumentPart, name_of: Callable[[DocumentPart], str]) -> None:
    """Of the parts of one name the commonest is written once where it occurs often; the rest stay where they are."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for _, _, part in _parts(places):
        found[name_of(part)][_text(part)] += 1
    common = {name: counted.most_common(1)[0] for name, counted in found.items() if name and name not in known}
    shared = {body: name for name, (body, times) in common.items() if times >= OFTEN}
    for place, key, part in _parts(places):
        name = shared.get(_text(part))
        if name is not None:
            known[name] = part
            place[key] = {"$ref": f"#/components/{kind}/{name}"}


def _parts(places: list[Any]) -> Iterator[tuple[DocumentPart, str, DocumentPart]]:
    for place in places:
        for key, part in list(place.items() if isinstance(place, dict) else enumerate(place)):
            if "$ref" not in part:
                yield place, key, part


def _text(part: DocumentPart) -> str:
    return json.dumps(part, default=float)  # bounds are decimals


def _schema_of(answer: DocumentPart) -> str:
    """The name of what an answer holds; none where it is not a thing with a name."""
    schemas = [content.get("schema", {}) for content in answer.get("content", {}).values()]
    return str(schemas[0].get("$ref", "")).rpartition("/")[2] if len(schemas) == 1 else ""


def share_currency(parts: list[Any], schemas: DocumentPart) -> None:
    """ISO 4217 has some 150 of them."""
    codes = sorted(CURRENCIES)
    for schema in [schema for part in parts for schema in _schemas_with(part, codes)]:
        kept: DocumentPart = {name: schema[name] for name in ("example", "default", "description") if name in schema}
        schema.clear()
        schema.update({"$ref": "#/components/schemas/Currency", **kept})
    schemas["Currency"] = {"type": "string", "enum": codes, "description": "ISO 4217", "example": "EUR"}


def _schemas_with(part: Any, codes: list[str]) -> Iterator[DocumentPart]:
    if isinstance(part, dict) and part.get("enum") == codes:
        yield part
        return
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else []:
        yield from _schemas_with(inner, codes)
