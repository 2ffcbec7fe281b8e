"""What hostile and careless clients put into a field, by the kind of field."""

from math import inf, nan
from typing import Any

from tests.contract.client import Browser
from tests.factories import talks, things

NUL, SURROGATE = "a\x00b", "a\ud800b"
TEXT: list[Any] = [5, True, [], ["a"], {}, NUL, SURROGATE, "x" * 100_000]
NEEDED: list[Any] = [None, "", "   "]
WORD = [*TEXT, "nonsense", "ACTIVE; --"]
MONEY: list[Any] = [-1, -0.01, 1e300, 2**63, 10**400, nan, inf, -inf, "NaN", "Infinity", "1e999", "much", True, [], {}]
LATITUDE: list[Any] = [95, -90.01, nan, inf, 1e300, "north", True, [], {}]
LONGITUDE: list[Any] = [181, -180.01, nan, -inf, 2**64, "east", True, [], {}]
KILOMETRES: list[Any] = [-1, nan, inf, 1e9, "far", True, []]
WORDS: list[Any] = [5, True, {}, [1], [[]], [NUL], [SURROGATE], ["x" * 5000], ["a" + str(i) for i in range(1000)]]
LINKS = [*WORDS, "javascript:alert(1)", "https://a.lv/1.jpg,data:text/html,x"]
YES_OR_NO: list[Any] = ["perhaps", 5, [], {}, NUL]
MOMENT: list[Any] = ["soon", 5, True, [], "2031-13-01T00:00", "99999-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", NUL]
DEADLINE = [*MOMENT, "2001-01-31T23:59"]
ID: list[Any] = [-1, 1.5, 2**63, 10**400, 1e300, nan, "1 OR 1=1", True, [], {}, NUL]
RATING: list[Any] = [0, 6, -1, 4.5, 2**63, nan, inf, "five", True, [], {}]

POST = {"title": TEXT, "description": TEXT, "category": TEXT}
PLACE = {"latitude": LATITUDE, "longitude": LONGITUDE, "location": TEXT}
LISTING = {
    **POST,
    **PLACE,
    "price": MONEY,
    "subcategory": TEXT,
    "condition": WORD,
    "currency": [*WORD, "XYZ"],
    "images": LINKS,
    "contact_info": TEXT,
    "tags": WORDS,
    "listing_type": WORD,
    "is_negotiable": YES_OR_NO,
    "expires_at": MOMENT,
}
TASK = {
    **POST,
    **PLACE,
    "budget": MONEY,
    "currency": [*WORD, "XYZ"],
    "deadline": DEADLINE,
    "priority": WORD,
    "difficulty": WORD,
    "is_urgent": YES_OR_NO,
    "required_skills": WORDS,
    "images": LINKS,
}
OFFERING = {
    **POST,
    **PLACE,
    "price": MONEY,
    "price_type": WORD,
    "currency": [*WORD, "XYZ"],
    "availability": TEXT,
    "experience": TEXT,
    "service_radius": KILOMETRES,
    "images": LINKS,
}
PROFILE = {
    "first_name": TEXT,
    "last_name": TEXT,
    "bio": TEXT,
    "phone": [*TEXT, "call me"],
    "city": TEXT,
    "country": TEXT,
    "avatar_url": [*TEXT, "javascript:alert(1)"],
    "profile_picture_url": [*TEXT, "javascript:alert(1)"],
    "is_helper": YES_OR_NO,
    "skills": WORDS,
    "helper_categories": WORDS,
    "hourly_rate": MONEY,
    "latitude": LATITUDE,
    "longitude": LONGITUDE,
}
REGISTRATION = {
    "username": [*TEXT, "ab", "a b", "ā" * 5, "x" * 31],
    "email": [*TEXT, "nobody", "a@", "a b@example.com"],
    "password": [*TEXT, "short77"],
    "first_name": TEXT,
    "last_name": TEXT,
    "phone": [*TEXT, "call me"],
}
REVIEW = {"rating": RATING, "content": TEXT, "comment": TEXT}
CREDENTIALS = {"email": TEXT, "username": TEXT, "password": [None, *TEXT]}
MESSAGE = {
    "content": [*TEXT, "x" * 5001],
    "attachment_url": [*TEXT, "javascript:alert(1)"],
    "attachment_type": WORD,
    "client_message_id": TEXT,
    "reply_to_id": ID,
}
TITLE = [*TEXT, "x" * 101]
PEOPLE: list[Any] = [5, True, {}, "1", [], ["x"], [1.5], [0], [-1], [2**63], [None], [[1]], list(range(1, 5000))]
SUBJECTS = {"task_id": ID, "offering_id": ID, "listing_id": ID}

HERE = {"location": "Rīga", **things.RIGA}
A_POST = {"title": "A", "description": "B", "category": "moving"}

