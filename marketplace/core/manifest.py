"""What a slice says of itself, once, and who reads it; everything that needs to know all slices derives from here."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from flask import Flask, current_app
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import Select

from marketplace.core.database.db import Base
from marketplace.core.database.lifecycle import Stateful
from marketplace.core.http.access import Loaders
from marketplace.core.http.blueprint import Blueprint
from marketplace.core.lists.facets import Facets
from marketplace.core.lists.ranking import SearchHit
from marketplace.events.base import Event


class Lane(StrEnum):
    """Background work that must not wait for other work has a lane, which is a thread, of its own."""

    EVENTS = "events"
    JOBS = "jobs"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule of `flask audit`: `statement` finds the rows that should not be, its first column is an id. It may name
    the parameters of `cli/audit.py` (:long_ago, :days_ago)."""

    sentence: str
    statement: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A part of /readyz: `ask` answers ok, not used, or what is wrong, and is asked again after `seconds`. What is
    not `vital` only degrades the process."""

    name: str
    ask: Callable[[], str]
    vital: bool = True
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Searchable:
    """What a search asks of a kind: finds in their order, the latest titles, counts by value, one `new` thing for saved
    searches; and where in a row its title stands, in what is shown its `text`."""

    best: Callable[..., list[SearchHit]]
    latest: Callable[..., list[Any]]
    facets: Callable[..., Facets]
    new: Callable[[int], Any | None] = lambda _id: None
    title: Callable[[Any], str] = attrgetter("title_0")
    text: str = "description"


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of thing that others refer to by its kind and id, such as listing:3.

    The facts carry the id in a field called after the kind (`listing_id`). With `posted`, saved searches hear of new
    ones; with `deleted`, people can mark one as a favorite, until then. With `delete` (user, id), people can report one
    and staff delete it; `owner` names in what `by_ids` answers whose it is.
    """

    kind: str
    by_ids: Callable[[Any, list[int]], dict[int, dict[str, Any]]]
    search: Searchable | None = None
    posted: type[Event] | None = None
    deleted: type[Event] | None = None
    delete: Callable[[Any, int], object] | None = None
    owner: str = "creator_id"

    def id_in(self, event: Event) -> int:
        """Which one a fact is about."""
        return int(getattr(event, f"{self.kind}_id"))


@dataclass(frozen=True, slots=True)
class Contact:
    """How the owner of a thing is written to by the thing alone: whether one may (user, id), by raising what is in the
    way, and what counts those who did (id)."""

    demand: Callable[..., object]
    count: Callable[[int], object]


@dataclass(frozen=True, slots=True)
class ConversationSubject:
    """A kind of thing that two people may have a conversation about. `visible_to` selects (user) the `id`, `title` and
    `owner_id` of those that this person sees: these they may begin to write about, and these they read the title of;
    `link` is where one is read ("/api/tasks/{id}"), `model` its table, where one that was deleted is kept. To write
    first to who offers their work by it may need a plan."""

    kind: str
    link: str
    visible_to: Callable[[Any], Select[int, str, int]]
    model: type[Base]
    offers_work: bool = False
    contact: Contact | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """How a trade's deals end by a code: the client's code (user, subject id, fresh=), and its being entered by the
    provider (user, subject id, code=), False for a wrong one."""

    code_of: Callable[..., str]
    hand_over: Callable[..., bool]


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a dispute moves what its deal is about: begun by a side (user, subject id, reason=), ended with this much of
    the escrow for the provider (subject id, to_provider_minor=, actor_id=), put back to work (subject id, actor_id=);
    and the reason that was given at the trade itself (subject id)."""

    dispute: Callable[..., object]
    settle: Callable[..., object]
    reopen: Callable[..., object]
    reason_of: Callable[[int], str] = lambda _id: ""


@dataclass(frozen=True, slots=True)
class ConfirmAfter:
    """How work that its client neither confirms nor disputes is confirmed by the clock: so long after it was delivered,
    by the trade's own verb (subject id), which pays the provider."""

    time: timedelta
    confirm: Callable[[int], object]


