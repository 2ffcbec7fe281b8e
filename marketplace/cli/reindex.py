"""`flask reindex`: write anew what a search looks through, after an upgrade that changed it."""

import click

from marketplace.cli.errors import on_database
from marketplace.core import search


@click.command("reindex")
@on_database
def reindex() -> None:
    """Compare what a search looks through with every row and mend what differs; safe while people trade."""
    click.echo(f"{search.rebuild()} rows were not what they should be, and are now.")
