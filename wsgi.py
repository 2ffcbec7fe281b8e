"""What a WSGI server loads: the application and its background threads."""

from marketplace import wiring
from marketplace.app import create_app

app = create_app()
for thread in wiring.background(app):
    thread.start()
