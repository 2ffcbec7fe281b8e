"""Parameters of an address that nobody reads: named in a header, and refused where the client asks for it."""

from urllib.parse import quote

from flask import Response, g, request
from marshmallow import Schema

from marketplace.core.http.schemas import SHORT_NAMES, Input
from marketplace.kit.errors import Invalid

HEADER = "X-Ignored-Parameters"
STRICT = "strict"
YES = frozenset({"1", "true", "yes"})
MOST_NAMED, LONGEST_NAME = 20, 50


def known_to(schema: Schema) -> frozenset[str]:
    """The names that parameters may have: of the fields, what else clients call them, and STRICT."""
    fields = schema.load_fields
    names = {STRICT, *(field.data_key or name for name, field in fields.items())}
    aliases = {**SHORT_NAMES, **(schema.input_aliases if isinstance(schema, Input) else {})}
    return frozenset(names | {alias for alias, name in aliases.items() if name in fields})


def note_ignored(known: frozenset[str]) -> None:
    """Remember the request's parameters that are none of these, for the header; raises Invalid (422) with STRICT."""
    ignored = sorted(set(request.args) - known)[:MOST_NAMED]
    if ignored and request.args.get(STRICT, "").lower() in YES:
        sentence = "There is no parameter of this name here."
        raise Invalid(sentence, errors={name[:LONGEST_NAME]: [sentence] for name in ignored})
    g.ignored_parameters = ignored


def name_ignored(response: Response) -> None:
    """Write the header, percent-encoded, where something was ignored."""
    if ignored := g.get("ignored_parameters"):
        response.headers[HEADER] = ", ".join(quote(name[:LONGEST_NAME]) for name in ignored)
