"""Lifecycles as tables: who may move a thing from which state to which, read by code, docs and tests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import pairwise

from marketplace.kit.errors import Conflict, NotAllowed

NOBODY: frozenset[str] = frozenset()


class WrongState(Conflict):
    """The table has no such move from the thing's present state."""

    code = "wrong_state"
    title = "Not possible now"


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
    """A change of state."""
    return Move(frozenset(sources), to, frozenset(by), after)


def deed(*sources: str, by: set[str]) -> Move:
    """An act that needs a state and leaves it."""
    return Move(frozenset(sources), None, frozenset(by))


@dataclass(frozen=True, eq=False)
class Lifecycle:
    """The table of one kind of thing: verb → its moves, the first that fits counts."""

    thing: str
    initial: str
    moves: dict[str, tuple[Move, ...]] = field(default_factory=dict)

    @classmethod
    def table(cls, thing: str, initial: str, **moves: Move | tuple[Move, ...]) -> "Lifecycle":
        """Write a table with one line a verb."""
        rows = {verb: m if isinstance(m, tuple) else (m,) for verb, m in moves.items()}
        return cls(thing, initial, rows)

    @property
    def states(self) -> frozenset[str]:
        """Every state the table names."""
        named = {s for m in self.rows() for s in (*m.sources, m.to) if s is not None}
        return frozenset(named | {self.initial})

    @property
    def actions(self) -> frozenset[str]:
        """The verbs that people use; the rest are the marketplace's own."""
        return frozenset(verb for verb, moves in self.moves.items() if any(m.by - {"system"} for m in moves))

    def rows(self) -> Iterator[Move]:
        """Every row, verbs flattened."""
        for moves in self.moves.values():
            yield from moves

    def pick(self, verb: str, state: str, roles: Iterable[str]) -> Move:
        """The row that applies; raises WrongState (409) or NotAllowed (403)."""
        moves, held = self.moves[verb], frozenset(roles)
        mine = [m for m in moves if m.by & held]
        if not mine:
            raise NotAllowed(f"Only {_people(moves)} can {_spoken(verb)} this {self.thing}.")
        for candidate in mine:
            if state in candidate.sources:
                return candidate
        raise WrongState(
            f"This {self.thing} is {_spoken(state)}, so it is too late or too early to {_spoken(verb)} it."
        )

    @cache  # noqa: B019 - tables live as long as the process
    def available(self, state: str, roles: frozenset[str]) -> tuple[str, ...]:
        """The verbs these roles can use now, in the table's order."""
        return tuple(v for v, moves in self.moves.items() if any(state in m.sources and m.by & roles for m in moves))

    def verb_between(self, state: str, target: str, roles: Iterable[str]) -> str:
        """The verb that leads from one state to the other; raises WrongState."""
        held = frozenset(roles)
        for verb, moves in self.moves.items():
            if any(state in m.sources and m.to == target and m.by & held for m in moves):
                return verb
        raise WrongState(f"This {self.thing} is {_spoken(state)} and cannot become {_spoken(target)}.")

    def is_path(self, states: list[str]) -> bool:
        """Whether a history of states, the initial one first, follows the table."""
        steps = {(s, m.to) for m in self.rows() for s in m.sources if m.to}
        return states[:1] == [self.initial] and all(step in steps for step in pairwise(states))


def _spoken(word: str) -> str:
    return word.replace("_", " ")


def _people(moves: tuple[Move, ...]) -> str:
    roles = sorted({role for m in moves for role in m.by} - {"system"})
    return " or ".join(f"the {_spoken(role)}" for role in roles) or "the marketplace"
