"""What Celery loads: `celery -A marketplace.worker worker` and `celery -A marketplace.worker beat`."""

from marketplace import wiring
from marketplace.app import create_app
from marketplace.core.background import WORK, all_of, celery_for

flask_app = create_app()
app = celery_for(flask_app.config["REDIS_URL"])
work = all_of(*wiring.FACTS, *wiring.WORK)


@app.task(name=WORK)
def look_for_work() -> None:
    """Do everything that is due."""
    with flask_app.app_context():
        work()
