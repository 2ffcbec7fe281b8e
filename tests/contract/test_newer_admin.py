"""The back office as the newer client calls it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.contract.client import Browser, has
from tests.contract.newer_tables import ADMIN_LIST, ADMIN_USER, DISPUTE, REPORT, STATS
from tests.contract.tables import OFFERING, TASK
from tests.disputes.stage import dispute, running_task
from tests.factories import things

ADMIN = "/api/admin"


@pytest.fixture
def boss(anybody: Browser, promote: Callable[[Browser], Browser]) -> Browser:
    """An administrator."""
    return promote(anybody.signed_in("boss"))


def test_the_figures_count_what_is_there(boss: Browser, anna: Browser, juris: Browser) -> None:
    before = boss.get(f"{ADMIN}/stats").json
    dispute(anna.in_process, running_task(anna.in_process, juris.in_process))
    things.completed_task(anna.in_process, juris.in_process)
    things.task(anna.in_process)
    things.offering(juris.in_process)
    after = boss.get(f"{ADMIN}/stats").json

    assert has(after, STATS)
    assert {name: after[name] - before[name] for name in STATS} == {
        **dict.fromkeys(("total_users", "new_users_week"), 0),
        **{"total_tasks": 3, "active_tasks": 1, "completed_tasks": 1, "disputed_tasks": 1},
        **{"total_offerings": 1, "total_disputes": 1, "open_disputes": 1},
    }
    assert after["total_users"] == after["new_users_week"] == 3


@pytest.mark.parametrize(("span", "days"), [("7d", 7), ("30d", 30), ("90d", 90)])
def test_analytics_say_what_was_new_on_each_day(boss: Browser, anna: Browser, span: str, days: int) -> None:
    things.task(anna.in_process)
    shown = boss.get(f"{ADMIN}/analytics?range={span}").json
    tasks = shown["series"]["tasks"]
    assert (len(tasks), tasks[-1]) == (days, {"label": datetime.now(UTC).date().isoformat(), "value": 1})
    assert (shown["metrics"]["tasks"], shown["metrics"]["users"], shown["range"]) == (1, 2, span)
    assert {frozenset(point) for series in shown["series"].values() for point in series} == {
        frozenset({"label", "value"})
    }


def test_accounts_are_searched_filtered_banned_and_verified(boss: Browser, anna: Browser, juris: Browser) -> None:
    things.task(anna.in_process)
    things.offering(anna.in_process)
    page = boss.get(f"{ADMIN}/users?search=ann&page=1&per_page=10").json
    assert has(page, ADMIN_LIST | {"users"})
    (shown,) = page["users"]
    assert has(shown, ADMIN_USER)
    assert (shown["jobs_count"], shown["offerings_count"], shown["is_banned"], page["totalPages"]) == (1, 1, False, 1)

    assert boss.post(f"{ADMIN}/users/{juris.id}/ban", json={"reason": "Spam"}).status_code == 200

    def names(word: str) -> set[str]:
        return {user["username"] for user in boss.get(f"{ADMIN}/users?filter={word}").json["users"]}

    assert names("banned") == {"juris"}
    assert names("active") == {"anna", "boss"}
    assert names("all") == {"anna", "boss", "juris"}
    assert boss.post(f"{ADMIN}/users/{juris.id}/unban").json["user"]["is_banned"] is False
    assert boss.post(f"{ADMIN}/users/{anna.id}/verify").json["user"]["is_verified"] is True


def test_jobs_are_everybodys_tasks(boss: Browser, anna: Browser, juris: Browser) -> None:
    sofa = things.task(anna.in_process, title="Carry a sofa")["id"]
    running = running_task(anna.in_process, juris.in_process, title="Paint a fence")
    page = boss.get(f"{ADMIN}/jobs").json
    assert has(page, ADMIN_LIST | {"jobs"})
    assert all(has(one, TASK) for one in page["jobs"])
    assert [one["id"] for one in page["jobs"]] == [running, sofa]
    for query in ("search=sofa", "status=open", "status=all&search=sofa"):
        assert [one["id"] for one in boss.get(f"{ADMIN}/jobs?{query}").json["jobs"]] == [sofa]
    assert boss.delete(f"{ADMIN}/jobs/{sofa}").status_code == 200
    assert anna.get(f"/api/tasks/{sofa}").status_code == 404
    assert boss.delete(f"{ADMIN}/jobs/{running}").status_code == 409
    assert boss.get(f"{ADMIN}/queues/jobs").status_code == 200


def test_offerings_of_everybody_are_listed_and_deleted(boss: Browser, juris: Browser) -> None:
    paused = things.offering(juris.in_process)["id"]
    juris.post(f"/api/offerings/{paused}/pause")
    active = things.offering(juris.in_process, title="Piano lessons")["id"]
    page = boss.get(f"{ADMIN}/offerings").json
    assert has(page, ADMIN_LIST | {"offerings"})
    assert all(has(one, OFFERING) for one in page["offerings"])
    assert [one["id"] for one in page["offerings"]] == [active, paused]
    assert [one["id"] for one in boss.get(f"{ADMIN}/offerings?status=paused").json["offerings"]] == [paused]
    assert [one["id"] for one in boss.get(f"{ADMIN}/offerings?search=piano").json["offerings"]] == [active]
    assert boss.delete(f"{ADMIN}/offerings/{active}").status_code == 200
    assert juris.get(f"/api/offerings/{active}").status_code == 404


def test_disputes_that_wait_have_every_field(boss: Browser, anna: Browser, juris: Browser) -> None:
    dispute(anna.in_process, running_task(anna.in_process, juris.in_process))
    (shown,) = boss.get(f"{ADMIN}/disputes?status=open").json["disputes"]
    assert has(shown, DISPUTE)


def test_reports_are_listed_and_resolved(boss: Browser, anna: Browser, juris: Browser) -> None:
    task = things.task(juris.in_process)["id"]
    body = {"type": "task", "target_id": task, "reason": "spam", "description": "Ten times the same."}
    made = anna.post("/api/reports", json=body)
    assert made.status_code == 201, made.text
    page = boss.get(f"{ADMIN}/reports?status=pending").json
    assert has(page, ADMIN_LIST | {"reports"})
    (report,) = page["reports"]
    assert has(report, REPORT)
    assert (report["reporter_id"], report["reported_id"], report["target_id"]) == (anna.id, juris.id, task)
    path = f"{ADMIN}/reports/{report['id']}/resolve"
    done = boss.post(path, json={"action": "delete_content"})
    assert (done.status_code, done.json["report"]["status"]) == (200, "resolved")
    assert juris.get(f"/api/tasks/{task}").status_code == 404
    assert boss.post(path, json={"action": "dismiss"}).status_code == 409
    assert boss.get(f"{ADMIN}/reports?status=all").json["total"] == 1
    assert boss.get(f"{ADMIN}/reports?status=pending").json["total"] == 0


def test_settings_are_shown_and_say_where_they_are_changed(boss: Browser) -> None:
    shown = boss.get(f"{ADMIN}/settings").json
    kept = boss.put(f"{ADMIN}/settings", json=shown)
    assert (kept.status_code, kept.json["settings"]) == (200, shown["settings"])
    changed = boss.put(f"{ADMIN}/settings", json={"settings": {**shown["settings"], "listing_days": 1}})
    assert (changed.status_code, changed.wrong) == (422, {"listing_days"})


def test_subscriptions_are_listed(boss: Browser) -> None:
    assert has(boss.get(f"{ADMIN}/subscriptions").json, ADMIN_LIST | {"subscriptions"})


@pytest.mark.parametrize(
    "path",
    [
        "stats",
        "analytics",
        "users",
        "jobs",
        "offerings",
        "disputes",
        "settings",
        "subscriptions",
        "reports",
        "queues/jobs",
    ],
)
def test_nobody_else_sees_the_back_office(anna: Browser, anybody: Browser, path: str) -> None:
    assert anna.get(f"{ADMIN}/{path}").status_code == 403
    assert anybody.get(f"{ADMIN}/{path}").status_code == 401
