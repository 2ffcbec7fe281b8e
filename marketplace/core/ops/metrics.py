"""Figures for Prometheus, read from the tables when asked: every process would say the same."""

import secrets
from collections.abc import Iterator

from flask import Response, current_app, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import func, select

from marketplace.core.database.db import fetch
from marketplace.core.http.access import NEWCOMER
from marketplace.core.http.blueprint import Blueprint
from marketplace.core.manifest import slices
from marketplace.core.queues.jobs import JobRow
from marketplace.core.queues.work_queue import QUEUES, Queue
from marketplace.kit.clock import now
from marketplace.kit.errors import NotFound
from marketplace.kit.normalization import bearer, token

bp = Blueprint("metrics", __name__, access=NEWCOMER, description="Figures for an operator")
COUNTED = ("waiting", "failed", "dead")


@bp.get("/metrics")
@bp.sends_bytes("text/plain")
@bp.doc(responses={"404": {"description": "No token, or not the one"}})
def show_metrics() -> Response:
    """Show queues and jobs to whoever knows METRICS_TOKEN (as Bearer); there is nothing here without one."""
    wanted = current_app.config["METRICS_TOKEN"]
    sent = bearer(request.headers.get("Authorization", "")) or ""
    if not wanted or not secrets.compare_digest(sent.encode(), token(wanted).encode()):
        raise NotFound()
    registry = CollectorRegistry()
    registry.register(_Tables())
    return Response(generate_latest(registry), headers={"Cache-Control": "no-store"}, content_type=CONTENT_TYPE_LATEST)


class _Tables:
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Metric families read from the database at each scrape."""
        yield _queue_rows()
        yield _oldest()
        yield _job_seconds()
        for figures in (figures for one in slices() for figures in one.metrics):
            yield from figures()


def _queue_rows() -> GaugeMetricFamily:
    family = GaugeMetricFamily("marketplace_queue_rows", "Rows by queue and state", labels=["queue", "state"])
    for queue in QUEUES.values():
        for state in COUNTED:
            family.add_metric([queue.name, state], queue.count(state))
    return family


def _oldest() -> GaugeMetricFamily:
    text = "Seconds the longest waiting row has been due"
    family = GaugeMetricFamily("marketplace_queue_oldest_seconds", text, labels=["queue"])
    for queue in QUEUES.values():
        family.add_metric([queue.name], _age(queue))
    return family


def _age(queue: Queue) -> float:
    due = queue.oldest_due()
    return (now() - due).total_seconds() if due else 0.0


def _job_seconds() -> GaugeMetricFamily:
    family = GaugeMetricFamily("marketplace_job_seconds", "Mean and longest run by job", labels=["job", "figure"])
    figures = select(JobRow.name, func.avg(JobRow.seconds).label("mean"), func.max(JobRow.seconds).label("longest"))
    for row in fetch(figures.where(JobRow.seconds.is_not(None)).group_by(JobRow.name)):
        family.add_metric([row.name, "mean"], float(row.mean))
        family.add_metric([row.name, "longest"], float(row.longest))
    return family
