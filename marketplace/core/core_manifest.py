"""What core itself brings: the queues, the pages for operators, the sweeps."""

from pathlib import Path

from marketplace.core.database import counters
from marketplace.core.invariants import outdated_words, stuck_rows, unreadable_secrets
from marketplace.core.lists import vocabulary
from marketplace.core.manifest import Lane, Manifest
from marketplace.core.ops import health, metrics
from marketplace.core.queues import jobs as queues_jobs
from marketplace.core.queues import outbox, retention
from marketplace.core.queues import routes as queues_routes

CORE = Manifest(
    name="core",
    floor=0,
    blueprints=(health.bp, metrics.bp, queues_routes.bp),
    setup=(health.init_app,),
    jobs=(retention,),
    background=((Lane.EVENTS, outbox.relay), (Lane.JOBS, queues_jobs.plan), (Lane.JOBS, queues_jobs.run_due)),
    own=((1.0, counters.flush), (1.0, vocabulary.keep_up)),
    checks=(stuck_rows, outdated_words, unreadable_secrets),
    personal=Path(__file__).with_name("personal.toml"),
)
