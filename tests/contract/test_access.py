"""Tokens that do not count, things of other people, verbs at the wrong time."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from marketplace.core.database.db import db, in_transaction
from marketplace.tasks.models import Task
from tests.contract.client import Browser
from tests.contract.conftest import Snapshot
from tests.contract.hostile import WRITES, filled, scene
from tests.factories import things

READS_OF_ONES_OWN = (
    "/api/auth/profile",
    "/api/auth/profile/full",
    "/api/listings/my",
    "/api/tasks/my",
    "/api/tasks/created",
    "/api/tasks/notifications",
    "/api/tasks/my-applications",
    "/api/offerings/my",
    "/api/favorites",
    "/api/favorites/check",
    "/api/favorites/count",
    "/api/messages/conversations",
    "/api/messages/unread-count",
)
OPEN_TO_NEWCOMERS = {"/api/auth/register", "/api/auth/login"}


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _forgeries(anna: Browser, juris: Browser) -> dict[str, str]:
    """Tokens somebody could try, by what is wrong with each."""
    secret = anna.app.config["JWT_SECRET_KEY"]
    claims = jwt.decode(anna.token, secret, algorithms=["HS256"])
    past = int((datetime.now(UTC) - timedelta(seconds=5)).timestamp())
    head, body, signature = anna.token.split(".")

    def signed(key: str = secret, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(kept, key, algorithm="HS256", headers=header)

    return {
        "empty": "",
        "nonsense": "nonsense",
        "three dots": "a.b.c",
        "huge": "x" * 20_000,
        "no signature": f"{head}.{body}.",
        "another body": f"{head}.{_part({**claims, 'sub': str(juris.id)})}.{signature}",
        "alg none": f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}.",
        "alg None": f"{_part({'alg': 'None', 'typ': 'JWT'})}.{_part(claims)}.{signature}",
        "alg RS256": f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}.{signature}",
        "other secret": signed("another secret of at least thirty-two bytes"),
        "empty secret": signed(" " * 40),
        "kid": signed("another secret of at least thirty-two bytes", header={"kid": "../../dev/null"}),
        "jku": signed("another secret of at least thirty-two bytes", header={"jku": "http://127.0.0.1:1/keys"}),
        "expired": signed(exp=past),
        "not yet": signed(nbf=past + 3600),
        "refresh": anna.refresh_token,
        "another kind": signed(type="admin"),
        "no person": signed(sub=None),
        "injected person": signed(sub="1 OR 1=1"),
        "huge person": signed(sub="9" * 40),
        "no sign-in": signed(sid=None),
        "another sign-in": signed(sid="nobody"),
        "a sign-in of another": signed(sub=str(juris.id)),
    }


def test_a_token_that_does_not_count_is_a_401_and_nothing_happens(
    anna: Browser, juris: Browser, stored: Snapshot
) -> None:
    ids = scene(anna, juris)
    forgeries, before, let_in = _forgeries(anna, juris), stored(), {}
    for name, token in forgeries.items():
        headers = {"Authorization": f"Bearer {token}"}
        for method, path in (
            ("GET", "/api/auth/profile"),
            ("PUT", "/api/auth/profile"),
            ("DELETE", f"/api/listings/{ids['listing']}"),
            ("POST", "/api/auth/refresh"),
        ):
            if (name, path) == ("refresh", "/api/auth/refresh"):
                continue
            answer = anna.call(method, path, data=b"{}", headers=headers)
            if answer.status_code != 401 or "www-authenticate" not in {h.lower() for h in answer.headers}:
                let_in[f"{name}: {method} {path}"] = f"{answer.status_code} {answer.text[:120]}"
    assert let_in == {}
    assert stored() == before


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YW5uYTpwYXNz", "Bearer a b c", "bearer\t", "Token x"])
def test_a_header_of_another_form_is_a_401(anna: Browser, header: str) -> None:
    assert anna.get("/api/auth/profile", headers={"Authorization": header}).status_code == 401


def test_without_a_token_nothing_private_is_read_and_nothing_written(
    anna: Browser, juris: Browser, anybody: Browser, stored: Snapshot
) -> None:
    ids = scene(anna, juris)
    before = stored()
    for path in READS_OF_ONES_OWN:
        assert anybody.get(path).status_code == 401, path
    for method, path, good, *_ in WRITES:
        if path not in OPEN_TO_NEWCOMERS:
            answer = anybody.call(method, path.format(**ids), json=filled(good, ids))
            assert answer.status_code == 401, path
    assert stored() == before


def test_what_belongs_to_others_is_neither_changed_nor_shown(
    anna: Browser, juris: Browser, stranger: Browser, stored: Snapshot
) -> None:
    ids = scene(anna, juris)
    offered = anna.get(f"/api/tasks/{ids['task']}/applications").json["applications"][0]["id"]
    message = anna.get(f"/api/messages/conversations/{ids['talk']}/messages").json["messages"][0]["id"]
    favorite = anna.post("/api/favorites", json={"item_type": "task", "item_id": ids["foreign"]}).json["favorite"]["id"]
    task, talk = f"/api/tasks/{ids['task']}", f"/api/messages/conversations/{ids['talk']}"
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", f"/api/listings/{ids['listing']}", {"title": "Mine now", "status": "sold"}),
        ("DELETE", f"/api/listings/{ids['listing']}", {}),
        ("PUT", task, {"title": "Mine now"}),
        ("DELETE", task, {}),
        ("GET", f"{task}/applications", {}),
        ("GET", f"{task}/applications/{offered}", {}),
        ("POST", f"{task}/accept-application", {"application_id": offered}),
        ("POST", f"{task}/applications/{offered}/accept", {}),
        ("POST", f"{task}/applications/{offered}/reject", {}),
        ("DELETE", f"{task}/applications/{offered}", {}),
        *(("POST", f"/api/tasks/{ids['running']}/{verb}", {}) for verb in ("done", "mark-done", "dispute", "cancel")),
        *(("POST", f"/api/tasks/{ids['mine']}/{verb}", {}) for verb in ("start", "decline", "done", "confirm")),
        ("PUT", f"/api/offerings/{ids['offering']}", {"title": "Mine now", "status": "closed"}),
        ("DELETE", f"/api/offerings/{ids['offering']}", {}),
        ("POST", f"/api/offerings/{ids['offering']}/pause", {}),
        ("POST", f"/api/offerings/{ids['offering']}/activate", {}),
        ("POST", f"/api/offerings/{ids['offering']}/close", {}),
        *(("POST", f"/api/listings/{ids['listing']}/{verb}", {}) for verb in ("hold", "sell", "archive", "activate")),
        ("PUT", f"/api/reviews/{ids['review']}", {"rating": 1}),
        ("DELETE", f"/api/reviews/{ids['review']}", {}),
        ("POST", f"/api/reviews/task/{ids['completed']}", {"rating": 1}),
        ("POST", "/api/reviews", {"reviewed_user_id": juris.id, "task_id": ids["completed"], "rating": 1}),
        ("GET", talk, {}),
        ("GET", f"{talk}/messages", {}),
        ("POST", f"{talk}/messages", {"content": "Hello."}),
        ("PUT", f"{talk}/read-all", {}),
        ("PUT", f"/api/messages/messages/{message}/read", {}),
        ("DELETE", f"/api/favorites/{favorite}", {}),
        ("DELETE", f"/api/favorites/item/task/{ids['foreign']}", {}),
        ("POST", "/api/categories", {"key": "mine", "name": "Mine"}),
        ("PUT", "/api/categories/1", {"name": "Mine"}),
        ("DELETE", "/api/categories/1", {}),
    ]
    before = stored()
    for method, path, body in attempts:
        assert stranger.call(method, path, json=body).status_code in {403, 404}, (method, path)
    # the wrong one of the two sides
    assert juris.post(f"{task}/applications/{offered}/accept").status_code in {403, 404}
    assert anna.delete(f"{task}/applications/{offered}").status_code in {403, 404}
    assert anna.put(f"/api/messages/messages/{message}/read").status_code in {403, 404}
    assert stored() == before


# From contract.md: who may do what from which state. Declining and finishing need no start first.
RUNNING = ("in_progress", "pending_confirmation")
ALLOWED: dict[str, dict[str, tuple[str, ...]]] = {
    "start": {"juris": ("assigned",)},
    "decline": {"juris": ("assigned",)},
    "done": {"juris": ("assigned", "in_progress")},
    "mark-done": {"juris": ("assigned", "in_progress")},
    "confirm": {"anna": ("pending_confirmation",)},
    "dispute": {"anna": RUNNING, "juris": RUNNING},
    "cancel": {"anna": ("open", "assigned")},
    "apply": {"juris": ("open",), "stranger": ("open",)},
    "PUT": {"anna": ("open",)},
    "DELETE": {"anna": ("open",)},
}


def _in_every_state(anna: Browser, juris: Browser) -> dict[str, int]:
    """A task of Anna's in each state, with Juris as its worker where it has one."""
    made = {"open": things.task(anna)["id"], "completed": things.completed_task(anna, juris)["id"]}
    for state, steps in (
        ("assigned", ()),
        ("in_progress", ((juris, "start"),)),
        ("pending_confirmation", ((juris, "done"),)),
        ("disputed", ((juris, "start"), (anna, "dispute"))),
        ("cancelled", ((anna, "cancel"),)),
    ):
        made[state] = things.assigned_task(anna, juris)["id"]
        for person, verb in steps:
            assert person.post(f"/api/tasks/{made[state]}/{verb}").status_code == 200
    made["expired"] = things.task(anna)["id"]
    with anna.app.app_context():
        in_transaction(lambda: db.session.get_one(Task, made["expired"]).advance("expire", actor={"system"}))
    return made


