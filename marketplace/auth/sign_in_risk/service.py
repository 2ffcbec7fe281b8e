"""Security signals and the risk score of a sign-in."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, delete, func, or_, select

from marketplace.auth.client_context import Place, Spot, spot_of
from marketplace.auth.sign_in_risk.models import Signal
from marketplace.auth.sign_in_risk.rules import PASS, Rule, rules
from marketplace.core.database.db import execute, fetch, fetch_as, save
from marketplace.core.ops import security_log
from marketplace.kit.clock import now
from marketplace.kit.geo import distance_km
from marketplace.kit.network import network_of

FASTEST_KMH = 900.0  # an airliner
LEAST_KM = 300.0  # less may be two ways to the same network
KEPT = timedelta(days=180)
SIGN_IN, REGISTERED, RESET = "sign_in", "registered", "password_reset"
FAILED, REFUSED_CODE, HELD = "failed_sign_in", "refused_code", "sign_in_held"
PROOFS = (SIGN_IN, REGISTERED, RESET)
LOGGED = (FAILED, REFUSED_CODE, HELD)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of the rules on one sign-in; `is_new_device` makes notifications warn the owner."""

    verdict: str = PASS
    score: int = 0
    reasons: list[str] = field(default_factory=list)
    is_new_device: bool = False


def note(kind: str, user_id: int | None, place: Place, judgement: Judgement | None = None) -> None:
    """Add a signal to the running transaction, and to the security log where its kind is suspicious. The address is
    kept as its network (an IPv6 /64 is one client)."""
    if kind in LOGGED:
        security_log.record(kind, user_id=user_id, score=judgement.score if judgement else None)
    spot, judged = spot_of(place.address), judgement or Judgement(verdict="")
    where = {"country": spot.country, "latitude": spot.latitude, "longitude": spot.longitude} if spot else {}
    save(
        Signal(
            kind=kind,
            user_id=user_id,
            address=network_of(place.address),
            device=place.device,
            score=judged.score,
            verdict=judged.verdict,
            reasons=judged.reasons,
            **where,
        )
    )


def judge(user_id: int, place: Place, *, since: datetime) -> Judgement:
    """Score a sign-in whose first proof was right; signals before `since`, when the password was set, do not count."""
    in_force, earlier = rules(), _sign_ins(user_id)
    facts = _facts(earlier, place)
    hits = [rule for rule in in_force.rules if _applies(rule, facts, user_id, place, since)]
    score = sum(rule.score for rule in hits)
    return Judgement(in_force.verdict(score), score, [rule.reason for rule in hits], "new_device" in facts)


def is_known(user_id: int | None, place: Place) -> bool:
    """Whether this person has signed in from this network and device before."""
    same = (Signal.user_id == user_id, Signal.address == network_of(place.address), Signal.device == place.device)
    return user_id is not None and bool(fetch(select(Signal.id).where(*same, Signal.kind.in_(PROOFS)).limit(1)))


def sweep() -> int:
    """Forget signals after half a year; returns how many."""
    return execute(delete(Signal).where(Signal.created_at < now() - KEPT))


def _applies(rule: Rule, facts: set[str], user_id: int, place: Place, since: datetime) -> bool:
    if rule.fact:
        return rule.fact in facts
    begins = now() - rule.window
    of = Signal.address == network_of(place.address)
    if rule.by == "user":
        of, begins = Signal.user_id == user_id, max(begins, since)
    recent = select(Signal.id).where(of, Signal.kind == rule.count, Signal.created_at > begins)
    if rule.unless:
        recent = recent.where(_is_not_of(_people(of, rule.unless, begins)))
    return _count(select(func.count()).select_from(recent.limit(rule.at_least).subquery())) >= rule.at_least


def _people(of: ColumnElement[bool], kind: str, begins: datetime) -> Select[int | None]:
    return select(Signal.user_id).where(of, Signal.kind == kind, Signal.created_at > begins)


def _is_not_of(people: Select[Any]) -> ColumnElement[bool]:
    return or_(
        Signal.user_id.is_(None), Signal.user_id.not_in(people.where(Signal.user_id.is_not(None)).correlate(None))
    )


def _count(statement: Select[Any]) -> int:
    return int(fetch(statement)[0][0])


class SignalRow(Protocol):
    """A row of security_signals."""

    id: int
    kind: str
    user_id: int | None
    address: str
    device: str
    country: str
    latitude: float | None
    longitude: float | None
    score: int
    verdict: str
    reasons: list[Any]
    created_at: datetime


def _sign_ins(user_id: int) -> list[SignalRow]:
    """Where the last proofs came from, newest first."""
    mine = select(Signal.__table__).where(Signal.user_id == user_id, Signal.kind.in_(PROOFS))
    return fetch_as(SignalRow, mine.order_by(Signal.created_at.desc()).limit(100))


def _facts(earlier: list[SignalRow], place: Place) -> set[str]:
    """The facts true of this sign-in compared with earlier ones; none is true of a first sign-in."""
    spot, found = spot_of(place.address), set()
    if earlier and place.device not in {row.device for row in earlier}:
        found.add("new_device")
    countries = {row.country for row in earlier} - {""}
    if spot and countries and spot.country not in countries:
        found.add("new_country")
    if spot and earlier and _is_too_far(earlier[0], spot):
        found.add("impossible_travel")
    return found


def _is_too_far(last: SignalRow, spot: Spot) -> bool:
    if last.latitude is None or last.longitude is None:
        return False
    km = distance_km(last.latitude, last.longitude, spot.latitude, spot.longitude)
    hours = max((now() - last.created_at).total_seconds() / 3600, 1 / 60)
    return km > LEAST_KM and km / hours > FASTEST_KMH
