"""What conversations are about: things of other slices by kind and id, as their manifests declare them.

Apart from the rooms: it asks other slices' manifests, no table of this one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol, TypedDict

from marketplace.auth.models import User
from marketplace.core.database.db import fetch_as
from marketplace.core.manifest import conversation_subjects
from marketplace.kit.errors import Invalid, NotFound

NAMED_BY_FIELD = ("task", "offering", "listing")  # the contract has a field for each: `task_id`


class Reference(NamedTuple):
    """Which thing: its kind and id."""

    kind: str
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


class ThingRow(Protocol):
    """A thing as who sees it sees it."""

    id: int
    title: str
    owner_id: int


class Thing(NamedTuple):
    """A thing that a conversation begins about."""

    reference: Reference
    owner_id: int
    offers_work: bool

    def is_request_of(self, person_id: int) -> bool:
        """Whether this person put it up, and not to offer their work by it."""
        return self.owner_id == person_id and not self.offers_work


class SubjectView(TypedDict):
    """A thing in the answer about its conversation."""

    title: str
    link: str


def named(fields: Mapping[str, str | int]) -> Reference | None:
    """The thing that a body names, by kind and id, else by the first of the fields that some kinds have; raises Invalid
    (422) for half a name."""
    halves = [name for name in ("subject_kind", "subject_id") if name in fields]
    if len(halves) == 1:
        missing = "subject_id" if halves == ["subject_kind"] else "subject_kind"
        raise Invalid.field(missing, "Send subject_kind and subject_id together.")
    if halves:
        return Reference(str(fields["subject_kind"]), int(fields["subject_id"]))
    named_by = (kind for kind in NAMED_BY_FIELD if f"{kind}_id" in fields)
    return next((Reference(kind, int(fields[f"{kind}_id"])) for kind in named_by), None)


def find(user: User, about: Reference) -> Thing:
    """The thing, to begin a conversation about it; raises NotFound."""
    if about not in (found := _seen(user, [about])):
        raise NotFound.of(about.kind)
    return Thing(about, found[about].owner_id, conversation_subjects()[about.kind].offers_work)


def views(user: User, things: Iterable[Reference]) -> dict[Reference, SubjectView]:
    """Title and address of those that this person can see, in a statement for each kind."""
    kinds = conversation_subjects()
    return {
        about: {"title": thing.title, "link": kinds[about.kind].link.format(id=about.id)}
        for about, thing in _seen(user, things).items()
    }


def aliases(about: Reference | None) -> dict[str, int | None]:
    """The fields by which the contract names some kinds."""
    return {f"{kind}_id": about.id if about and about.kind == kind else None for kind in NAMED_BY_FIELD}


def _seen(user: User, things: Iterable[Reference]) -> dict[Reference, ThingRow]:
    kinds, ids = conversation_subjects(), defaultdict[str, set[int]](set)
    found: dict[Reference, ThingRow] = {}
    for kind, thing_id in things:
        ids[kind].add(thing_id)
    for kind in ids.keys() & kinds.keys():
        visible = kinds[kind].visible_to(user)
        wanted = visible.where(visible.selected_columns["id"].in_(ids[kind]))
        found |= {Reference(kind, row.id): row for row in fetch_as(ThingRow, wanted)}
    return found