def test_a_verb_at_the_wrong_time_is_a_409_and_from_the_wrong_person_a_403(
    anna: Browser, juris: Browser, stranger: Browser, stored: Snapshot
) -> None:
    tasks = _in_every_state(anna, juris)
    before, other = stored(), {}
    people = {"anna": anna, "juris": juris, "stranger": stranger}
    for state, task_id in tasks.items():
        for verb, by in ALLOWED.items():
            for name, person in people.items():
                if state in by.get(name, ()):
                    continue
                method, path = (verb, "") if verb.isupper() else ("POST", f"/{verb}")
                answer = person.call(method, f"/api/tasks/{task_id}{path}", json={})
                right_person = name in by and not (name == "juris" and state in {"open", "expired"} and verb != "apply")
                expected = {409} if right_person else {403, 404}
                if answer.status_code not in expected:
                    other[f"{name} {verb} {state}"] = f"{answer.status_code} {answer.json['error']}"
    assert other == {}
    assert stored() == before


def test_an_application_is_decided_once(anna: Browser, juris: Browser, stranger: Browser, stored: Snapshot) -> None:
    assigned, open_task = things.task(anna)["id"], things.task(anna)["id"]
    accepted, passed_over = things.application(juris, assigned)["id"], things.application(stranger, assigned)["id"]
    rejected, withdrawn = things.application(juris, open_task)["id"], things.application(stranger, open_task)["id"]
    anna.post(f"/api/tasks/{assigned}/applications/{accepted}/accept")
    anna.post(f"/api/tasks/{open_task}/applications/{rejected}/reject")
    stranger.delete(f"/api/tasks/{open_task}/applications/{withdrawn}")

    before = stored()
    for task_id, application_id, applicant in (
        (assigned, accepted, juris),
        (assigned, passed_over, stranger),
        (open_task, rejected, juris),
        (open_task, withdrawn, stranger),
    ):
        path = f"/api/tasks/{task_id}/applications/{application_id}"
        answers = [anna.post(f"{path}/accept"), anna.post(f"{path}/reject"), applicant.delete(path)]
        answers.append(anna.post(f"/api/tasks/{task_id}/accept-application", json={"application_id": application_id}))
        assert [answer.status_code for answer in answers] == [409] * 4, path
    crossed = f"/api/tasks/{open_task}/applications/{accepted}"
    assert anna.post(f"{crossed}/accept").status_code == 404
    assert stored() == before


