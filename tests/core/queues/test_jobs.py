"""Jobs: run once, again after a death, given up after so many tries, and shown to whom they concern."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import db, fetch, in_transaction
from marketplace.core.queues import jobs
from marketplace.core.queues.jobs import JOBS, KINDS, Lost, Run, enqueue, job, plan, run_due
from tests.conftest import make_app
from tests.factories.people import Person
from tests.servers.waiting import PATIENCE


@pytest.fixture
def kind() -> Iterator[Callable[..., None]]:
    """Declare jobs that are forgotten after the test."""
    before = dict(KINDS)

    def declare(work: Callable[..., None], **how: Any) -> None:
        job("test_job", **how)(work)

    yield declare
    KINDS.clear()
    KINDS.update(before)


def ask(**how: Any) -> int:
    """Ask for the tests' job."""
    return in_transaction(lambda: enqueue("test_job", **how))


def row(job_id: int) -> Any:
    """As it stands in the table."""
    return fetch(select(JOBS.table).where(JOBS.table.c.id == job_id))[0]


def test_a_job_runs_with_its_arguments_once(context: Flask, kind: Callable[..., None]) -> None:
    seen: list[int] = []
    kind(lambda run, number: seen.append(number))
    done = ask(number=7)
    assert (run_due(), run_due(), seen) == (1, 0, [7])
    assert (jobs.state_of(row(done)), row(done).seconds is not None) == ("done", True)


def test_a_job_of_a_transaction_that_was_undone_is_none(context: Flask, kind: Callable[..., None]) -> None:
    kind(lambda run: None)

    def fails() -> None:
        enqueue("test_job")
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        in_transaction(fails)
    assert run_due() == 0


def test_a_second_one_of_the_same_key_is_the_first(context: Flask, kind: Callable[..., None]) -> None:
    seen: list[int] = []
    kind(lambda run: seen.append(1))
    assert ask(key="k") == ask(key="k")
    assert (run_due(), seen) == (1, [1])


def test_a_job_that_fails_is_tried_again_and_then_given_up(context: Flask, kind: Callable[..., None]) -> None:
    def fail(run: Run) -> None:
        raise RuntimeError("not today")

    kind(fail, attempts=2)
    failing = ask()
    run_due()
    assert (jobs.state_of(row(failing)), "not today" in row(failing).error) == ("waiting", True)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=10)):
        run_due()
    assert jobs.state_of(row(failing)) == "failed"
    output = context.test_cli_runner().invoke(args=["jobs", "--state", "dead"]).output
    assert "test_job" in output
    assert "1 will be tried" in context.test_cli_runner().invoke(args=["jobs", "--again", str(failing)]).output
    assert jobs.state_of(row(failing)) == "waiting"


def test_a_job_nobody_knows_is_an_error_an_operator_sees(context: Flask) -> None:
    unknown = in_transaction(lambda: enqueue("no_such_job"))
    run_due()
    assert "no job is called" in row(unknown).error


def test_a_job_whose_worker_died_runs_again_after_its_lease(context: Flask, kind: Callable[..., None]) -> None:
    seen: list[int] = []
    kind(lambda run: seen.append(1), timeout=30)
    ask()
    JOBS.claim()  # and then the process is gone
    assert (run_due(), seen) == (0, [])
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=41)):
        assert (run_due(), seen) == (1, [1])


def test_a_job_that_hangs_is_left_behind_and_changes_nothing_any_more(
    context: Flask, kind: Callable[..., None]
) -> None:
    go_on, lost = threading.Event(), threading.Event()

    def hang(run: Run) -> None:
        go_on.wait(PATIENCE)
        try:
            run.progress(1, 2)
        except Lost:
            lost.set()

    kind(hang, timeout=0.2, attempts=1)
    hanging = ask()
    assert run_due() == 0
    assert "TimeoutError" in row(hanging).error
    in_transaction(lambda: JOBS.again(hanging))
    kind(lambda run: None, timeout=PATIENCE)
    claimed = JOBS.claim()
    in_transaction(lambda: JOBS.done(claimed[0]))
    go_on.set()
    assert lost.wait(PATIENCE)
    assert (row(hanging).done, jobs.state_of(row(hanging))) == (0, "done")


def test_who_was_only_slow_does_not_undo_what_the_next_one_did(context: Flask, kind: Callable[..., None]) -> None:
    kind(lambda run: None)
    ask()
    slow = JOBS.claim()[0]
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5)):
        quick = JOBS.claim()[0]
        assert in_transaction(lambda: JOBS.done(quick)) is True
    assert in_transaction(lambda: JOBS.failed(slow, "too late")) is False
    assert jobs.state_of(row(slow.id)) == "done"


