"""What the sides of a task can and cannot do, over HTTP."""

from datetime import datetime

import pytest

from marketplace.tasks.lifecycle import CONFIRM_AFTER
from tests.factories import things
from tests.factories.people import Person


def test_one_applies_once_and_never_for_ones_own(anna: Person, juris: Person) -> None:
    task_id = things.task(anna)["id"]
    things.application(juris, task_id, proposed_price=35)

    again = juris.post(f"/api/tasks/{task_id}/apply")
    own = anna.post(f"/api/tasks/{task_id}/apply")

    assert (again.status_code, again.json["code"]) == (409, "applied_already")
    assert own.status_code == 403
    assert anna.get(f"/api/tasks/{task_id}").json["responses_count"] == 1


def test_a_withdrawn_application_can_be_sent_again(anna: Person, juris: Person) -> None:
    task_id = things.task(anna)["id"]
    first = things.application(juris, task_id)

    withdrawn = juris.delete(f"/api/tasks/{task_id}/applications/{first['id']}")
    assert withdrawn.json["application"]["status"] == "withdrawn"
    assert anna.get(f"/api/tasks/{task_id}").json["responses_count"] == 0

    again = things.application(juris, task_id, message="I can after all.")
    assert (again["id"], again["status"], again["message"]) == (first["id"], "pending", "I can after all.")


def test_a_rejected_applicant_cannot_insist(anna: Person, juris: Person) -> None:
    task_id = things.task(anna)["id"]
    offered = things.application(juris, task_id)
    rejected = anna.post(f"/api/tasks/{task_id}/applications/{offered['id']}/reject")
    assert rejected.json["application"]["status"] == "rejected"
    assert juris.post(f"/api/tasks/{task_id}/apply").status_code == 409


def test_declining_opens_the_task_again_for_those_passed_over(anna: Person, juris: Person, stranger: Person) -> None:
    task_id = things.task(anna)["id"]
    chosen, waiting = things.application(juris, task_id), things.application(stranger, task_id)
    anna.post(f"/api/tasks/{task_id}/applications/{chosen['id']}/accept")

    task = juris.post(f"/api/tasks/{task_id}/decline", json={"reason": "I fell ill."}).json["task"]

    assert (task["status"], task["assigned_to_id"]) == ("open", None)
    statuses = {a["id"]: a["status"] for a in anna.get(f"/api/tasks/{task_id}/applications").json["applications"]}
    assert statuses == {chosen["id"]: "withdrawn", waiting["id"]: "pending"}
    taken = anna.post(f"/api/tasks/{task_id}/applications/{waiting['id']}/accept")
    assert taken.json["task"]["assigned_to_id"] == stranger.id


def test_declining_a_booking_ends_it_instead_of_publishing_it(anna: Person, juris: Person, anybody: Person) -> None:
    offering_id = things.offering(juris, price_type="fixed")["id"]
    booked = anna.post(f"/api/offerings/{offering_id}/book", json={"message": "My address is private."}).json["task"]
    assert (booked["status"], booked["assigned_to_id"], booked["budget"]) == ("assigned", juris.id, 25.0)

    assert juris.post(f"/api/tasks/{booked['id']}/decline").json["task"]["status"] == "cancelled"
    assert anybody.get(f"/api/tasks/{booked['id']}").status_code == 404
    assert anybody.get("/api/tasks?status=cancelled").json["tasks"] == []


def test_an_open_task_is_edited_and_an_assigned_one_is_not(anna: Person, juris: Person) -> None:
    task_id = things.task(anna)["id"]
    edited = anna.put(f"/api/tasks/{task_id}", json={"title": "Carry a piano", "budget": 60}).json["task"]
    assert (edited["title"], edited["budget"], edited["budget_minor"]) == ("Carry a piano", 60.0, 6000)

    offered = things.application(juris, task_id)
    anna.post(f"/api/tasks/{task_id}/accept-application", json={"application_id": offered["id"]})
    assert anna.put(f"/api/tasks/{task_id}", json={"title": "x"}).status_code == 409
    assert anna.delete(f"/api/tasks/{task_id}").status_code == 409


def test_cancelling_tells_those_who_wait(anna: Person, juris: Person) -> None:
    task_id = things.task(anna)["id"]
    things.application(juris, task_id)
    assert anna.post(f"/api/tasks/{task_id}/cancel").json["task"]["status"] == "cancelled"
    assert juris.get("/api/tasks/my-applications").json["applications"][0]["status"] == "rejected"
    assert juris.post(f"/api/tasks/{task_id}/apply").status_code == 409


