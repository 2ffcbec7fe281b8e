"""Offerings, favorites and reviews, route by route."""

from datetime import timedelta
from urllib.parse import urljoin

from sqlalchemy import update

from marketplace.core.database.db import execute, in_transaction
from marketplace.kit.clock import now
from marketplace.reviews.models import Review
from tests.contract.client import Browser, has
from tests.contract.tables import (
    CONVERSATION,
    FAVORITE,
    FAVORITE_COUNT,
    LIST,
    OFFERING,
    REVIEW,
    REVIEW_STATS,
    REVIEWABLE,
    TASK,
)
from tests.factories import things

EVERYTHING = {
    "title": "Bicycle repair",
    "description": "At your door.",
    "category": "repair",
    "location": "Rīga",
    "latitude": 56.9496,
    "longitude": 24.1052,
    "price": 25.5,
    "price_type": "hourly",
    "currency": "EUR",
    "availability": "Evenings",
    "experience": "Eight years",
    "service_radius": 15,
}


def test_a_posted_offering_carries_every_field_and_can_be_fetched(juris: Browser, anybody: Browser) -> None:
    made = juris.post("/api/offerings", json={**EVERYTHING, "images": "https://a.lv/1.jpg"})

    assert made.status_code == 201
    offering = made.json["offering"]
    assert has(made.json, {"message", "id", "offering"})
    assert has(offering, OFFERING)
    assert {name: offering[name] for name in EVERYTHING} == EVERYTHING
    assert (offering["price_minor"], offering["status"], offering["creator_id"]) == (2550, "active", juris.id)
    assert (offering["images"], offering["image_urls"]) == ("https://a.lv/1.jpg", ["https://a.lv/1.jpg"])
    assert anybody.get(urljoin("/", made.headers["Location"])).json["id"] == made.json["id"]


def test_the_owner_edits_pauses_activates_closes_and_deletes(juris: Browser, anybody: Browser) -> None:
    path = f"/api/offerings/{things.offering(juris)['id']}"
    edited = juris.put(path, json={"title": "Wheels", "price": 30})
    assert (edited.status_code, set(edited.json)) == (200, {"message", "offering"})
    assert (edited.json["offering"]["title"], edited.json["offering"]["price_minor"]) == ("Wheels", 3000)

    for verb, status, seen in (("pause", "paused", 404), ("activate", "active", 200)):
        answer = juris.post(f"{path}/{verb}")
        assert (answer.status_code, answer.json["offering"]["status"]) == (200, status)
        assert anybody.get(path).status_code == seen
    for status in ("paused", "closed", "active"):
        assert juris.put(path, json={"status": status}).json["offering"]["status"] == status

    assert set(juris.delete(path).json) == {"message"}
    assert [juris.get(path).status_code, juris.delete(path).status_code] == [404, 404]


def test_every_filter_of_the_list_narrows_it(anna: Browser, juris: Browser, anybody: Browser) -> None:
    wanted = things.offering(juris, **EVERYTHING)["id"]
    far = {"latitude": 56.5, "longitude": 21.0, "price": 5, "price_type": "fixed"}
    other = things.offering(anna, title="Lessons", description="Piano.", category="tutoring", **far)["id"]

    def found(query: str, person: Browser = anybody) -> list[int]:
        return [item["id"] for item in person.get(f"/api/offerings{query}").json["offerings"]]

    narrowing = (
        "?category=repair",
        "?q=bicycle",
        "?min_price=20",
        "?min_price=25.5&max_price=25.5",
        "?price_type=hourly",
        "?latitude=56.95&longitude=24.1",
        "?lat=56.95&lng=24.1&radius=25",
        "?sort=-price&per_page=1",
        f"/user/{juris.id}",
    )
    assert {query: found(query) for query in narrowing} == {key: [wanted] for key in narrowing}
    assert found("?latitude=56.5&longitude=21&radius=1000") == [other, wanted]
    assert has(anybody.get("/api/offerings?lat=56.5&lng=21").json["offerings"][0], OFFERING | {"distance"})

    juris.post(f"/api/offerings/{wanted}/pause")
    assert (found(""), found("/my", juris), found("?status=paused", juris)) == ([other], [wanted], [wanted])
    assert found("?status=paused") == []


def test_contacting_a_provider_opens_a_conversation_about_the_offering(anna: Browser, juris: Browser) -> None:
    offering_id = things.offering(juris)["id"]
    sent = anna.post(f"/api/offerings/{offering_id}/contact", json={"message": "Cargo bikes too?"})

    assert sent.status_code == 201
    assert has(sent.json, {"message", "conversation_id", "id"})
    talk = juris.get(f"/api/messages/conversations/{sent.json['conversation_id']}").json["conversation"]
    assert has(talk, CONVERSATION)
    assert (talk["offering_id"], talk["last_message"]["content"]) == (offering_id, "Cargo bikes too?")
    assert anna.get(f"/api/offerings/{offering_id}").json["contact_count"] == 1
    assert juris.post(f"/api/offerings/{offering_id}/contact", json={"message": "x"}).status_code == 403


