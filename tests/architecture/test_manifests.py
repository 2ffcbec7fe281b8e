"""What a slice has is in its manifest, and only its own; nothing is registered beside it."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask
from sqlalchemy.orm import Mapper

from marketplace import wiring
from marketplace.core.database.db import Base
from marketplace.core.database.lifecycle import Stateful
from marketplace.core.http.blueprint import Blueprint
from marketplace.core.manifest import Manifest
from marketplace.core.queues.jobs import KINDS
from marketplace.core.queues.outbox import subscribers
from marketplace.events.base import Event
from marketplace.wiring import SLICES

PACKAGE = Path(wiring.__file__).parent
NO_SLICES = {"demo_data", "events", "kit"}  # they have nothing to register
CHANGING = {"add", "append", "extend", "insert", "setdefault", "update"}
ONE_NAME = pytest.mark.parametrize("one", SLICES, ids=lambda one: one.name)


def _ours(names: set[str]) -> set[str]:
    """Without what other tests made."""
    return {name for name in names if name.startswith("marketplace.") and ".gifts" not in name}


def _modules(one: Manifest) -> Iterator[ModuleType]:
    """Every module of a slice that is loaded or can be."""
    for path in sorted((PACKAGE / one.name).rglob("*.py")):
        yield importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))


def _listed(field: str) -> set[str]:
    return {module.__name__ for one in SLICES for module in getattr(one, field)}


def test_wiring_is_one_tuple_of_all_slices() -> None:
    source = (PACKAGE / "wiring.py").read_text(encoding="utf-8")
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - NO_SLICES

    assert len(source.splitlines()) <= 60
    doc, *rest = ast.parse(source).body
    assert isinstance(doc, ast.Expr)
    assert {type(statement) for statement in rest} == {ast.ImportFrom, ast.AnnAssign}
    assert sorted(one.name for one in SLICES) == sorted(folders)


@ONE_NAME
def test_every_blueprint_of_a_slice_is_plugged_in(one: Manifest) -> None:
    found = {value.name for module in _modules(one) for value in vars(module).values() if isinstance(value, Blueprint)}
    assert {bp.name for bp in one.blueprints} == found


def test_every_listener_and_job_stands_in_a_module_that_a_manifest_lists(apps: dict[str, Flask]) -> None:
    listening = {listener.__module__ for heard in subscribers.values() for listener in heard}
    working = {kind.work.__module__ for kind in KINDS.values()}

    assert _ours(listening) == _listed("subscribers")
    assert _ours(working) == _listed("jobs")


def test_every_fact_is_published_by_a_slice() -> None:
    assert _ours({kind.__module__ for kind in Event.__subclasses__()}) == _listed("events")


def test_every_table_with_a_lifecycle_is_listed_by_its_own_slice() -> None:
    mapped = {mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Stateful)}
    known = {model for model in mapped if _ours({model.__module__})}
    listed = [(one.name, model) for one in SLICES for model in one.stateful]

    assert {model for _, model in listed} == known
    assert [model for name, model in listed if not model.__module__.startswith(f"marketplace.{name}.")] == []


@ONE_NAME
def test_the_personal_columns_of_a_slice_are_those_of_its_own_tables(one: Manifest) -> None:
    mappers: list[Mapper[Base]] = list(Base.registry.mappers)
    own = {m.local_table.name for m in mappers if m.class_.__module__.startswith(f"marketplace.{one.name}.")}
    registered = set(tomllib.loads(one.personal.read_text(encoding="utf-8"))) if one.personal else set()
    assert registered == own


@ONE_NAME
def test_the_rules_of_a_slice_reach_the_auditor(one: Manifest) -> None:
    written = [rule for module in _modules(one) for rule in getattr(module, "INVARIANTS", ())]
    assert {rule.sentence for rule in one.invariants} == {rule.sentence for rule in written}


@ONE_NAME
def test_a_rule_reads_tables_of_its_own_slice_and_of_those_below(one: Manifest) -> None:
    floors = {f"marketplace.{other.name}": other.floor for other in SLICES}
    homes = {m.local_table.name: ".".join(m.class_.__module__.split(".")[:2]) for m in Base.registry.mappers}
    above = [
        (rule.sentence, table)
        for rule in one.invariants
        for table in re.findall(r"(?:FROM|JOIN) (\w+)", rule.statement)
        if homes.get(table) not in {None, f"marketplace.{one.name}"} and floors[homes[table]] >= one.floor
    ]
    assert above == []


def test_the_document_tells_of_a_blueprint_behind_the_one_it_follows(apps: dict[str, Flask]) -> None:
    document = apps["sqlite"].test_client().get("/openapi.json").json
    tags = [tag["name"] for tag in document["tags"]]
    following = {bp.name: bp.follows for one in SLICES for bp in one.blueprints if bp.follows}

    assert following
    assert {name: tags[tags.index(name) - 1] for name in following} == following


def test_every_list_that_strangers_share_has_facts_that_end_it() -> None:
    sources = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("routes.py"))
    shared = {topic for source in sources for topic in re.findall(r'shared="(\w+)"', source)}
    assert shared == {topic for one in SLICES for topic in one.topics}


def test_who_needs_all_slices_names_no_trade() -> None:
    """Search, favorites, conversations, the export, the erasure, the auditor and the handbook ask the manifests."""
    trades = {one.name for one in SLICES if one.stateful and one.subjects}
    derived = [PACKAGE / "cli" / f"{name}.py" for name in ("audit", "handbook", "linter")]
    folders = ("search", "favorites", "messaging", "privacy", "core")
    derived += [path for name in folders for path in (PACKAGE / name).rglob("*.py")]
    imported = {
        (str(path.relative_to(PACKAGE)), node.module)
        for path in derived
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
    }

    assert trades >= {"listings", "tasks", "offerings"}
    assert [one for one in imported if one[1].split(".")[1:2] and one[1].split(".")[1] in trades] == []


def test_no_module_writes_into_a_name_of_another() -> None:
    """Whoever registers something does so by a decorator at the definition."""
    written = {
        f"{path.relative_to(PACKAGE)}:{statement.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for statement in _writes(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert set(written) == set()


def _writes(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements of the module itself that change what was imported."""
    foreign = {
        name.asname or name.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("marketplace")
        for name in node.names
    }
    for statement in tree.body:
        changed: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            changed = [target for target in statement.targets if isinstance(target, ast.Subscript | ast.Attribute)]
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            called = statement.value.func
            changed = [called] if isinstance(called, ast.Attribute) and called.attr in CHANGING else []
        if any(_root(one) in foreign for one in changed):
            yield statement


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