@pytest.mark.parametrize("side", ["anna", "juris"])
def test_either_side_can_dispute_work_in_progress(anna: Person, juris: Person, side: str) -> None:
    task_id = things.assigned_task(anna, juris)["id"]
    juris.post(f"/api/tasks/{task_id}/start")
    person = anna if side == "anna" else juris
    assert person.post(f"/api/tasks/{task_id}/dispute").json["task"]["status"] == "disputed"
    assert anna.post(f"/api/tasks/{task_id}/confirm").status_code == 409


def test_what_waits_for_each_side_is_counted(anna: Person, juris: Person) -> None:
    things.application(juris, things.task(anna)["id"])
    things.assigned_task(anna, juris)
    done = things.assigned_task(anna, juris)["id"]
    juris.post(f"/api/tasks/{done}/done", json={"note": "All there."})

    assert anna.get("/api/tasks/notifications").json == {
        "pending_applications": 1,
        "pending_confirmation": 1,
        "accepted_applications": 0,
        "total": 2,
    }
    assert juris.get("/api/tasks/notifications").json["accepted_applications"] == 1


def test_somebody_signed_in_learns_whether_they_applied(anna: Person, juris: Person, anybody: Person) -> None:
    task_id = things.task(anna)["id"]
    assert "has_applied" not in anybody.get(f"/api/tasks/{task_id}").json
    assert juris.get(f"/api/tasks/{task_id}").json["has_applied"] is False
    assert "apply" in juris.get(f"/api/tasks/{task_id}").json["available_actions"]
    offered = things.application(juris, task_id)
    seen = juris.get(f"/api/tasks/{task_id}").json
    assert (seen["has_applied"], seen["user_application"]["id"]) == (True, offered["id"])
    assert "apply" not in seen["available_actions"]


def test_an_application_of_another_task_cannot_be_accepted_here(anna: Person, juris: Person) -> None:
    here, there = things.task(anna)["id"], things.task(anna)["id"]
    offered = things.application(juris, there)
    assert anna.post(f"/api/tasks/{here}/accept-application", json={"application_id": offered["id"]}).status_code == 404
    assert anna.get(f"/api/tasks/{here}").json["status"] == "open"


def test_a_search_finds_words_in_any_spelling(anna: Person, anybody: Person) -> None:
    things.task(anna, title="Nokrāsot žogu", description="Ёлка во дворе")
    for query in ("nokrasot", "ŽOGU", "елка", "nokr zog"):
        assert anybody.get("/api/tasks/search", query_string={"q": query}).json["total"] == 1, query
    for query in ("nothing", "😀", '"', "nokrasot AND", "%", "' OR 1=1 --"):
        assert anybody.get("/api/tasks/search", query_string={"q": query}).json["total"] == 0, query


def test_a_cancelled_task_says_why_and_who_did_it_to_those_it_concerns(
    anna: Person, juris: Person, stranger: Person
) -> None:
    task_id = things.assigned_task(anna, juris)["id"]
    anna.post(f"/api/tasks/{task_id}/cancel", {"reason": "My plans have changed."})
    for person, reason in ((anna, "My plans have changed."), (juris, "My plans have changed."), (stranger, None)):
        seen = person.get(f"/api/tasks/{task_id}").json
        assert (seen["cancel_reason"], seen["cancelled_by_id"]) == (reason, anna.id)


def test_a_reason_to_decline_is_no_reason_of_a_cancel(anna: Person, juris: Person) -> None:
    task_id = things.assigned_task(anna, juris)["id"]
    juris.post(f"/api/tasks/{task_id}/decline", {"reason": "I fell ill."})
    seen = anna.get(f"/api/tasks/{task_id}").json
    assert (seen["status"], seen["cancel_reason"], seen["cancelled_by_id"]) == ("open", None, None)


def test_finished_work_says_when_it_counts_as_confirmed(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris)
    assert task["confirms_at"] is None
    done = juris.post(f"/api/tasks/{task['id']}/done").json["task"]
    waits = datetime.fromisoformat(done["confirms_at"]) - datetime.fromisoformat(done["updated_at"])
    assert waits == CONFIRM_AFTER
    assert anna.post(f"/api/tasks/{task['id']}/confirm").json["task"]["confirms_at"] is None
