"""`flask reindex`: write anew what a search looks through, after an upgrade that changed it."""

import click

from marketplace.cli.errors import on_database
from marketplace.core.database.db import in_transaction
from marketplace.core.lists import full_text
from marketplace.search.saved_searches import service as saved_searches_service


@click.command("reindex")
@on_database
def reindex() -> None:
    """Compare what a search looks through with every row and mend what differs; safe while people trade."""
    click.echo(f"{full_text.rebuild()} rows were not what they should be, and are now.")
    click.echo(f"{in_transaction(saved_searches_service.rebuild)} saved searches are read anew.")
