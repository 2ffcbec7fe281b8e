"""`flask reindex`: write anew what a search looks through, after an upgrade that changed it."""

import click

from marketplace.cli.errors import on_database
from marketplace.core import search
from marketplace.core.db import in_transaction
from marketplace.search import saved


@click.command("reindex")
@on_database
def reindex() -> None:
    """Compare what a search looks through with every row and mend what differs; safe while people trade."""
    click.echo(f"{search.rebuild()} rows were not what they should be, and are now.")
    click.echo(f"{in_transaction(saved.rebuild)} saved searches are read anew.")