def test_booking_an_offering_makes_a_task_assigned_to_its_provider(anna: Browser, juris: Browser) -> None:
    offering_id = things.offering(juris)["id"]
    body = {"message": "My wheel wobbles.", "starts_at": "2031-01-31T23:59", "location": "Cēsis"}
    booked = anna.post(f"/api/offerings/{offering_id}/book", json=body)

    assert booked.status_code == 201
    assert has(booked.json, {"message", "id", "task"})
    task = booked.json["task"]
    assert has(task, TASK)
    assert (task["status"], task["creator_id"], task["assigned_to_id"]) == ("assigned", anna.id, juris.id)
    assert task["location"] == "Cēsis"
    assert juris.get(urljoin("/", booked.headers["Location"])).json["id"] == booked.json["id"]
    assert juris.post(f"/api/offerings/{offering_id}/book").status_code == 403
    assert anna.post(f"/api/offerings/{offering_id}/book").status_code == 201


def test_a_favorite_is_toggled_listed_checked_counted_and_removed(anna: Browser, juris: Browser) -> None:
    ids = {"task": things.task(juris)["id"], "listing": things.listing(juris)["id"]}
    ids["offering"] = things.offering(juris)["id"]
    marked = [anna.post("/api/favorites", json={"item_type": t, "item_id": i}) for t, i in ids.items()]
    for answer in marked:
        assert has(answer.json, {"is_favorited", "message", "favorite"})
        assert answer.json["is_favorited"] is True

    page = anna.get("/api/favorites").json
    assert has(page, {"favorites", "total"})
    assert page["total"] == 3
    for favorite in page["favorites"]:
        assert has(favorite, FAVORITE)
        assert favorite["item"]["title"]
    only = anna.get("/api/favorites?type=task").json["favorites"]
    assert [favorite["item"]["id"] for favorite in only] == [ids["task"]]
    asked = f"task:{ids['task']},listing:{ids['listing']},listing:999999"
    checked = {f"task:{ids['task']}": True, f"listing:{ids['listing']}": True, "listing:999999": False}
    assert anna.get(f"/api/favorites/check?items={asked}").json == {"favorites": checked}
    assert anna.get("/api/favorites/count").json == {"total": 3, "tasks": 1, "offerings": 1, "listings": 1}
    assert set(juris.get("/api/favorites/count").json) == FAVORITE_COUNT

    again = anna.post("/api/favorites", json={"item_type": "task", "item_id": ids["task"]})
    assert again.json["is_favorited"] is False
    by_id = f"/api/favorites/{marked[1].json['favorite']['favorite_id']}"
    by_item = f"/api/favorites/item/offering/{ids['offering']}"
    for path in (by_id, by_item):
        assert [juris.delete(path).status_code, anna.delete(path).status_code] == [404, 200], path
        assert anna.delete(path).status_code == 404, path
    assert anna.get("/api/favorites/count").json["total"] == 0
    assert anna.post("/api/favorites", json={"item_type": "task", "item_id": 999999}).status_code == 404


def test_a_review_carries_every_field_on_every_road(anna: Browser, juris: Browser, anybody: Browser) -> None:
    task_id = things.completed_task(anna, juris)["id"]
    body = {"reviewed_user_id": juris.id, "rating": 4, "comment": "Careful.", "task_id": task_id}
    made = anna.post("/api/reviews", json=body)

    assert made.status_code == 201
    assert has(made.json, {"message", "review", "id"})
    review = made.json["review"]
    assert has(review, REVIEW | {"created_at"})
    assert (review["rating"], review["content"], review["reviewer_name"]) == (4, "Careful.", "anna")
    location = urljoin("/", made.headers["Location"])
    assert has(anybody.get(location).json, REVIEW)
    assert anna.post("/api/reviews", json=body).status_code == 409
    assert juris.post(f"/api/reviews/task/{task_id}", json={"rating": 5, "content": "Kind."}).status_code == 201

    queries = (
        f"reviewer_id={anna.id}",
        f"reviewed_user_id={juris.id}",
        f"task_id={task_id}&rating_min=1&reviewer_id={anna.id}",
        "sort=rating&per_page=1",
    )
    for query in queries:
        page = anybody.get(f"/api/reviews?{query}").json
        assert has(page, LIST | {"reviews"})
        assert [item["id"] for item in page["reviews"]] == [made.json["id"]], query
    assert anybody.get("/api/reviews?rating_min=5").json["total"] == 1
    assert anybody.get("/api/reviews?listing_id=999").json["total"] == 0
    assert anybody.get(f"/api/reviews/task/{task_id}").json["total"] == 2

    edited = anna.put(location, json={"rating": 2, "content": "Late."})
    assert (edited.status_code, set(edited.json)) == (200, {"message", "review"})
    assert (edited.json["review"]["rating"], edited.json["review"]["content"]) == (2, "Late.")
    assert juris.put(location, json={"rating": 5}).status_code == 403
    assert [anna.delete(location).status_code, anybody.get(location).status_code] == [200, 404]


