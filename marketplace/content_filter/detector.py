"""All detectors over one text: spans of contact data, numbers and abuse.

Apart from the rooms: all detectors together, pure text in and spans out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from marketplace.content_filter.abuse_detector import insults
from marketplace.content_filter.contact_detector import contacts
from marketplace.content_filter.number_detector import numbers
from marketplace.content_filter.text_normalization import Page

# What stands first hides what it holds: the digits of a link are no telephone.
KINDS = ("account", "email", "handle", "link", "phone", "elsewhere", "threat", "slur", "abuse")
RANK = {kind: place for place, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Span:
    """A kind of find, and its start and end in the original text."""

    kind: str
    start: int
    end: int


def read(text: str, allowed_hosts: frozenset[str] = frozenset()) -> list[Span]:
    """Everything found in the text, in its order."""
    page = Page(text)
    found = {Span(*each) for each in contacts(page, allowed_hosts)}
    for kind, start, end in [*numbers(page), *insults(page)]:
        found.add(Span(kind, *page.plain.written(start, end)))
    return list(_without_repeats(found))


def _without_repeats(found: set[Span]) -> Iterator[Span]:
    """Without spans inside a longer one of the same kind, or of a kind that covers theirs."""
    reach: dict[str, int] = {}
    for span in sorted(found, key=lambda one: (one.start, -one.end, RANK[one.kind])):
        hiding = KINDS[: RANK[span.kind] + 1]
        if any(reach.get(kind, 0) >= span.end for kind in hiding):
            continue
        reach[span.kind] = max(reach.get(span.kind, 0), span.end)
        yield span
