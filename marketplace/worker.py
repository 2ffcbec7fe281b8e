"""What Celery loads: `celery -A marketplace.worker worker` and `celery -A marketplace.worker beat`."""

from typing import Any

from celery.signals import worker_ready

from marketplace.app import create_app
from marketplace.core.manifest import Lane
from marketplace.core.ops.settings import ConfigurationError
from marketplace.core.queues.background import WORK, celery_for, note_look, wake_workers
from marketplace.core.registration import work_of

try:
    flask_app = create_app()
except ConfigurationError as error:
    raise SystemExit(f"Error: {error}") from None
app = celery_for(flask_app.config["REDIS_URL"])
work = work_of(flask_app, Lane.EVENTS, Lane.MONEY, Lane.JOBS)


@app.task(name=WORK)
def look_for_work() -> None:
    """Do everything that is due."""
    note_look(flask_app.config["REDIS_URL"])
    with flask_app.app_context():
        work()


@worker_ready.connect
def begin(sender: Any, **_: Any) -> None:
    """What waited while nobody worked."""
    wake_workers(app)()
