"""What a WSGI server loads: the application and its background threads."""

import sys

import click

import marketplace.core.ops.garbage_collection  # noqa: F401 before all that is large
from marketplace.app import create_app
from marketplace.core.ops.settings import ConfigurationError
from marketplace.core.registration import background

BOOT_FAILED = 4  # what gunicorn takes for an application that cannot be loaded: it stops instead of trying again

try:
    app = create_app()
except ConfigurationError as error:
    if click.get_current_context(silent=True):
        raise  # the command line shows it, and goes on where it needs no application
    sys.stderr.write(f"Error: {error}\n")
    sys.exit(BOOT_FAILED)
for thread in background(app):
    thread.start()
