"""Worked examples of the document, put together from those of the fields; each validates against its schema."""

from typing import Any

NOTHING = object()


def add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give every request and answer body of an OpenAPI operation an example where it has none."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for content in (content for body in bodies for content in body.get("content", {}).values()):
        if "example" not in content and "schema" in content:
            found = example_of(content["schema"], schemas)
            content["example"] = None if found is NOTHING else found


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> object:
    """The schema's own, one made of its parts, its default or first allowed word; NOTHING where it has none of them."""
    if "$ref" in schema and "example" not in schema:
        return example_of(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    for choice in schema.get("allOf") or schema.get("anyOf") or schema.get("oneOf") or []:
        if "example" not in schema:
            return example_of(choice, schemas)
    if "properties" in schema and "example" not in schema:
        fields = {name: example_of(field, schemas) for name, field in schema["properties"].items()}
        return {name: value for name, value in fields.items() if value is not NOTHING}
    kind = schema.get("type")
    if "example" not in schema and (kind == "array" or (isinstance(kind, list) and "array" in kind)):
        item = example_of(schema.get("items", {}), schemas)
        return [] if item is NOTHING else [item]
    for name in ("example", "default"):
        if name in schema:
            return schema[name]
    return schema["enum"][0] if schema.get("enum") else NOTHING