def test_a_review_needs_a_completed_deal_with_that_person(anna: Browser, juris: Browser, stranger: Browser) -> None:
    def reviewed(person: Browser, **body: object) -> int:
        return int(person.post("/api/reviews", json={"rating": 5, "content": "Good.", **body}).status_code)

    running = things.assigned_task(anna, juris)["id"]
    assert reviewed(anna, reviewed_user_id=juris.id) == 403
    assert reviewed(anna, reviewed_user_id=juris.id, task_id=running) == 403
    assert reviewed(anna, reviewed_user_id=anna.id) in {403, 422}
    assert reviewed(anna, reviewed_user_id=999999) == 404

    older, latest = things.completed_task(anna, juris)["id"], things.completed_task(anna, juris)["id"]
    assert reviewed(anna, reviewed_user_id=stranger.id, task_id=latest) == 403
    assert reviewed(stranger, reviewed_user_id=juris.id, task_id=latest) == 403
    made = anna.post("/api/reviews", json={"reviewed_user_id": juris.id, "rating": 5})
    assert (made.status_code, made.json["review"]["task_id"]) == (201, latest)
    assert (
        anna.post("/api/reviews", json={"reviewed_user_id": juris.id, "rating": 3}).json["review"]["task_id"] == older
    )
    assert reviewed(anna, reviewed_user_id=juris.id) == 403
    for body in ({"listing_id": things.listing(juris)["id"]}, {"order_id": 1}):
        assert reviewed(stranger, reviewed_user_id=juris.id, **body) in {403, 404}, body


def test_can_review_says_why_whom_and_what_is_there(anna: Browser, juris: Browser, stranger: Browser) -> None:
    open_id, done_id = things.task(anna)["id"], things.completed_task(anna, juris)["id"]

    not_yet = anna.get(f"/api/reviews/task/{open_id}/can-review").json
    assert (not_yet["can_review"], bool(not_yet["reason"])) == (False, True)
    can = anna.get(f"/api/reviews/task/{done_id}/can-review").json
    assert (can["can_review"], can["reviewee"]["id"], bool(can["review_type"])) == (True, juris.id, True)
    assert "email" not in can["reviewee"]
    assert stranger.get(f"/api/reviews/task/{done_id}/can-review").json["can_review"] is False

    waiting = anna.get(f"/api/reviews/can-review-user/{juris.id}").json
    assert has(waiting, {"can_review", "reason", "reviewable_transactions"})
    assert has(waiting["reviewable_transactions"][0], REVIEWABLE)
    assert (waiting["can_review"], waiting["reviewable_transactions"][0]["id"]) == (True, done_id)

    written = things.review(anna, done_id)
    after = anna.get(f"/api/reviews/task/{done_id}/can-review").json
    assert (after["can_review"], after["existing_review"]["id"]) == (False, written["id"])
    assert anna.get(f"/api/reviews/can-review-user/{juris.id}").json["can_review"] is False


def test_a_persons_reviews_in_figures(anna: Browser, juris: Browser, anybody: Browser) -> None:
    things.review(anna, things.completed_task(anna, juris)["id"], rating=5)
    things.review(anna, things.completed_task(anna, juris)["id"], rating=4)
    things.review(anna, things.completed_task(juris, anna)["id"], rating=1)

    stats = anybody.get(f"/api/reviews/user/{juris.id}/stats").json

    assert has(stats, REVIEW_STATS)
    assert (stats["user_id"], stats["total_reviews"], stats["average_rating"]) == (juris.id, 3, 3.33)
    assert stats["rating_breakdown"] == {"1": 1, "2": 0, "3": 0, "4": 1, "5": 1}
    assert stats["as_worker"] == {"count": 2, "average": 4.5}
    assert stats["as_client"] == {"count": 1, "average": 1.0}


def test_a_review_settles_after_fourteen_days(anna: Browser, juris: Browser) -> None:
    path = f"/api/reviews/{things.review(anna, things.completed_task(anna, juris)['id'])['id']}"

    def age(days: float) -> None:
        with anna.app.app_context():
            in_transaction(lambda: execute(update(Review).values(created_at=now() - timedelta(days=days))))

    age(13.9)
    assert anna.put(path, json={"rating": 4}).status_code == 200
    age(14.1)
    assert [anna.put(path, json={"rating": 1}).status_code, anna.delete(path).status_code] == [403, 403]
