"""The rules of docs/architecture.md, held by machines."""

import ast
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from marketplace.cli.handbook import DOCS, all_events, pages
from marketplace.core.http.access import Access
from marketplace.core.http.blueprint import Blueprint
from marketplace.core.queues.outbox import subscribers
from marketplace.kit.errors import NotAllowed
from marketplace.kit.lifecycle import Lifecycle, WrongState
from marketplace.wiring import SLICES
from tests.declared import LIFECYCLES

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "marketplace").rglob("*.py"))
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SOURCES if path.name != "__init__.py"}
SAME_NAMES = Counter(module.rpartition(".")[2] for module in MODULES)
NO_SLICES = {"cli", "core", "demo_data", "events", "kit"}
ROOMS = {
    *("manifest", "routes", "sockets", "jobs", "subscribers", "cli", "schemas", "service", "queries", "policy"),
    *("invariants", "models", "lifecycle", "gateway", "gateways"),
}
APART = "Apart from the rooms: "
MOST_ANY = 0.02  # of the functions: what libraries without types return, and answers of providers
# Facts nobody listens to yet, and whom they wait for.
WAITING = {
    "UploadStored": "moderation",
    "UploadDeleted": "moderation",
    "ListingChanged": "moderation; what changed is no news to saved searches",
    "TaskChanged": "moderation; what changed is no news to saved searches",
    "OfferingChanged": "moderation; what changed is no news to saved searches",
    "OfferingBooked": "analytics; the provider hears of it by TaskAssigned",
    "ReviewChanged": "moderation",
    "ReviewDeleted": "moderation",
}


def test_the_floors_and_rooms_hold() -> None:
    answer = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES:
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def test_imports_stand_on_top() -> None:
    late = [
        f"{path}:{node.lineno}"
        for path, tree in _trees()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert late == []


@pytest.mark.parametrize("verb", ["commit", "rollback"])
def test_only_the_edge_ends_a_transaction(verb: str) -> None:
    files = {
        str(path)
        for path, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == verb
    }
    assert files == {"marketplace/core/database/db.py"}, "reads give their connection back by release_connection()"


def test_only_advance_writes_a_status() -> None:
    writers = {
        str(path)
        for path, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Attribute) and target.attr == "status"
    }
    assert writers == {"marketplace/core/database/lifecycle.py"}


def _nearest(package: str, name: str) -> str:
    """The module of that name in this package, or in the nearest package around it; "" where there is none."""
    while package:
        if f"{package}.{name}" in MODULES:
            return f"{package}.{name}"
        package = package.rpartition(".")[0]
    return ""


def _imports() -> Iterator[tuple[str, str, str, str | None]]:
    """Where, the package of the file, the full name of what is imported from us, and its alias."""
    for path, tree in _trees():
        package = ".".join(path.parent.parts)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("marketplace"):
                for one in node.names:
                    yield f"{path}:{node.lineno}", package, f"{node.module}.{one.name}", one.asname


def test_an_alias_is_the_end_of_a_modules_path_and_means_one_module() -> None:
    aliases: dict[str, set[str]] = defaultdict(set)
    odd = []
    for where, _, full, alias in _imports():
        if alias is None:
            continue
        aliases[alias].add(full)
        parts = full.split(".")[1:]
        if full not in MODULES or alias not in {"_".join(parts[start:]) for start in range(len(parts) - 1)}:
            odd.append(f"{where} {full} as {alias}")
    assert odd == [], "as <package>_<module>; a function or a class goes by its own name"
    assert {alias: named for alias, named in aliases.items() if len(named) > 1} == {}


def test_a_module_without_an_alias_is_the_nearest_of_its_name() -> None:
    far = [
        f"{where} {full}"
        for where, package, full, alias in _imports()
        if full in MODULES and alias is None and SAME_NAMES[full.rpartition(".")[2]] > 1
        if _nearest(package, full.rpartition(".")[2]) != full
    ]
    assert far == [], "`service` is one's own, another's is imported as <package>_service"


def test_functions_and_files_stay_small() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]
    large = [str(path) for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > 400]
    assert (long, large) == ([], [])


def _names_any(annotation: ast.expr | None) -> bool:
    return annotation is not None and any(isinstance(n, ast.Name) and n.id == "Any" for n in ast.walk(annotation))


def _functions_and_aliases() -> tuple[list[tuple[str, ast.FunctionDef]], set[str]]:
    functions, aliases = [], set()
    for path, tree in _trees():
        functions += [(f"{path}:{n.lineno}", n) for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        aliases |= {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.expr)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name) and _is_hidden_any(node.value)
        }
    return functions, aliases


