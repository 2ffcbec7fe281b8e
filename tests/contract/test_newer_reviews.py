"""Reviews as the newer client reads them."""

from tests.contract.client import Browser, has
from tests.contract.newer_tables import CAN_REVIEW, REVIEW_PEOPLE, REVIEW_PERSON
from tests.contract.tables import TASK
from tests.factories import things


def test_the_people_of_a_review_stand_in_it_everywhere(anna: Browser, juris: Browser, anybody: Browser) -> None:
    anna.put("/api/auth/profile", json={"avatar_url": "https://example.com/a.jpg"})
    juris.put("/api/auth/profile", json={"profile_picture_url": "https://example.com/j.jpg"})
    task = things.completed_task(anna.in_process, juris.in_process)["id"]
    can = anna.get(f"/api/reviews/task/{task}/can-review").json
    assert has(can, CAN_REVIEW)
    assert has(can["reviewee"], REVIEW_PERSON)
    assert has(can["task"], TASK)
    assert (can["can_review"], can["task"]["id"], can["min_content_length"]) == (True, task, 0)

    written = anna.post(f"/api/reviews/task/{task}", json={"rating": 5, "content": ""}).json["review"]
    lists = ("/api/reviews", f"/api/reviews/task/{task}", f"/api/auth/users/{juris.id}/reviews")
    shown = [written, anybody.get(f"/api/reviews/{written['id']}").json]
    shown += [anybody.get(path).json["reviews"][0] for path in lists]
    shown += juris.get("/api/auth/profile/full").json["reviews"]
    after = anna.get(f"/api/reviews/task/{task}/can-review").json
    assert has(after, CAN_REVIEW - {"reviewee"})
    for review in (*shown, after["existing_review"]):
        assert has(review, REVIEW_PEOPLE)
        assert has(review["reviewer"], REVIEW_PERSON)
        assert has(review["reviewed_user"], REVIEW_PERSON)
        reviewer, reviewed = review["reviewer"], review["reviewed_user"]
        assert (reviewer["id"], reviewer["profile_picture_url"]) == (anna.id, "https://example.com/a.jpg")
        assert (reviewed["username"], reviewed["profile_picture_url"]) == ("juris", "https://example.com/j.jpg")
        assert not {"email", "phone"} & {*reviewer, *reviewed}