def test_periodic_jobs_have_one_row_and_go_on_after_failing(context: Flask, kind: Callable[..., None]) -> None:
    seen: list[int] = []

    def sometimes(run: Run) -> None:
        seen.append(1)
        if len(seen) == 1:
            raise RuntimeError("not the first time")

    kind(sometimes, every=timedelta(hours=1), attempts=1)
    plan()
    plan()
    mine = select(JOBS.table).where(JOBS.table.c.name == "test_job")
    start = datetime.now(UTC)
    for minutes in (0, 1, 30, 62, 63):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            run_due()
    rows = fetch(mine)
    assert (len(rows), len(seen), rows[0].dead_at) == (1, 3, None)


def test_every_periodic_job_can_run(context: Flask) -> None:
    plan()
    run_due()
    failed = [(one.name, one.error) for one in fetch(select(JOBS.table)) if one.error]
    assert failed == []
    assert len(fetch(select(JOBS.table))) >= 10


def test_two_workers_never_have_the_same_job(app: Flask, kind: Callable[..., None]) -> None:
    seen: list[int] = []
    lock = threading.Lock()

    def note(run: Run, number: int) -> None:
        with lock:
            seen.append(number)

    kind(note)
    with app.app_context():
        for number in range(20):
            ask(number=number)
        db.session.remove()

    def work() -> None:
        with app.app_context():
            run_due()
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(seen) == list(range(20))


def test_the_owner_sees_how_far_a_job_is_and_nobody_else(
    app: Flask, anna: Person, juris: Person, kind: Callable[..., None]
) -> None:
    steps: list[dict[str, Any]] = []

    def export(run: Run) -> None:
        run.progress(120, 400)
        steps.append(anna.get(f"/api/jobs/{mine}").json)
        run.result_url = "/api/uploads/x.zip"

    kind(export)
    with app.app_context():
        mine = ask(owner_id=anna.id)
        db.session.remove()
    assert anna.get(f"/api/jobs/{mine}").json["status"] == "waiting"
    with app.app_context():
        run_due()
        db.session.remove()
    assert [(one["status"], one["done"], one["total"]) for one in steps] == [("running", 120, 400)]
    ended = anna.get(f"/api/jobs/{mine}").json
    assert (ended["status"], ended["result_url"], ended["error"]) == ("done", "/api/uploads/x.zip", None)
    assert juris.get(f"/api/jobs/{mine}").status_code == 404


def test_an_owner_is_not_told_what_broke_inside(app: Flask, anna: Person, kind: Callable[..., None]) -> None:
    def fail(run: Run) -> None:
        raise RuntimeError("secret path /srv/x")

    kind(fail, attempts=1)
    with app.app_context():
        mine = ask(owner_id=anna.id)
        run_due()
        db.session.remove()
    shown = anna.get(f"/api/jobs/{mine}")
    assert (shown.json["status"], "secret" in shown.text) == ("failed", False)


def test_admins_see_and_try_again(app: Flask, anna: Person, admin: Person, kind: Callable[..., None]) -> None:
    def fail(run: Run) -> None:
        raise RuntimeError("broken")

    kind(fail, attempts=1)
    with app.app_context():
        failing = ask()
        run_due()
        db.session.remove()
    listed = admin.get("/api/admin/queues/jobs?state=dead").json
    assert [(one["id"], one["name"], one["state"]) for one in listed["jobs"]] == [(failing, "test_job", "failed")]
    assert "broken" in listed["jobs"][0]["error"]
    assert anna.post(f"/api/admin/queues/jobs/{failing}/again").status_code == 403
    assert admin.post(f"/api/admin/queues/jobs/{failing}/again").json["row"]["state"] == "waiting"
    assert admin.post(f"/api/admin/queues/jobs/{failing}/again").json["code"] == "not_dead"
    assert admin.post("/api/admin/queues/jobs/999999/again").status_code == 404
    for queue in ("outbox", "deliveries"):
        assert admin.get(f"/api/admin/queues/{queue}").status_code == 200


def test_figures_are_shown_to_whoever_knows_the_word(app: Flask, kind: Callable[..., None]) -> None:
    open_shop = make_app(app.config["DATABASE_URL"], METRICS_TOKEN="word")
    kind(lambda run: None)
    with app.app_context():
        ask()
        run_due()
        ask()
        db.session.remove()
    client = open_shop.test_client()
    shown = client.get("/metrics", headers={"Authorization": "Bearer word"})
    assert shown.status_code == 200
    assert 'marketplace_queue_rows{queue="jobs",state="waiting"} 1.0' in shown.text
    assert 'marketplace_job_seconds{figure="mean",job="test_job"}' in shown.text
    assert client.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 404
    assert app.test_client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
