"""Tasks, applications and helpers, route by route."""

from urllib.parse import urljoin

import pytest

from tests.contract.client import Browser, has
from tests.contract.tables import APPLICATION, HELPER, LIST, TASK, TASK_NOTIFICATIONS, TASK_WITH_TOKEN
from tests.factories import things

EVERYTHING = {
    "title": "Carry a sofa",
    "description": "Third floor.",
    "category": "moving",
    "location": "Rīga",
    "latitude": 56.9496,
    "longitude": 24.1052,
    "budget": 40.5,
    "currency": "EUR",
    "priority": "high",
    "is_urgent": True,
    "difficulty": "hard",
}


def test_a_posted_task_carries_every_field_and_can_be_fetched(anna: Browser, anybody: Browser) -> None:
    more = {"deadline": "2031-01-31T23:59", "required_skills": "van, strong back", "images": ["https://a.lv/1.jpg"]}
    made = anna.post("/api/tasks", json={**EVERYTHING, **more})

    assert made.status_code == 201
    task = made.json["task"]
    assert has(made.json, {"message", "id", "task"})
    assert has(task, TASK | TASK_WITH_TOKEN)
    assert {name: task[name] for name in EVERYTHING} == EVERYTHING
    assert (task["reward"], task["price_minor"], task["status"]) == (40.5, 4050, "open")
    assert (task["creator_id"], task["creator_name"], task["assigned_to_id"]) == (anna.id, "anna", None)
    assert task["deadline"] == "2031-01-31T23:59:00Z"
    assert (task["images"], task["image_urls"]) == ("https://a.lv/1.jpg", ["https://a.lv/1.jpg"])
    assert task["required_skills"] in (["van", "strong back"], "van,strong back")
    assert anybody.get(urljoin("/", made.headers["Location"])).json["id"] == made.json["id"]


@pytest.mark.parametrize("word", ["easy", "medium", "hard"])
def test_an_older_clients_priority_is_the_difficulty(anna: Browser, word: str) -> None:
    task = things.task(anna, priority=word)
    assert (task["difficulty"], task["priority"]) == (word, "normal")
    assert anna.put(f"/api/tasks/{task['id']}", json={"priority": "easy"}).json["task"]["difficulty"] == "easy"


def test_the_creator_edits_and_deletes_while_open(anna: Browser) -> None:
    path = f"/api/tasks/{things.task(anna)['id']}"
    edited = anna.put(path, json={"title": "Carry a piano", "budget": 60, "status": "completed"})
    assert (edited.status_code, set(edited.json)) == (200, {"message", "task"})
    assert has(edited.json["task"], TASK)
    changed = edited.json["task"]
    assert (changed["title"], changed["reward"], changed["status"]) == ("Carry a piano", 60, "open")

    deleted = anna.delete(path)
    assert (deleted.status_code, set(deleted.json)) == (200, {"message"})
    assert [anna.get(path).status_code, anna.delete(path).status_code] == [404, 404]


def test_every_filter_of_the_board_narrows_it(anna: Browser, anybody: Browser) -> None:
    wanted = things.task(anna, **EVERYTHING)["id"]
    far = {"latitude": 56.5, "longitude": 21.0, "location": "Liepāja"}
    other = things.task(anna, title="Mow", description="Lawn.", category="gardening", budget=5, **far)["id"]
    gone = things.task(anna, title="Gone", description="Lawn.", category="gardening", budget=5, **far)["id"]
    anna.post(f"/api/tasks/{gone}/cancel")

    def found(path: str) -> list[int]:
        return [item["id"] for item in anybody.get(path).json["tasks"]]

    narrowing = (
        "/api/tasks?category=moving",
        "/api/tasks?q=sofa",
        "/api/tasks/search?q=sofa",
        "/api/tasks?min_budget=40",
        "/api/tasks?min_budget=40.5&max_budget=40.5",
        "/api/tasks?urgent=true",
        "/api/tasks?latitude=56.95&longitude=24.1",
        "/api/tasks?lat=56.95&lng=24.1&radius=10",
        "/api/tasks?sort=-budget&per_page=1",
        "/api/tasks?urgent=true&made_up=1",
    )
    assert {path: found(path) for path in narrowing} == {key: [wanted] for key in narrowing}
    assert found("/api/tasks?latitude=56.5&longitude=21.0&radius=1000") == [other, wanted]
    assert found("/api/tasks?status=cancelled") == [gone]
    assert set(found(f"/api/tasks/user/{anna.id}")) >= {wanted, other}
    nearest = anybody.get("/api/tasks?latitude=56.95&longitude=24.1").json["tasks"][0]
    assert has(nearest, TASK | {"distance"})
    assert nearest["distance"] == round(nearest["distance"], 2)


