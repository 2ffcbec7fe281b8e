"""What a WSGI server loads: the application and its background thread."""

from marketplace.app import create_app
from marketplace.core import counters, idempotency
from marketplace.core.outbox import Background

app = create_app()
background = Background(app, periodic=[(1, counters.flush), (3600, idempotency.sweep)])
background.start()
