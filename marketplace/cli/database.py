"""`flask db`: Flask-Migrate's commands; what goes wrong in them is a sentence too."""

import click
from flask_migrate.cli import db

from marketplace.cli.errors import in_sentences

database: click.Group = db
for command in database.commands.values():
    if command.callback is not None:
        command.callback = in_sentences(command.callback)
