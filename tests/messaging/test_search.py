"""Words found in one's own messages, and in nobody else's."""

from typing import Any

import pytest

from tests.factories.people import Person
from tests.factories.talks import TALKS, fill, pair, room, said, say

SEARCH = "/api/messages/search"


def ask(person: Person, q: str, **query: Any) -> dict[str, Any]:
    """The answer to some words."""
    answer = person.get(SEARCH, query_string={"q": q, **query})
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def found(person: Person, q: str, **query: Any) -> list[str]:
    """The contents of what is found."""
    return [one["content"] for one in ask(person, q, **query)["messages"]]


@pytest.fixture
def talk(anna: Person, juris: Person) -> int:
    """A conversation about many things."""
    talk = pair(anna, juris, message="")
    fill(anna, talk, ["Rīgas velosipēds", "the red bicycle", "a red car", "Ёлка и подарки", "50% off_now"])
    fill(juris, talk, ["The RED one, please", "Bicycle repaired"])
    return talk


@pytest.mark.parametrize(
    ("q", "contents"),
    [
        ("red", ["The RED one, please", "a red car", "the red bicycle"]),
        ("red bicycle", ["the red bicycle"]),
        ("bicycle red", ["the red bicycle"]),
        ("bicy", ["Bicycle repaired", "the red bicycle"]),
        ("bic re", ["Bicycle repaired", "the red bicycle"]),
        ("rigas", ["Rīgas velosipēds"]),
        ("RĪGAS VELOSIPEDS", ["Rīgas velosipēds"]),
        ("ёлка", ["Ёлка и подарки"]),
        ("елк", ["Ёлка и подарки"]),
        ("icycle", []),
        ("red boat", []),
        ("%", []),
        ("50%", ["50% off_now"]),
        ("_", []),
        ('"red" OR 1=1', []),
    ],
)
def test_all_words_or_their_beginnings_whatever_their_accents(
    anna: Person, juris: Person, talk: int, q: str, contents: list[str]
) -> None:
    assert found(anna, q) == found(juris, q) == contents


def test_a_message_is_found_as_the_list_shows_it(anna: Person, talk: int) -> None:
    first = said(anna, talk)[0]
    anna.post(f"/api/messages/messages/{first['id']}/reactions/😀")
    assert ask(anna, "velosipeds") == {
        "messages": [said(anna, talk)[0]],
        "has_more": False,
        "next_before_id": None,
    }


def test_nothing_of_others_is_found(anna: Person, juris: Person, stranger: Person, talk: int) -> None:
    elsewhere = pair(juris, stranger, "A red secret")
    assert found(stranger, "red") == ["A red secret"]
    assert "A red secret" not in found(anna, "red")
    assert "A red secret" in found(juris, "red")
    assert found(anna, "red", conversation_id=elsewhere) == found(stranger, "red", conversation_id=talk) == []
    assert found(juris, "red", conversation_id=elsewhere) == ["A red secret"]


def test_what_is_gone_is_not_found_and_what_is_changed_is_found_anew(anna: Person, juris: Person, talk: int) -> None:
    message = say(anna, talk, "Purple umbrella")
    path = f"/api/messages/messages/{message['id']}"
    anna.put(path, json={"content": "Yellow umbrella"})
    assert (found(juris, "purple"), found(juris, "yellow umb")) == ([], ["Yellow umbrella"])
    anna.delete(path)
    assert found(juris, "yellow") == found(anna, "umbrella") == []


def test_a_room_is_searched_from_when_one_came(anna: Person, juris: Person, stranger: Person) -> None:
    talk = room(anna, juris)
    pair(anna, stranger)
    say(anna, talk, "Purple before")
    anna.post(f"{TALKS}/{talk}/members", json={"user_id": stranger.id})
    say(anna, talk, "Purple after")
    assert (found(stranger, "purple"), len(found(juris, "purple"))) == (["Purple after"], 2)
    anna.delete(f"{TALKS}/{talk}/members/{stranger.id}")
    assert found(stranger, "purple") == []


@pytest.mark.parametrize("count", [49, 50, 51, 230, 620])
def test_page_by_page_everything_is_found_once(anna: Person, juris: Person, count: int) -> None:
    talk = pair(anna, juris, message="")
    wanted = fill(anna, talk, [f"Red number {number}" for number in range(count)])
    fill(juris, talk, ["Something else"] * 30)
    seen: list[int] = []
    query: dict[str, Any] = {}
    for _ in range(count // 50 + 2):
        page = ask(anna, "red num", **query)
        assert len(page["messages"]) <= 50
        seen += [one["id"] for one in page["messages"]]
        if not page["has_more"]:
            break
        query = {"before_id": page["next_before_id"]}
    assert (page["has_more"], page["next_before_id"]) == (False, None)
    assert seen == wanted[::-1]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": ""},
        {"q": "x" * 201},
        {"q": "a\x00"},
        {"q": "x", "before_id": "y"},
        {"q": "x", "before_id": -1},
        {"q": "x", "conversation_id": "1.5"},
        {"q": "x", "conversation_id": 2**63},
    ],
    ids=str,
)
def test_a_bad_question_is_refused(anna: Person, query: dict[str, Any]) -> None:
    assert anna.get(SEARCH, query_string=query).status_code == 422


def test_a_question_of_signs_finds_nothing(anna: Person, talk: int) -> None:
    assert ask(anna, "!?") == {"messages": [], "has_more": False, "next_before_id": None}
