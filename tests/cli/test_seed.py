"""The demo town: whole, consistent, in the past, and built once."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, insert, select, text

from marketplace.auth.models import User
from marketplace.catalog.queries import tree
from marketplace.cli.seed import NO_STORAGE, seed
from marketplace.core.database.db import Base, UTCDateTime, execute, fetch, in_transaction
from marketplace.core.database.encryption import derived_key
from marketplace.core.http.rate_limits import limiter
from marketplace.core.queues import outbox
from marketplace.demo_data.dataset import dataset
from marketplace.demo_data.service import SeedReport, sign_ins
from marketplace.demo_data.service import seed as seed_town
from marketplace.kit.clock import now
from marketplace.offerings.models import PRICE_TYPES
from marketplace.tasks import service as tasks
from marketplace.tasks.lifecycle import ApplicationStatus as ApplicationState
from marketplace.tasks.lifecycle import TaskStatus as TaskState
from tests.conftest import make_app
from tests.factories.people import sign_up

GROUND = ("categories", "outbox", "sign_ins")
BORN_BEFORE = (
    ("applications", "tasks", "task_id"),
    ("reviews", "deals", "deal_id"),
    *(
        (f"(SELECT * FROM conversations WHERE subject_kind = '{kind}')", f"{kind}s", "subject_id")
        for kind in ("task", "listing", "offering")
    ),
    ("messages", "conversations", "conversation_id"),
    ("listings", "users", "seller_id"),
    ("tasks", "users", "creator_id"),
    ("applications", "users", "applicant_id"),
)
REVIEWED_TOO_EARLY = "SELECT r.id FROM reviews r JOIN deals t ON t.id = r.deal_id WHERE r.created_at <= t.completed_at"


_built: dict[str, tuple[SeedReport, dict[str, list[Any]]]] = {}


@pytest.fixture
def town(context: Flask, database: str) -> SeedReport:
    """The town, built once and from then on put back as it was."""
    if database not in _built:
        _built[database] = seed_town(with_pictures=False), everything()
        return _built[database][0]
    report, there = _built[database]
    in_transaction(lambda: [execute(insert(Base.metadata.tables[name]), rows) for name, rows in there.items()])
    return report


def everything() -> dict[str, list[Any]]:
    """Every row but the shipped ones, those first that others point at; what the database counts itself is left out."""
    written = {table.name: [c for c in table.c if c.computed is None] for table in Base.metadata.sorted_tables}
    found = {name: fetch(select(*columns)) for name, columns in written.items() if name != "categories"}
    return {name: [dict(row._mapping) for row in rows] for name, rows in found.items() if rows}


def run(app: Flask, *arguments: str) -> Result:
    """Without pictures, which take longer than the rest together."""
    return app.test_cli_runner().invoke(seed, ["--without-pictures", *arguments])


def rows() -> dict[str, list[Any]]:
    """Every table the town stands in."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in GROUND]
    return {table.name: fetch(select(table).order_by(table.c.id)) for table in tables}


def test_the_second_run_says_so_in_one_line_and_changes_nothing(app: Flask) -> None:
    first = run(app)
    with app.app_context():
        before = rows()

    second = run(app)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert dataset().password in first.output
    assert second.output == "The demo town is here already; nothing was changed.\n"
    with app.app_context():
        assert rows() == before


def test_the_report_counts_what_is_in_the_tables(town: SeedReport) -> None:
    there = {name: len(found) for name, found in rows().items()}

    assert town.is_new
    assert town.counts["people"] == there["users"]
    assert town.counts["tasks"] + town.counts["bookings"] == there["tasks"]
    names = ("listings", "offerings", "applications", "reviews", "conversations", "messages", "favorites")
    assert {name: town.counts[name] for name in names} == {name: there[name] for name in names}


def test_a_town_that_was_interrupted_is_finished(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "confirm", _fall_over)
        with pytest.raises(RuntimeError):
            seed_town(with_pictures=False)

    report = seed_town(with_pictures=False)

    assert report.is_new
    assert len(rows()["users"]) == report.counts["people"]
    assert len(rows()["listings"]) == report.counts["listings"]


def _fall_over(*_: Any) -> None:
    raise RuntimeError("the power went out")


def test_every_state_price_type_and_rating_but_the_worst_occurs(town: SeedReport) -> None:
    found = rows()

    def states(name: str) -> set[str]:
        return {row.status for row in found[name]}

    without_a_verb = {"expired", "deleted"}
    assert states("tasks") == set(TaskState) - without_a_verb
    assert states("applications") == set(ApplicationState)
    assert states("listings") == {"active", "pending", "sold", "archived"}
    assert states("offerings") == {"active", "paused", "closed"}
    assert {row.price_type for row in found["offerings"]} == set(PRICE_TYPES)
    assert {row.rating for row in found["reviews"]} == {2, 3, 4, 5}


def test_every_category_is_known(context: Flask) -> None:
    data = dataset()
    used = {thing.category for thing in (*data.listings, *data.offerings, *data.tasks)}
    used |= {key for person in data.people for key in person.helper_categories}

    assert {key for key in used if tree().resolve(key) is None} == set()


def test_ratings_equal_their_sums_and_nothing_is_left_untold(town: SeedReport) -> None:
    summed = text("""SELECT u.id, u.rating_sum, u.reviews_count, u.average_rating, SUM(r.rating), COUNT(r.id)
        FROM users u JOIN reviews r ON r.reviewed_user_id = u.id
        GROUP BY u.id, u.rating_sum, u.reviews_count, u.average_rating""")

    for _, rating_sum, reviews_count, average, total, count in fetch(summed):
        assert (rating_sum, reviews_count) == (total, count)
        assert average == pytest.approx(total / count)
    assert outbox.OUTBOX.count("waiting") == 0


