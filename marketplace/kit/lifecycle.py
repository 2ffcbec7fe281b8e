"""Lifecycles as tables: who may move a thing from which state to which, read by code, docs and tests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import pairwise

from marketplace.kit.errors import Conflict, NotAllowed

STAFF_WORD = "our staff"
ROLE_WORDS = {
    "stranger": "somebody else than its owner",
    "opener": "whoever opened it",
    "respondent": "the other side",
    "author": "whoever made it",
    "recipient": "whoever it was made to",
    "moderator": STAFF_WORD,
    "admin": STAFF_WORD,
}
"""What people call a role; the others are said as they are: "the owner"."""
VERB_WORDS = {
    "apply": "apply for",
    "assign": "give away",
    "apply_again": "apply again with",
    "respond": "respond to",
    "add_evidence": "add evidence to",
    "offer": "make an offer in",
    "decide": "decide about",
    "take_down": "take down",
}
"""A verb that stands before the thing as it is needs no entry: "cancel this task"."""


class WrongState(Conflict):
    """409: the table has no such move from the thing's present state."""

    code = "wrong_state"


@dataclass(frozen=True, slots=True)
class Move:
    """One row: from any of `sources` to `to`, by any role of `by`; `after` is its timer.

    `to` is None for a deed that leaves the state as it is but is allowed in these states only.
    """

    sources: frozenset[str]
    to: str | None
    by: frozenset[str]
    after: timedelta | None = None


def move(*sources: str, to: str, by: set[str], after: timedelta | None = None) -> Move:
    """A row that changes the state: from any of `sources` to `to`, by any of the roles `by`."""
    return Move(frozenset(sources), to, frozenset(by), after)


def guard(*sources: str, by: set[str]) -> Move:
    """A row for an act that needs one of these states and leaves it."""
    return Move(frozenset(sources), None, frozenset(by))


@dataclass(frozen=True, eq=False)
class Lifecycle:
    """The table of one kind of thing: verb → its moves, the first that fits counts.

    `requests` names the request by which a client does it: "PUT /api/tasks/{id}". `stages` says, for the things that
    deals are about, in which stage the deal is in a state (deals/lifecycle.py); in a state without one it is over, or
    not agreed on yet.
    """

    thing: str
    initial: str
    moves: dict[str, tuple[Move, ...]] = field(default_factory=dict)
    requests: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def table(
        cls,
        thing: str,
        initial: str,
        *,
        requests: Mapping[str, str] | None = None,
        stages: Mapping[str, str] | None = None,
        **moves: Move | tuple[Move, ...],
    ) -> "Lifecycle":
        """Make a table from keyword arguments: verb = a move, or several of which the first that fits counts."""
        rows = {verb: m if isinstance(m, tuple) else (m,) for verb, m in moves.items()}
        return cls(thing, initial, rows, requests or {}, stages or {})

    @property
    def states(self) -> frozenset[str]:
        """Every state the table names."""
        named = {s for m in self.rows() for s in (*m.sources, m.to) if s is not None}
        return frozenset(named | {self.initial})

    def rows(self) -> Iterator[Move]:
        """Every move of every verb."""
        for moves in self.moves.values():
            yield from moves

    def pick(self, verb: str, state: str, roles: Iterable[str]) -> Move:
        """The row that applies; raises NotAllowed (403) before WrongState (409): whoever may never do it is not told
        to wait."""
        moves, held = self.moves[verb], frozenset(roles)
        mine = [m for m in moves if m.by & held]
        if not mine:
            raise NotAllowed(f"Only {_people(moves)} can {_spoken_verb(verb)} this {self.thing}.")
        for candidate in mine:
            if state in candidate.sources:
                return candidate
        raise WrongState(self._refusal(verb, state, mine))

    def _refusal(self, verb: str, state: str, mine: list[Move]) -> str:
        """Too late, or too early and when; what is possible instead depends on more than the table, such as money
        that is held: `available_actions` says it."""
        head = f"This {self.thing} is {_spoken(state)}"
        if any(m.to == state for m in mine):
            return f"{head} already."
        sources = sorted({s for m in mine for s in m.sources}, key=self._steps_to)
        if self._steps_to(state) < self._steps_to(sources[0]):
            when = " or ".join(_spoken(source) for source in sources)
            return f"{head}, so it is too early to {_spoken_verb(verb)} it: that is possible once it is {when}."
        return f"{head}, so it is too late to {_spoken_verb(verb)} it."

    @cache  # noqa: B019 - tables live as long as the process
    def _steps_to(self, state: str) -> int:
        """The least number of moves from the initial state; more than there are states where none lead there."""
        reached, steps = {self.initial}, 0
        while state not in reached and steps <= len(self.states):
            reached |= {m.to for m in self.rows() if m.to and m.sources & reached}
            steps += 1
        return steps

    @cache  # noqa: B019 - tables live as long as the process
    def available(self, state: str, roles: frozenset[str]) -> tuple[str, ...]:
        """The verbs these roles can use now, in the table's order."""
        return tuple(v for v, moves in self.moves.items() if any(state in m.sources and m.by & roles for m in moves))

    @cache  # noqa: B019 - tables live as long as the process
    def actions(self, state: str, roles: frozenset[str]) -> tuple[str, ...]:
        """The verbs these roles can use now by a request of their own, in the table's order."""
        return tuple(verb for verb in self.available(state, roles) if verb in self.requests)

    def verb_between(self, state: str, target: str, roles: Iterable[str]) -> str:
        """The verb that leads from one state to the other; raises NotAllowed (403) where these roles never lead
        there, WrongState (409) where they do not from here."""
        held = frozenset(roles)
        leading = [(verb, m) for verb, moves in self.moves.items() for m in moves if m.to == target]
        mine = [(verb, m) for verb, m in leading if m.by & held]
        if leading and not mine:
            people = _people(tuple(m for _, m in leading))
            raise NotAllowed(f"Only {people} can make this {self.thing} {_spoken(target)}.")
        for verb, m in mine:
            if state in m.sources:
                return verb
        raise WrongState(f"This {self.thing} is {_spoken(state)} and cannot become {_spoken(target)}.")

    def is_path(self, states: list[str]) -> bool:
        """Whether a history of states, the initial one first, follows the table."""
        steps = {(s, m.to) for m in self.rows() for s in m.sources if m.to}
        return states[:1] == [self.initial] and all(step in steps for step in pairwise(states))


def _spoken(word: str) -> str:
    return word.replace("_", " ")


def _spoken_verb(verb: str) -> str:
    return VERB_WORDS.get(verb) or _spoken(verb)


def _people(moves: tuple[Move, ...]) -> str:
    roles = sorted({role for m in moves for role in m.by} - {"system"})
    words = {ROLE_WORDS.get(role) or f"the {_spoken(role)}" for role in roles}
    *others, last = sorted(words, key=lambda word: (word == STAFF_WORD, word)) or ["the marketplace itself"]
    return f"{', '.join(others)} or {last}" if others else last
