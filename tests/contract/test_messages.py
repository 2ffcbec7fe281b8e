"""The REST side of messages, route by route."""

from urllib.parse import urljoin

import pytest

from tests.contract.client import Browser, has
from tests.contract.tables import CONVERSATION, MESSAGE, PARTICIPANT
from tests.factories import things

CONVERSATIONS = "/api/messages/conversations"


@pytest.fixture
def talk(anna: Browser, juris: Browser) -> str:
    """The address of a conversation between the two."""
    return f"{CONVERSATIONS}/{anna.post(CONVERSATIONS, json={'user_id': juris.id}).json['conversation']['id']}"


def test_a_conversation_is_opened_once_for_a_pair_and_subject(anna: Browser, juris: Browser) -> None:
    offering_id = things.offering(juris)["id"]
    body = {"user_id": juris.id, "offering_id": offering_id, "message": "Is it there?"}
    made = anna.post(CONVERSATIONS, json=body)
    again = juris.post(CONVERSATIONS, json={"user_id": anna.id, "offering_id": offering_id})

    assert (made.status_code, made.json["existing"]) == (201, False)
    assert (again.status_code, again.json["existing"]) == (200, True)
    assert made.json["id"] == made.json["conversation"]["id"] == again.json["conversation"]["id"]
    talk = made.json["conversation"]
    assert has(talk, CONVERSATION)
    assert has(talk["other_participant"], PARTICIPANT)
    assert has(talk["last_message"], MESSAGE)
    assert {talk["participant_1_id"], talk["participant_2_id"]} == {anna.id, juris.id}
    assert (talk["offering_id"], talk["task_id"], talk["unread_count"]) == (offering_id, None, 0)
    assert anna.get(urljoin("/", made.headers["Location"])).json["conversation"]["id"] == made.json["id"]

    page = juris.get(CONVERSATIONS).json
    assert has(page, {"conversations", "total"})
    assert (page["total"], page["conversations"][0]["unread_count"]) == (1, 1)
    assert page["conversations"][0]["other_participant"]["username"] == "anna"


def test_a_conversation_needs_somebody_else_who_is_there(anna: Browser) -> None:
    assert anna.post(CONVERSATIONS, json={"user_id": anna.id}).status_code in {403, 422}
    assert anna.post(CONVERSATIONS, json={"user_id": 999999}).status_code == 404


def test_a_message_carries_every_field_and_is_stored_once(anna: Browser, juris: Browser, talk: str) -> None:
    body = {"content": "Can I come?", "client_message_id": "c-1", "attachment_url": f"/api/uploads/{'a' * 32}.png"}
    sent = anna.post(f"{talk}/messages", json={**body, "attachment_type": "image"})
    again = anna.post(f"{talk}/messages", json={**body, "attachment_type": "image"})

    assert (sent.status_code, again.status_code) == (201, 200)
    message = sent.json["message"]
    assert has(message, MESSAGE)
    assert has(message["sender"], PARTICIPANT)
    assert message == again.json["message"]
    assert sent.json["id"] == message["id"]
    assert (message["content"], message["seq"], message["is_read"]) == ("Can I come?", 1, False)
    assert (message["attachment_url"], message["attachment_type"]) == (f"/api/uploads/{'a' * 32}.png", "image")
    assert anna.get(urljoin("/", sent.headers["Location"])).status_code == 200
    assert juris.get(f"{talk}/messages").json["total"] == 1


def test_messages_come_oldest_first_by_page_and_by_number(anna: Browser, juris: Browser, talk: str) -> None:
    for number in range(1, 8):
        (anna if number % 2 else juris).post(f"{talk}/messages", json={"content": str(number)})

    def numbers(query: str) -> list[int]:
        return [message["seq"] for message in juris.get(f"{talk}/messages{query}").json["messages"]]

    page = juris.get(f"{talk}/messages").json
    assert has(page, {"messages", "total", "page", "pages", "has_more"})
    assert has(page["messages"][0], MESSAGE)
    assert (page["total"], page["page"], page["pages"], page["has_more"], page["per_page"]) == (7, 1, 1, False, 50)
    assert numbers("") == [1, 2, 3, 4, 5, 6, 7]
    assert (numbers("?per_page=3"), numbers("?per_page=3&page=3"), numbers("?page=9")) == ([5, 6, 7], [1], [])
    assert (numbers("?after_seq=5"), numbers("?after_seq=7")) == ([6, 7], [])
    assert numbers("?before_seq=4&per_page=2") == [2, 3]


def test_reading_is_counted_and_told(anna: Browser, juris: Browser, stranger: Browser, talk: str) -> None:
    first, _, _ = (anna.post(f"{talk}/messages", json={"content": "x"}).json["message"]["id"] for _ in range(3))
    assert juris.get("/api/messages/unread-count").json == {"unread_count": 3}

    one = juris.put(f"/api/messages/messages/{first}/read")
    assert (one.status_code, set(one.json)) == (200, {"message"})
    assert stranger.put(f"/api/messages/messages/{first}/read").status_code in {403, 404}
    assert juris.put(f"{talk}/read-all").json == {"success": True, "messages_marked_read": 2}
    assert juris.get("/api/messages/unread-count").json == {"unread_count": 0}
    seen = anna.get(f"{talk}/messages").json["messages"]
    assert all(message["is_read"] and message["read_at"].endswith("Z") for message in seen)
