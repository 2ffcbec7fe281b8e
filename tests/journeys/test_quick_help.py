"""Two people live the whole of quick help over HTTP."""

from tests.factories import things
from tests.factories.people import Person


def test_from_posting_to_both_reviews(anna: Person, juris: Person, stranger: Person) -> None:
    task_id = things.task(anna)["id"]
    first = things.application(juris, task_id)
    second = things.application(stranger, task_id)

    accepted = anna.post(f"/api/tasks/{task_id}/accept-application", json={"application_id": first["id"]})
    assert accepted.json["task"]["status"] == "assigned"
    assert accepted.json["task"]["assigned_to_id"] == juris.id
    assert stranger.get("/api/tasks/my-applications").json["applications"][0]["status"] == "rejected"
    assert second["id"] != first["id"]

    steps = [(juris, "start", "in_progress"), (juris, "done", "pending_confirmation"), (anna, "confirm", "completed")]
    for person, verb, status in steps:
        assert person.post(f"/api/tasks/{task_id}/{verb}").json["task"]["status"] == status

    things.review(anna, task_id, rating=5)
    things.review(juris, task_id, rating=4)
    assert juris.get("/api/auth/profile").json["average_rating"] == 5.0
    assert anna.get("/api/auth/profile").json["average_rating"] == 4.0
    assert juris.get("/api/auth/profile").json["completed_tasks"] == 1


def test_each_side_sees_what_it_can_do_next(anna: Person, juris: Person, stranger: Person) -> None:
    task_id = things.assigned_task(anna, juris)["id"]

    def actions(person: Person) -> list[str]:
        return list(person.get(f"/api/tasks/{task_id}").json["available_actions"])

    assert actions(anna) == ["cancel"]
    assert actions(juris) == ["start", "decline", "finish", "hand_over"]
    assert actions(stranger) == []