def test_offerings_and_listings_move_along_their_states_only(anna: Browser, juris: Browser, stored: Snapshot) -> None:
    active, paused, closed = (things.offering(juris)["id"] for _ in range(3))
    juris.post(f"/api/offerings/{paused}/pause")
    juris.put(f"/api/offerings/{closed}", json={"status": "closed"})
    archived = things.listing(juris)["id"]
    juris.put(f"/api/listings/{archived}", json={"status": "archived"})

    before = stored()
    assert juris.post(f"/api/offerings/{active}/activate").status_code == 409
    for hidden in (paused, closed):
        assert juris.post(f"/api/offerings/{hidden}/pause").status_code == 409
        assert anna.post(f"/api/offerings/{hidden}/book").status_code in {404, 409}
        assert anna.post(f"/api/offerings/{hidden}/contact", json={"message": "Hi."}).status_code in {404, 409}
    assert juris.put(f"/api/offerings/{closed}", json={"status": "paused", "title": "Half written"}).status_code == 409
    assert juris.put(f"/api/listings/{archived}", json={"status": "sold", "title": "Half written"}).status_code == 409
    assert stored() == before


def test_only_admins_manage_categories(anybody: Browser, anna: Browser, promote: Callable[[Browser], Browser]) -> None:
    admin = promote(anybody.signed_in("boss"))
    body = {"key": "kites", "name": "Kites", "kinds": "listing", "parent_key": "sports"}
    assert anna.post("/api/categories", json=body).status_code == 403
    made = admin.post("/api/categories", json=body)
    assert (made.status_code, made.json["category"]["key"]) == (201, "kites")
    assert admin.post("/api/categories", json=body).status_code == 409
    path = f"/api/categories/{made.json['id']}"
    assert admin.put(path, json={"name": "Kites and wind"}).json["category"]["name"] == "Kites and wind"
    used = things.listing(anna, category="kites")
    assert admin.delete(path).status_code == 409
    assert used["category"] == "kites"
    assert admin.put(path, json={"parent_key": "kites"}).status_code == 422
    assert admin.put(path, json={"parent_key": "nowhere"}).status_code == 422