# method and path, a good body, the fields that must be there, every field with its bad values
Write = tuple[str, str, dict[str, Any], str, dict[str, list[Any]]]
WRITES: list[Write] = [
    (
        "POST",
        "/api/auth/register",
        {"username": "liga", "email": "liga@example.com", "password": "eight888"},
        "username email password",
        REGISTRATION,
    ),
    ("POST", "/api/auth/login", {"email": "anna@example.com", "password": "eight888"}, "", CREDENTIALS),
    ("PUT", "/api/auth/profile", {}, "", PROFILE),
    ("POST", "/api/listings", {**A_POST, "price": 5}, "title description category price", LISTING),
    ("PUT", "/api/listings/{listing}", {}, "", {**LISTING, "status": WORD}),
    (
        "POST",
        "/api/tasks",
        {**A_POST, **HERE},
        "title description category location latitude longitude",
        TASK,
    ),
    ("PUT", "/api/tasks/{task}", {}, "", TASK),
    ("POST", "/api/tasks/{foreign}/apply", {}, "", {"message": TEXT, "proposed_price": MONEY}),
    ("POST", "/api/tasks/{task}/accept-application", {}, "application_id", {"application_id": ID}),
    ("POST", "/api/tasks/{task}/cancel", {}, "", {"reason": TEXT}),
    ("POST", "/api/tasks/{mine}/done", {}, "", {"note": TEXT, "images": LINKS}),
    ("POST", "/api/tasks/{mine}/decline", {}, "", {"reason": TEXT}),
    ("POST", "/api/tasks/{running}/dispute", {}, "", {"reason": TEXT}),
    (
        "POST",
        "/api/offerings",
        {**A_POST, **HERE},
        "title description category location latitude longitude",
        OFFERING,
    ),
    ("PUT", "/api/offerings/{offering}", {}, "", {**OFFERING, "status": WORD}),
    ("POST", "/api/offerings/{service}/contact", {"message": "Hi."}, "message", {"message": TEXT}),
    (
        "POST",
        "/api/offerings/{service}/book",
        {},
        "",
        {"message": TEXT, "starts_at": MOMENT, "location": TEXT, "latitude": LATITUDE, "longitude": LONGITUDE},
    ),
    (
        "POST",
        "/api/reviews",
        {"reviewed_user_id": "{juris}", "rating": 5},
        "reviewed_user_id rating",
        {**REVIEW, "reviewed_user_id": ID, "task_id": ID, "order_id": ID, "listing_id": ID},
    ),
    ("POST", "/api/reviews/task/{completed}", {"rating": 5}, "rating", REVIEW),
    ("PUT", "/api/reviews/{review}", {}, "", REVIEW),
    (
        "POST",
        "/api/favorites",
        {"item_type": "task", "item_id": "{task}"},
        "item_type item_id",
        {"item_type": WORD, "item_id": ID},
    ),
    (
        "POST",
        "/api/messages/conversations",
        {"user_id": "{juris}"},
        "user_id",
        {"user_id": ID, "message": [*TEXT, "x" * 5001], **SUBJECTS},
    ),
    ("POST", "/api/messages/conversations/{talk}/messages", {"content": "Hi."}, "", MESSAGE),
    ("PUT", "/api/messages/messages/{message}", {"content": "Hi."}, "content", {"content": MESSAGE["content"]}),
    (
        "POST",
        "/api/messages/rooms",
        {"title": "Us", "member_ids": []},
        "title member_ids",
        {"title": TITLE, "member_ids": PEOPLE},
    ),
    ("PUT", "/api/messages/conversations/{room}", {"title": "Us"}, "title", {"title": TITLE}),
    ("POST", "/api/messages/conversations/{room}/members", {"user_id": "{juris}"}, "user_id", {"user_id": ID}),
    ("POST", "/api/blocks", {"user_id": "{juris}"}, "user_id", {"user_id": ID}),
]


def scene(anna: Browser, juris: Browser) -> dict[str, int]:
    """One of everything Anna may write to, by the names the paths use."""
    task, completed = things.task(anna)["id"], things.completed_task(anna, juris)["id"]
    things.application(juris, task)
    running = things.assigned_task(anna, juris)["id"]
    juris.post(f"/api/tasks/{running}/start")
    talk = anna.post("/api/messages/conversations", json={"user_id": juris.id, "message": "Hello."}).json
    return {
        "anna": anna.id,
        "juris": juris.id,
        "listing": things.listing(anna)["id"],
        "task": task,
        "foreign": things.task(juris)["id"],
        "mine": things.assigned_task(juris, anna)["id"],
        "running": running,
        "completed": completed,
        "review": things.review(anna, things.completed_task(anna, juris)["id"])["id"],
        "offering": things.offering(anna)["id"],
        "service": things.offering(juris)["id"],
        "talk": talk["id"],
        "message": talk["conversation"]["last_message"]["id"],
        "room": talks.room(anna, juris),
    }


def filled(body: dict[str, Any], ids: dict[str, int]) -> dict[str, Any]:
    """A body with the scene's ids in it."""
    return {name: ids[v.strip("{}")] if isinstance(v, str) and v[:1] == "{" else v for name, v in body.items()}
