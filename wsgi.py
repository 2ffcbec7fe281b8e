"""What a WSGI server loads: the application and its background threads."""

import sys

from marketplace import wiring
from marketplace.app import create_app
from marketplace.core.settings import ConfigurationError

BOOT_FAILED = 4  # what gunicorn takes for an application that cannot be loaded: it stops instead of trying again

try:
    app = create_app()
except ConfigurationError as error:
    sys.stderr.write(f"Error: {error}\n")
    sys.exit(BOOT_FAILED)
for thread in wiring.background(app):
    thread.start()
