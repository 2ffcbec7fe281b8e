"""`flask routes --policies`: every address with who may use it."""

from typing import Any

import click
from flask import current_app
from flask.cli import routes_command, with_appcontext
from rich.console import Console
from rich.table import Table

from marketplace.cli.errors import in_sentences


@click.command("routes")
@click.option("--policies", is_flag=True, help="Show who may use each address.")
@click.option("--sort", "-s", type=click.Choice(["endpoint", "methods", "domain", "rule", "match"]), default="rule")
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS methods.")
@with_appcontext
@in_sentences
def routes(policies: bool, sort: str, all_methods: bool) -> None:
    """Show all addresses of the application."""
    if policies:
        Console(width=140).print(_table())
    else:
        click.get_current_context().invoke(routes_command, sort=sort, all_methods=all_methods)


def policy_rows() -> list[tuple[str, str, str]]:
    """Address, method and policy of every route, the application's own pages included."""
    rows = []
    for rule in current_app.url_map.iter_rules():
        guard: Any = getattr(current_app.view_functions[rule.endpoint], "guard", None)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            rows.append((rule.rule, method, guard.access.name if guard else "page"))
    return sorted(rows)


def _table() -> Table:
    table = Table("address", "method", "who")
    for row in policy_rows():
        table.add_row(*row)
    return table
