"""Reviews come after a completed deal, once a side, and move the reviewed person's figures exactly."""

from datetime import UTC, datetime, timedelta

import time_machine

from tests.factories import things
from tests.factories.people import Person


def _figures(person: Person) -> tuple[float, int]:
    profile = person.get("/api/auth/profile").json
    return profile["average_rating"], profile["reviews_count"]


def test_without_a_completed_deal_nobody_is_reviewed(anna: Person, juris: Person) -> None:
    task_id = things.assigned_task(anna, juris)["id"]
    for body in ({"task_id": task_id}, {}, {"order_id": 1}, {"listing_id": 1}):
        refused = anna.post("/api/reviews", json={"reviewed_user_id": juris.id, "rating": 5, **body})
        assert (refused.status_code, refused.json["code"]) == (403, "no_completed_deal"), body
    assert anna.post("/api/reviews", json={"reviewed_user_id": anna.id, "rating": 5}).status_code == 422


def test_without_an_id_the_latest_deal_not_reviewed_yet_is_meant(anna: Person, juris: Person) -> None:
    first, second = things.completed_task(anna, juris)["id"], things.completed_task(anna, juris)["id"]
    body = {"reviewed_user_id": juris.id, "rating": 4, "comment": "Good."}

    written = [anna.post("/api/reviews", json=body) for _ in range(3)]

    assert [answer.status_code for answer in written] == [201, 201, 403]
    assert [answer.json["review"]["task_id"] for answer in written[:2]] == [second, first]
    assert written[0].json["review"]["content"] == "Good."
    assert written[0].json["id"] == written[0].json["review"]["id"]


def test_a_deal_is_reviewed_once_a_side(anna: Person, juris: Person, stranger: Person) -> None:
    task_id = things.completed_task(anna, juris)["id"]
    things.review(anna, task_id)
    things.review(juris, task_id)

    again = anna.post(f"/api/reviews/task/{task_id}", json={"rating": 1})
    assert (again.status_code, again.json["code"]) == (409, "reviewed_already")
    assert stranger.post(f"/api/reviews/task/{task_id}", json={"rating": 1}).status_code == 403
    wrong = anna.post("/api/reviews", json={"reviewed_user_id": stranger.id, "rating": 1, "task_id": task_id})
    assert wrong.status_code in {403, 409}


def test_editing_and_deleting_move_the_figures_back(anna: Person, juris: Person) -> None:
    first = things.review(anna, things.completed_task(anna, juris)["id"], rating=5)
    things.review(anna, things.completed_task(anna, juris)["id"], rating=2)
    assert _figures(juris) == (3.5, 2)

    anna.put(f"/api/reviews/{first['id']}", json={"rating": 3})
    assert _figures(juris) == (2.5, 2)
    anna.delete(f"/api/reviews/{first['id']}")
    assert _figures(juris) == (2.0, 1)
    assert anna.get(f"/api/reviews/{first['id']}").status_code == 404


def test_only_the_writer_changes_a_review_and_only_within_the_window(anna: Person, juris: Person) -> None:
    review_id = things.review(anna, things.completed_task(anna, juris)["id"])["id"]
    assert juris.put(f"/api/reviews/{review_id}", json={"rating": 1}).status_code == 403

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=59), tick=False):
        assert anna.put(f"/api/reviews/{review_id}", json={"rating": 4}).status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(days=15), tick=False):
        token = anna.post("/api/auth/login", json={"email": "anna@example.com", "password": "correct horse battery"})
        later = Person(anna.app, token=token.json["token"])
        late = later.put(f"/api/reviews/{review_id}", json={"rating": 1})
    assert (late.status_code, late.json["code"]) == (403, "review_window_closed")
    assert _figures(juris) == (4.0, 1)


def test_the_figures_by_stars_and_by_part(anna: Person, juris: Person, anybody: Person) -> None:
    task_id = things.completed_task(anna, juris)["id"]
    other_way = things.completed_task(juris, anna)["id"]
    things.review(anna, task_id, rating=5)
    things.review(anna, other_way, rating=2)

    assert anybody.get(f"/api/reviews/user/{juris.id}/stats").json == {
        "user_id": juris.id,
        "total_reviews": 2,
        "average_rating": 3.5,
        "rating_breakdown": {"1": 0, "2": 1, "3": 0, "4": 0, "5": 1},
        "as_worker": {"count": 1, "average": 5.0},
        "as_client": {"count": 1, "average": 2.0},
    }


def test_who_can_review_whom_is_told_with_the_reason(anna: Person, juris: Person, stranger: Person) -> None:
    task_id = things.completed_task(anna, juris)["id"]

    before = anna.get(f"/api/reviews/task/{task_id}/can-review").json
    assert (before["can_review"], before["review_type"]) == (True, "client_to_worker")
    assert before["reviewee"]["id"] == juris.id
    assert "email" not in before["reviewee"]
    waiting = juris.get(f"/api/reviews/can-review-user/{anna.id}").json["reviewable_transactions"]
    assert [(deal["type"], deal["id"], deal["your_role"]) for deal in waiting] == [("task", task_id, "worker")]

    written = things.review(anna, task_id)
    after = anna.get(f"/api/reviews/task/{task_id}/can-review").json
    assert (after["can_review"], after["existing_review"]["id"]) == (False, written["id"])
    assert stranger.get(f"/api/reviews/task/{task_id}/can-review").json["can_review"] is False


def test_reviews_are_filtered_and_sorted(anna: Person, juris: Person, anybody: Person) -> None:
    for rating in (3, 5, 1):
        things.review(anna, things.completed_task(anna, juris)["id"], rating=rating)

    def ratings(query: str) -> list[int]:
        return [review["rating"] for review in anybody.get(f"/api/reviews?{query}").json["reviews"]]

    assert ratings("sort=-rating") == [5, 3, 1]
    assert ratings("rating_min=3&sort=rating") == [3, 5]
    assert ratings(f"reviewed_user_id={anna.id}") == []
    listed = anybody.get(f"/api/auth/users/{juris.id}/reviews").json
    assert (listed["total"], listed["reviews"][0]["reviewer_name"]) == (3, "anna")
