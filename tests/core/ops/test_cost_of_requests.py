"""What a request costs, counted in calls of Python functions, which are the same on every machine: none may grow by
more than 15 % over the figures that are kept beside this file.

A change that is meant writes them anew: COSTS=write .venv/bin/python -m pytest tests/core/ops/test_cost_of_requests.py
"""

import gc
import json
import os
from collections.abc import Callable
from cProfile import Profile
from pathlib import Path
from pstats import Stats
from typing import Any

import pytest
from flask import Flask

from marketplace.listings import queries
from tests.factories import things
from tests.factories.people import Person

FIGURES = Path(__file__).with_name("costs.json")
MORE = 1.15
WARM, COUNTED = 5, 20
Asks = dict[str, Callable[[], Any]]


def workloads(anna: Person, juris: Person) -> Asks:
    """W1 to W4 of docs/performance.md, a read that needs a person, and a message."""
    found = [things.listing(anna, title=f"Red bicycle {n}") for n in range(30)]
    talk = anna.post("/api/messages/conversations", {"user_id": juris.id, "message": "Hello"}).json["id"]
    place = {name: found[0][name] for name in ("latitude", "longitude")}
    near = "&".join(f"{name}={value}" for name, value in place.items())
    posted = {
        "title": "Red bicycle",
        "description": "It rides.",
        "price": 40,
        "category": found[0]["category"],
        **place,
    }
    posted["location"] = found[0]["location"]
    return {
        "W1 near me": lambda: anna.get(f"/api/listings?{near}&radius=10"),
        "W2 detail": lambda: anna.get(f"/api/listings/{found[0]['id']}"),
        "W3 write": lambda: anna.post("/api/listings", posted),
        "W4 search": lambda: anna.get("/api/listings?q=red+bicycle"),
        "me": lambda: anna.get("/api/auth/profile"),
        "message": lambda: anna.post(f"/api/messages/conversations/{talk}/messages", {"content": "Is it red?"}),
    }


def calls_of(ask: Callable[[], Any]) -> int:
    """A request, once everything is loaded: the median of some, without what the collector does meanwhile."""
    for _ in range(WARM):
        assert ask().status_code in {200, 201}
    counted = []
    gc.disable()
    for _ in range(COUNTED):
        profile = Profile()
        profile.enable()
        ask()
        profile.disable()
        counted.append(Stats(profile).total_calls)  # type: ignore[attr-defined]
    gc.enable()
    return sorted(counted)[COUNTED // 2]


@pytest.mark.one_database
def test_no_request_costs_more_than_it_did(app: Flask, anna: Person, juris: Person) -> None:
    measured = {name: calls_of(ask) for name, ask in workloads(anna, juris).items()}
    if os.environ.get("COSTS") == "write":
        FIGURES.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    kept = json.loads(FIGURES.read_text(encoding="utf-8"))
    assert set(kept) == set(measured)
    dearer = {name: (kept[name], calls) for name, calls in measured.items() if calls > MORE * kept[name]}
    assert dearer == {}, "(kept, now) in calls of functions"


@pytest.mark.one_database
def test_control_a_dearer_view_is_noticed(app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = things.listing(anna)["id"]
    cheap = calls_of(lambda: anna.get(f"/api/listings/{listing}"))
    view = queries.view
    monkeypatch.setattr(queries, "view", lambda *given: sorted((view(*given) for _ in range(30)), key=str)[0])
    assert calls_of(lambda: anna.get(f"/api/listings/{listing}")) > MORE * cheap