def test_time_runs_forward(town: SeedReport) -> None:
    found = rows()

    assert list(_in_the_future(found)) == []
    assert [step for step in BORN_BEFORE if _older_than_its_subject(*step)] == []
    assert fetch(text(REVIEWED_TOO_EARLY)) == []
    assert _out_of_order(found["state_changes"], ("thing", "thing_id"), "id", "at") == []
    assert _out_of_order(found["messages"], ("conversation_id",), "seq", "created_at") == []


def _in_the_future(found: dict[str, list[Any]]) -> Iterator[tuple[str, str, int]]:
    moment = now()
    for name, things in found.items():
        times = {c.name for c in Base.metadata.tables[name].c if isinstance(c.type, UTCDateTime)}
        for column in times - {"deadline", "expires_at"}:
            yield from ((name, column, row.id) for row in things if (getattr(row, column) or moment) > moment)


def _older_than_its_subject(younger: str, older: str, key: str) -> list[Any]:
    upset = f"SELECT y.id FROM {younger} y JOIN {older} o ON o.id = y.{key} WHERE y.created_at < o.created_at"
    return fetch(text(upset))


def _out_of_order(things: list[Any], group: tuple[str, ...], number: str, at: str) -> list[Any]:
    times: dict[tuple[Any, ...], list[Any]] = {}
    for row in sorted(things, key=lambda row: getattr(row, number)):
        times.setdefault(tuple(getattr(row, part) for part in group), []).append(getattr(row, at))
    return [key for key, moments in times.items() if moments != sorted(moments)]


def test_nobody_can_sign_in_before_it_is_built(context: Flask) -> None:
    assert sign_ins() == []


def test_all_sign_ins_work(app: Flask, town: SeedReport) -> None:
    people = sign_ins()

    roles = []
    for _, email, password in people:
        answer = app.test_client().post("/api/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.json
        roles.append(answer.json["user"]["user_type"])
    assert roles == ["admin", "moderator", "user", "user", "user", "user"]


def test_it_is_refused_in_production_unless_meant(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "ENVIRONMENT", "production")

    refused = run(app)

    assert refused.exit_code == 1
    assert "--yes-in-production" in refused.output
    with app.app_context():
        assert fetch(select(func.count()).select_from(User))[0][0] == 0
    assert run(app, "--yes-in-production").exit_code == 0


def test_an_address_somebody_else_has_is_one_plain_sentence(app: Flask) -> None:
    sign_up(app, "somebody", email="admin@example.com")

    answer = run(app)

    assert answer.exit_code == 1
    assert answer.output.startswith("Error: The town could not be built. There is an account with this e-mail")


def test_it_reads_like_a_town(app: Flask, town: SeedReport) -> None:
    client = app.test_client()

    near = client.get("/api/listings?latitude=56.95&longitude=24.1&radius=10&per_page=100").json
    board = client.get("/api/tasks").json
    helpers = client.get("/api/helpers").json

    assert near["total"] >= 40
    assert board["total"] >= 10
    assert len(helpers["helpers"]) >= 15
    assert all(listing["location"] and listing["description"] for listing in near["listings"])


def test_names_are_unique_before_they_meet_the_database() -> None:
    data = dataset()
    everybody = (*data.people, data.administrator)

    for keys in ([p.key for p in everybody], [p.username for p in everybody], [one.key for one in data.listings]):
        assert len(set(keys)) == len(keys)


NOWHERE = "127.0.0.1:1"
STRICT = {
    **{"MARKETPLACE_ENV": "production", "SECRET_KEY": secrets.token_hex(32), "ALLOW_SQLITE": "1"},
    **{"CORS_ORIGINS": "https://shop.example.com", "TASK_PAYMENT": "escrow", "CHAT_NEEDS_PLAN": "1"},
    **{"PAYMENT_PROVIDERS": "stripe", "STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_x"},
    **{"STRIPE_PUBLISHABLE_KEY": "pk_test_x", "PASSWORD_METHOD": "scrypt"},
    **{"RATE_LIMITS": "1", "LIMIT_SIGN_UP": "1 per day", "LIMIT_ACCOUNT": "1 per day"},
    **{"LIMIT_MESSAGES": "1 per day", "LIMIT_MESSAGES_EACH": "1 per day", "UPLOAD_QUOTA_BYTES": "1"},
    **{"S3_BUCKET": "x", "S3_REGION": "us-east-1", "S3_ENDPOINT_URL": f"http://{NOWHERE}"},
    **{"REDIS_URL": f"redis://{NOWHERE}/0", "JOBS": "celery", "REVIEW_WINDOW_DAYS": "0"},
}


def test_the_town_is_built_where_everything_is_asked_for_counted_and_out_of_reach(app: Flask) -> None:
    key = derived_key(app.config["SECRET_KEY"])
    strict = make_app(app.config["DATABASE_URL"], ENCRYPTION_KEYS=key, **STRICT)
    try:
        built = strict.test_cli_runner().invoke(seed, ["--yes-in-production"])
        assert (built.exit_code, limiter.enabled) == (0, True), built.output
        assert NO_STORAGE in built.stderr
        assert "52 favorites, 0 pictures." in " ".join(built.stdout.split())
    finally:
        limiter.enabled = limiter._storage_dead = False
    assert (strict.config["TASK_PAYMENT"], strict.config["CHAT_NEEDS_PLAN"]) == ("escrow", True)