@dataclass(frozen=True, slots=True)
class DealKind:
    """A kind of deal that a trade makes; one is called as the trade's lifecycle calls its thing. `link` is the address
    of what it is about ("/api/tasks/{id}"); the title is the client's words, or the provider's. A one-sided one is
    agreed on by its client alone until the work has begun (a booking)."""

    name: str
    link: str
    settlement: Settlement
    is_titled_by_provider: bool = False
    is_one_sided: bool = False
    hand_over: HandOver | None = None
    confirm_after: ConfirmAfter | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One slice. A field that is not given means: it has none."""

    name: str
    """The folder in `marketplace/`."""
    floor: int
    """Where it stands in docs/architecture.md; imports go down, siblings share a floor."""
    blueprints: tuple[Blueprint, ...] = ()
    """Its routes; their `area` is what API keys have scopes of."""
    sockets: tuple[Callable[[Flask], object], ...] = ()
    """What plugs its socket events in."""
    setup: tuple[Callable[[Flask], object], ...] = ()
    """What else an application needs of it: handlers, extensions; called once an application."""
    loaders: Loaders | None = None
    """How credentials become people; one slice has it."""
    events: tuple[ModuleType, ...] = ()
    """The modules of the facts that it publishes."""
    subscribers: tuple[ModuleType, ...] = ()
    """Modules whose `@subscribe` functions listen to facts."""
    jobs: tuple[ModuleType, ...] = ()
    """Modules whose `@job` functions the clock or others start."""
    provider_requests: tuple[ModuleType, ...] = ()
    """Modules that declare what is asked of payment providers and what those tell."""
    background: tuple[tuple[Lane, Callable[[], int]], ...] = ()
    """Queues to work through, by lane; each answers how much it did."""
    own: tuple[tuple[float, Callable[[], object]], ...] = ()
    """What a process has in memory and nobody else can write: every so many seconds."""
    commands: tuple[click.Command, ...] = ()
    """Its `flask` commands."""
    topics: Mapping[str, tuple[type[Event], ...]] = field(default_factory=dict)
    """Lists that strangers share (`shared=` of a route), and the facts that change them."""
    stateful: tuple[type[Stateful], ...] = ()
    """Its tables with a lifecycle: documented, audited, tried move by move."""
    invariants: tuple[Invariant, ...] = ()
    """What must hold in its tables and between them and those below."""
    checks: tuple[Callable[[], Iterable[str]], ...] = ()
    """The same where SQL does not suffice: sentences of what is wrong."""
    subjects: tuple[Subject, ...] = ()
    """The kinds of things that search, favorites and saved searches may refer to."""
    conversation_subjects: tuple[ConversationSubject, ...] = ()
    """The kinds of things that conversations may be about."""
    deal_kinds: tuple[DealKind, ...] = ()
    """The kinds of deals that its things become."""
    personal: Path | None = None
    """A TOML file: what each column of its tables is to the person (the privacy slice explains the words)."""
    waits_for: tuple[Callable[[int], bool], ...] = ()
    """Whether somebody waits for this person, who cannot leave before that is over."""
    erase: tuple[Callable[[int], int | None], ...] = ()
    """Takes down and forgets what a person left, beyond the columns; each in a transaction of its own, safe to repeat,
    and called again while it answers that there was something."""
    rule_files: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """Setting → what reads the file that it names; read once when an application starts."""
    readiness: tuple[Probe, ...] = ()
    """What must answer for the process to serve."""
    metrics: tuple[Callable[[], Iterator[GaugeMetricFamily]], ...] = ()
    """Figures of /metrics, read when asked."""


def slices() -> tuple[Manifest, ...]:
    """The manifests of this application, as wiring has them."""
    found: tuple[Manifest, ...] = current_app.extensions["slices"]
    return found


def deal_kinds() -> dict[str, DealKind]:
    """By name, of every trade."""
    return {kind.name: kind for one in slices() for kind in one.deal_kinds}


def conversation_subjects() -> dict[str, ConversationSubject]:
    """By kind, of every slice."""
    return {subject.kind: subject for one in slices() for subject in one.conversation_subjects}


def subjects() -> dict[str, Subject]:
    """By kind: first those that are put up, then the others (people)."""
    found: dict[str, Subject] = current_app.extensions["subjects"]
    return found


def subjects_of(manifests: Iterable[Manifest]) -> dict[str, Subject]:
    """The same of these manifests."""
    every = [subject for one in manifests for subject in one.subjects]
    return {subject.kind: subject for subject in sorted(every, key=lambda subject: subject.posted is None)}


def areas_of(manifests: Iterable[Manifest]) -> tuple[str, ...]:
    """What API keys can have scopes of, in the order of the alphabet."""
    return tuple(sorted({bp.area for one in manifests for bp in one.blueprints if bp.area}))
