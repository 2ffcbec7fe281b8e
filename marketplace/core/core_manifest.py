"""What core itself brings: the queues, the pages for operators, the sweeps."""

from pathlib import Path

from marketplace.core import counters, health, job_routes, jobs, metrics, outbox, sweeps
from marketplace.core.invariants import outdated_words, stuck_rows, unreadable_secrets
from marketplace.core.manifest import Lane, Manifest

CORE = Manifest(
    name="core",
    floor=0,
    blueprints=(health.bp, metrics.bp, job_routes.bp),
    setup=(health.init_app,),
    jobs=(sweeps,),
    background=((Lane.EVENTS, outbox.relay), (Lane.JOBS, jobs.plan), (Lane.JOBS, jobs.run_due)),
    own=((1.0, counters.flush),),
    checks=(stuck_rows, outdated_words, unreadable_secrets),
    personal=Path(__file__).with_name("personal.toml"),
)
