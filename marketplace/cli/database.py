"""`flask db`: Flask-Migrate's commands; what goes wrong in them is a sentence too."""

from functools import cache
from typing import Any

import click

from marketplace.cli.errors import in_sentences
from marketplace.kit.lazy_module import lazy_module

flask_migrate = lazy_module("flask_migrate.cli")


class MigrationCommands(click.Command):
    """Stands for Flask-Migrate's group until somebody calls it: every command of Flask looks at all of them."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        """The group's own, which goes on from here."""
        return _group().make_context(info_name, args, *rest, **extra)


@cache
def _group() -> click.Group:
    group: click.Group = flask_migrate.db
    for command in group.commands.values():
        if command.callback is not None:
            command.callback = in_sentences(command.callback)
    return group


database = MigrationCommands("db", help="Perform database migrations.")
