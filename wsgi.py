"""What a WSGI server loads: the application and its background thread."""

from marketplace.app import create_app
from marketplace.core import counters
from marketplace.core.outbox import Background

app = create_app()
background = Background(app, periodic=[counters.flush])
background.start()