def _is_hidden_any(value: ast.expr) -> bool:
    """`Any`, or rows or objects of it, by another name."""
    return isinstance(value, ast.Name | ast.Subscript) and _names_any(value) and "Callable" not in ast.unparse(value)


def test_few_functions_return_any() -> None:
    functions, aliases = _functions_and_aliases()
    loose = [
        where
        for where, function in functions
        if function.returns is not None
        if any(isinstance(n, ast.Name) and n.id in {"Any", *aliases} for n in ast.walk(function.returns))
    ]
    share = len(loose) / len(functions)
    assert share <= MOST_ANY, f"{share:.1%} of {len(functions)}: {loose}"


def test_packages_open_into_empty_rooms() -> None:
    assert [str(path) for path in SOURCES if path.name == "__init__.py" and path.read_text(encoding="utf-8")] == []


def _in_slices() -> Iterator[tuple[Path, ast.Module]]:
    for path, tree in _trees():
        if len(path.parts) > 2 and path.parts[1] not in NO_SLICES and path.name != "__init__.py":
            yield path, tree


def _stands_in_a_room(path: Path) -> bool:
    return path.stem in ROOMS or path.parent.name in ROOMS


def test_a_module_outside_the_rooms_says_why() -> None:
    unexplained = [
        str(path)
        for path, tree in _in_slices()
        if not _stands_in_a_room(path) and APART not in (ast.get_docstring(tree) or "")
    ]
    assert unexplained == [], f'the docstring of each needs "{APART}<reason>."'


def test_only_a_module_outside_the_rooms_says_why() -> None:
    assert [
        str(path) for path, tree in _in_slices() if _stands_in_a_room(path) and APART in (ast.get_docstring(tree) or "")
    ] == []


def test_files_of_slices_are_called_by_nouns() -> None:
    assert [str(path) for path, _ in _in_slices() if path.name.endswith("ing.py")] == []


@pytest.mark.usefixtures("apps")  # which subscribe
def test_every_fact_has_a_listener_or_a_reason() -> None:
    unheard = {kind.__name__ for kind in all_events(SLICES) if not subscribers.get(kind)}
    assert unheard == set(WAITING)


def test_the_page_of_events_names_what_a_fact_carries_and_nothing_of_its_class() -> None:
    assert "`personal`" not in pages(SLICES)["events.md"]


def test_every_route_has_a_policy(app: Flask) -> None:
    pages_of_ours = {
        "docs.home",
        "docs.operations",
        "docs.asset",
        "docs.guide",
        "docs.guide_list",
        "api-docs.openapi_json",
    }
    bare = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if not isinstance(getattr(getattr(app.view_functions[rule.endpoint], "guard", None), "access", None), Access)
    }
    assert bare <= pages_of_ours, bare - pages_of_ours


def test_a_route_without_a_policy_does_not_register() -> None:
    blueprint = Blueprint("bare", __name__)
    with pytest.raises(TypeError, match="has no policy"):
        blueprint.get("/bare")(lambda: {})


def test_every_operation_is_documented_with_errors_and_examples(app: Flask) -> None:
    document: dict[str, Any] = app.test_client().get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            where = f"{method} {path}"
            assert operation["summary"], where
            assert any(int(status) >= 400 for status in operation["responses"]), where
            shared = document["components"]["responses"]
            answers = [
                shared[r["$ref"].rpartition("/")[2]] if "$ref" in r else r for r in operation["responses"].values()
            ]
            for content in (
                c for body in (operation.get("requestBody", {}), *answers) for c in body.get("content", {}).values()
            ):
                assert content.get("example") is not None, where


def _moves() -> Iterator[Any]:
    for table in LIFECYCLES:
        roles = sorted({role for move in table.rows() for role in move.by} | {"nobody"})
        for state in sorted(table.states):
            for verb in table.moves:
                for role in roles:
                    yield pytest.param(table, state, verb, role, id=f"{table.thing}-{state}-{verb}-{role}")


@pytest.mark.parametrize(("table", "state", "verb", "role"), list(_moves()))
def test_a_move_is_allowed_exactly_where_the_table_says(table: Lifecycle, state: str, verb: str, role: str) -> None:
    rows = [move for move in table.moves[verb] if role in move.by]
    allowed = any(state in move.sources for move in rows)

    assert (verb in table.available(state, frozenset({role}))) == allowed
    if allowed:
        assert state in table.pick(verb, state, {role}).sources
    else:
        with pytest.raises(WrongState if rows else NotAllowed):
            table.pick(verb, state, {role})


def test_the_written_pages_are_what_the_code_says(app: Flask) -> None:
    said = pages(SLICES)
    written = {name: (DOCS / name).read_text(encoding="utf-8") for name in said}
    assert written == said, "run: flask handbook"