def test_an_application_carries_every_field_on_every_road(anna: Browser, juris: Browser, stranger: Browser) -> None:
    task_id = things.task(anna)["id"]
    sent = juris.post(f"/api/tasks/{task_id}/apply", json={"message": "I can.", "proposed_price": 35.5})

    assert sent.status_code == 201
    assert has(sent.json, {"message", "id", "application"})
    application = sent.json["application"]
    assert has(application, APPLICATION)
    expected = ("I can.", 35.5, 3550, "pending")
    assert tuple(application[n] for n in ("message", "proposed_price", "price_minor", "status")) == expected
    assert juris.get(urljoin("/", sent.headers["Location"])).json["id"] == sent.json["id"]
    assert juris.post(f"/api/tasks/{task_id}/apply").status_code == 409
    assert anna.post(f"/api/tasks/{task_id}/apply").status_code == 403

    seen = anna.get(f"/api/tasks/{task_id}/applications").json
    assert has(seen, LIST | {"applications"})
    assert has(seen["applications"][0], APPLICATION)
    assert juris.get(f"/api/tasks/{task_id}/applications").status_code in {403, 404}

    mine = juris.get("/api/tasks/my-applications").json
    assert has(mine, LIST | {"applications"})
    assert has(mine["applications"][0], APPLICATION)
    assert has(mine["applications"][0]["task"], TASK)

    posted = anna.get("/api/tasks/created").json
    assert has(posted, LIST | {"tasks"})
    assert posted["tasks"][0]["pending_applications_count"] == 1
    for person, applied in ((juris, True), (stranger, False)):
        view = person.get(f"/api/tasks/{task_id}").json
        assert has(view, TASK | TASK_WITH_TOKEN)
        assert (view["has_applied"], bool(view["user_application"])) == (applied, applied)


def test_accepting_rejecting_and_withdrawing_by_every_route(anna: Browser, juris: Browser, stranger: Browser) -> None:
    first, second, third = (things.task(anna)["id"] for _ in range(3))
    by_body, passed_over = things.application(juris, first)["id"], things.application(stranger, first)["id"]
    by_path, withdrawn = things.application(juris, second)["id"], things.application(stranger, second)["id"]
    rejected = things.application(stranger, third)["id"]

    accepted = anna.post(f"/api/tasks/{first}/accept-application", json={"application_id": by_body})
    taken_back = stranger.delete(f"/api/tasks/{second}/applications/{withdrawn}")
    also = anna.post(f"/api/tasks/{second}/applications/{by_path}/accept")
    refused = anna.post(f"/api/tasks/{third}/applications/{rejected}/reject")

    assert [a.status_code for a in (accepted, taken_back, also, refused)] == [200] * 4
    for answer in (accepted, also):
        assert has(answer.json["task"], TASK)
        assert (answer.json["task"]["status"], answer.json["task"]["assigned_to_id"]) == ("assigned", juris.id)
        assert answer.json["task"]["assigned_to_name"] == "juris"
    statuses = {a["id"]: a["status"] for a in stranger.get("/api/tasks/my-applications").json["applications"]}
    assert statuses == {passed_over: "rejected", withdrawn: "withdrawn", rejected: "rejected"}


@pytest.mark.parametrize("done", ["done", "mark-done"])
def test_a_task_lives_to_its_end(anna: Browser, juris: Browser, anybody: Browser, done: str) -> None:
    task_id = things.assigned_task(anna, juris)["id"]
    waiting = juris.get("/api/tasks/notifications").json
    assert has(waiting, TASK_NOTIFICATIONS)
    assert (waiting["accepted_applications"], waiting["total"]) == (1, 1)

    note = {"note": "By the window.", "images": "https://a.lv/1.jpg,https://a.lv/2.jpg"}
    steps = (
        (juris, "start", b"", "in_progress"),
        (juris, done, note, "pending_confirmation"),
        (anna, "confirm", {}, "completed"),
    )
    for person, verb, body, status in steps:
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        answer = person.call("POST", f"/api/tasks/{task_id}/{verb}", **sent)
        assert (answer.status_code, answer.json["task"]["status"]) == (200, status)
        assert has(answer.json, {"message", "task"})
        assert has(answer.json["task"], TASK)

    assert anybody.get(f"/api/tasks/{task_id}").json["completed_at"].endswith("Z")
    assert [task["id"] for task in juris.get("/api/tasks/my").json["tasks"]] == [task_id]
    assert anna.get("/api/tasks/notifications").json == dict.fromkeys(TASK_NOTIFICATIONS, 0)


def test_the_other_ends_of_a_task(anna: Browser, juris: Browser) -> None:
    declined, cancelled, disputed = (things.assigned_task(anna, juris)["id"] for _ in range(3))

    back = juris.post(f"/api/tasks/{declined}/decline", json={"reason": "Ill."}).json["task"]
    assert (back["status"], back["assigned_to_id"]) == ("open", None)
    assert anna.post(f"/api/tasks/{cancelled}/cancel", json={}).json["task"]["status"] == "cancelled"
    juris.post(f"/api/tasks/{disputed}/start")
    assert juris.post(f"/api/tasks/{disputed}/dispute", json={}).json["task"]["status"] == "disputed"


def test_helpers_are_those_who_offered_or_completed(anna: Browser, juris: Browser, anybody: Browser) -> None:
    place = {"latitude": 56.949612, "longitude": 24.105234}
    anna.put("/api/auth/profile", json={"is_helper": True, "skills": "van", "helper_categories": ["moving"], **place})
    things.completed_task(anna, juris)

    page = anybody.get("/api/helpers?latitude=56.95&longitude=24.1").json
    assert has(page, LIST | {"helpers"})
    assert [helper["id"] for helper in page["helpers"]] == [anna.id]
    assert has(page["helpers"][0], HELPER)
    assert (page["helpers"][0]["latitude"], page["helpers"][0]["longitude"]) == (56.95, 24.11)
    assert (page["helpers"][0]["skills"], page["helpers"][0]["categories"]) == (["van"], ["moving"])
    assert {helper["id"] for helper in anybody.get("/api/helpers").json["helpers"]} == {anna.id, juris.id}
    assert [h["id"] for h in anybody.get("/api/helpers?category=moving").json["helpers"]] == [anna.id]
