"""Words of every script, joined and split, with signs and marks: a query finds what its letters say."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from marketplace.core.database.db import db, execute, in_transaction
from marketplace.core.lists import full_text
from marketplace.listings.models import Listing
from marketplace.search.models import SavedSearch
from marketplace.search.policy import searchable
from marketplace.search.saved_searches import service as saved_searches_service
from marketplace.search.service import snippet
from tests.factories import things
from tests.factories.people import Person

# What is on offer, and what a query finds of it (by the numbers of the titles); all of one kind at once.
KINDS_OF_WRITING: dict[str, tuple[list[str], dict[str, set[int]]]] = {
    "without spaces": (
        [
            "新品の電動自転車です",
            "二手山地自行车出售",
            "중고자전거를 팝니다",
            "ขายโต๊ะไม้สัก",
            "ຂາຍລົດຖີບ",
            "កង់ថ្មី",
            "စက်ဘီးအသစ်",
            "転車台",
        ],
        {
            "自転車": {0},
            "電動": {0},
            "車": {0, 7},
            "自転車 新品": {0},
            '"自転車"': {0},
            "新品 -自転車": set(),
            "自行车": {1},
            "自転車 出售": set(),
            "자전거": {2},
            "자전거가": {2},
            "โต๊ะ": {3},
            "ไม้": {3},
            "ລົດ": {4},
            "ថ្មី": {5},
            "အသစ်": {6},
            "ﾃﾞﾝﾄﾞｳ": set(),
        },
    ),
    "marks": (
        ["साइकिल नई", "सोफा इकाई लकड़ी", "কাঠের টেবিল", "মাটির থালা", "Xe đạp", "كِتَاب", "سَيّارة کوچک", "שֻׁלְחָן", "Ёлка, щётка"],
        {
            "साइकिल": {0},
            "सकल": set(),
            "लकडी": {1},
            "টেবিল": {2},
            "টবল": set(),
            "xe dap": {4},
            "كتاب": {5},
            "کتاب": {5},
            "سيارة": {6},
            "كوچك": {6},
            "שלחן": {7},
            "елка щетка": {8},
        },
    ),
    "strokes and ligatures": (
        [
            "Łóżko z Łodzi",
            "Øl fra Ærø",
            "Đorđe Ħamrun",
            "Iğdır halısı",
            "Straße, Œuvre",
            "Þórr Ðeil",
            "ﬁne ﬂoor",
            "Ｗｉｄｅ ｔａｂｌｅ",
            "Қазақ ґанок",
            "٤٥ كرسي",
        ],
        {
            "lozko": {0},
            "ol aero": {1},
            "ØL": {1},
            "dorde hamrun": {2},
            "igdir": {3},
            "IĞDIR": {3},
            "strasse oeuvre": {4},
            "thorr deil": {5},
            "fine floor": {6},
            "wide table": {7},
            "казак ганок": {8},
            "45": {9},
        },
    ),
    "what cannot be seen": (
        [
            "Fahr\u00adrad\u00adschloss",
            "Tele\u200bscope",
            "Bino\u2060cular",
            "\ufeffHammock",
            "می‌خواهم",
            "Sla\u200dckline",
            "Tra\u034fpeze",
        ],
        {
            "fahrradschloss": {0},
            "Fahr\u00adradschloss": {0},
            "telescope": {1},
            "binocular": {2},
            "hammock": {3},
            "ham\u200bmock": {3},
            "میخواهم": {4},
            "slackline": {5},
            "trapeze": {6},
        },
    ),
    "together and apart": (
        [
            "Wi-Fi antenna",
            "WiFi cable",
            "wi fi stick",
            "GTX-1660 card",
            "GTX 1660 fan",
            "gtx1660 box",
            "Pixel 7Pro",
            "Mattress 140x200",
            "Mattress 140 × 200",
            "E-bike",
            "Ebike lock",
            "Air fryer",
            "Node.js book",
            "Flat 44 m²",
            "Hall for 2",
        ],
        {
            "wifi": {0, 1, 2},
            "wi-fi": {0, 1, 2},
            "wi fi": {0, 1, 2},
            "WI‑FI": {0, 1, 2},
            "wifi -wi-fi": set(),
            "gtx1660": {3, 4, 5},
            "gtx 1660": {3, 4, 5},
            "gtx-1660": {3, 4, 5},
            '"gtx1660 card"': {3},
            "pixel 7 pro": {6},
            "pixel 7pro": {6},
            "140 x 200": {7, 8},
            "140x200": {7, 8},
            "140×200": {7, 8},
            "140х200": {7, 8},
            "140 Х 200": {7, 8},
            "ebike": {9, 10},
            "e-bike": {9, 10},
            "e bike": {9, 10},
            "airfryer": {11},
            "nodejs": {12},
            "node.js": {12},
            "44m2": {13},
            "2": {14},
        },
    ),
    "sizes": (
        ["Матрас 90 х 200 ортопедический", "Доска 25х150х6000", "Mattress 140x200x20", 'Monitor 27" black'],
        {
            "90 х 200": {0},
            "матрас 90 х 200": {0},
            "90x200": {0},
            "25 х 150": {1},
            "25х150х6000": {1},
            "25 x 150 x 6000": {1},
            "140 х 200": {2},
            "140 × 200 × 20": {2},
            '27" black 27"': {3},
            "27″ black 27″": {3},
            '"monitor 27"': {3},
        },
    ),
    "signs of a name": (
        [
            "Book on C++",
            "Book on C#",
            "Book on C",
            "Book on .NET",
            "Fishing net book",
            "Course of ASP.NET",
            "Cat book",
            "Fridge A++",
            "Fridge A",
            "Lessons of .NET6",
            "Tutor for ASP NET",
        ],
        {
            "c++": {0},
            "C＋＋": {0},
            "cpp": {0},
            "c#": {1},
            "c♯": {1},
            "csharp": {1},
            "c": {2},
            "c book": {2},
            "book c": {2},
            ".net": {3, 5, 9, 10},
            ".net 6": {9},
            ".net6": {9},
            "net": {4},
            "book -.net -c++ -c# -c": {4, 6},
            "asp.net": {5, 10},
            "asp net": {5, 10},
            "f#": set(),
            "d++": set(),
            "a++": {7},
            "fridge a": {8},
        },
    ),
    "apostrophes": (
        [
            "Kids wagon",
            "Kid’s scooter",
            "Armoire ancienne",
            "L'armoire peinte",
            "Rock ʻnʼ roll",
            "комп'ютер",
            "O`Neill wetsuit",
        ],
        {
            "kid's": {0, 1},
            "kids": {0, 1},
            "kid´s wagon": {0},
            "l’armoire": {2, 3},
            "armoire": {2, 3},
            "larmoire": {2, 3},
            "rock'n'roll": {4},
            "компʼютер": {5},
            "компютер": {5},
            "oneill": {6},
            "O’Neill": {6},
        },
    ),
    "quotes and dashes": (
        ["Oak round table", "Round oak table", "Oak table for children", "Kid’s red wagon"],
        {
            "‚oak table‘": {1, 2},
            "‚oak table’": {1, 2},
            "‘oak table’ round": {1},
            "‘table oak’": set(),
            "(‘table oak’)": set(),
            "″oak table″": {1, 2},
            "oak -‘for children’": {0, 1},
            "“‘table’ oak”": set(),
            "‘kid’s red’": {3},
            "‘wagon kid’s’": set(),
            "kid’s wagon": {3},
            "wagon kids’": {3},
            "‘oak table": {0, 1, 2},
            "„oak table“": {1, 2},
            "“oak table”": {1, 2},
            "«oak table»": {1, 2},
            "»oak table«": {1, 2},
            "「oak table」": {1, 2},
            "《oak table》": {1, 2},
            "＂oak table＂": {1, 2},
            "oak –children": {0, 1},
            "oak —children": {0, 1},
            "oak −children": {0, 1},
            "oak －children": {0, 1},
            "oak ‑“for children”": {0, 1},
            "oak - children": {2},
        },
    ),
}


def found(person: Person, query: str) -> set[str]:
    """The titles."""
    answer = person.get("/api/listings", query_string={"q": query, "per_page": 100})
    assert answer.status_code == 200, answer.json
    return {item["title"] for item in answer.json["listings"]}


def offer(person: Person, *titles: str) -> list[int]:
    """Each for sale."""
    return [things.listing(person, title=title, description="-", tags="", category="other")["id"] for title in titles]


@pytest.mark.parametrize("kind", KINDS_OF_WRITING)
def test_words_are_found_however_they_are_written(app: Flask, anna: Person, kind: str) -> None:
    titles, queries = KINDS_OF_WRITING[kind]
    offer(anna, *titles)
    wrong = {
        query: got
        for query, wanted in queries.items()
        if (got := found(anna, query)) != {titles[number] for number in wanted}
    }
    assert wrong == {}


def test_of_letters_without_spaces_some_are_better_than_nothing(app: Flask, anna: Person) -> None:
    offer(anna, "中古自転車", "木の机")
    answer = anna.get("/api/search", query_string={"q": "自転車中古", "cursor": "start", "per_page": 1}).json
    assert ([one["title"] for one in answer["results"]], answer["matched"]) == (["中古自転車"], "some")
    offer(anna, "自転車の鍵")
    first = anna.get("/api/search", query_string={"q": "鍵付自転車", "cursor": "start", "per_page": 1}).json
    rest = anna.get("/api/search", query_string={"q": "鍵付自転車", "cursor": first["next_cursor"]})
    assert (rest.status_code, len(rest.json["results"])) == (200, 1)


@pytest.mark.parametrize(
    ("text", "sought", "hits"),
    [
        ("これは中古自転車を売ります", ("自転車",), ["自転車"]),
        ("A fast Wi-Fi stick", ("wifi",), ["Wi-Fi"]),
        ("नई साइकिल है", ("साइकिल",), ["साइकिल"]),
        ("Ein Fahr\u00adrad", ("fahrrad",), ["Fahr\u00adrad"]),
    ],
)
def test_hits_of_every_script_are_marked(text: str, sought: tuple[str, ...], hits: list[str]) -> None:
    pieces = snippet(text, sought)
    assert [piece["text"] for piece in pieces if piece["hit"]] == hits
    assert "".join(piece["text"] for piece in pieces) == text


def test_a_long_text_without_spaces_is_cut_to_a_snippet() -> None:
    assert sum(len(piece["text"]) for piece in snippet("自" * 5000, ("転車",))) < 200


def test_what_is_suggested_is_written_as_people_write_it(app: Flask, anna: Person) -> None:
    offer(anna, "Sarkans velosipēds")
    things.task(anna, title="Carry it", description="Smags dīvāns, Łódź")
    for typed, wanted in {
        "velo": "velosipēds",
        "Rīga dīv": "Rīga dīvāns",
        "lod": "łódź",
        "VELOSIPĒ": "velosipēds",
    }.items():
        answer = anna.get("/api/search/suggest", query_string={"q": typed}).json["suggestions"]
        assert wanted in [one["text"] for one in answer if one["type"] == "word"], (typed, answer)


def test_messages_are_found_however_they_are_written(app: Flask, anna: Person, juris: Person) -> None:
    chat = anna.post("/api/messages/conversations", json={"user_id": juris.id}).json["conversation"]["id"]
    for content in ("The WiFi works", "中古自転車です", "साइकिल"):
        anna.post(f"/api/messages/conversations/{chat}/messages", json={"content": content})
    for query, count in {"wi-fi": 1, "自転車": 1, "साइकिल": 1, "सकल": 0}.items():
        assert len(juris.get("/api/messages/search", query_string={"q": query}).json["messages"]) == count, query


@pytest.mark.parametrize(
    ("typed", "posted", "fits"),
    [
        ("自転車", "中古自転車です", True),
        ("wi-fi", "WiFi stick", True),
        ("gtx1660", "GTX 1660", True),
        ("kid's wagon", "Kids wagon", True),
        ("c", "C++", False),
        ("c", "Book on C", True),
        ("साइकिल", "सोफा इकाई लकड़ी", False),
    ],
)
def test_what_is_awaited_is_read_alike(
    app: Flask, anna: Person, juris: Person, typed: str, posted: str, fits: bool
) -> None:
    anna.post("/api/saved-searches", json={"name": "Mine", "q": typed})
    (listing,) = offer(juris, posted)
    with app.app_context():
        _, fitting = saved_searches_service.waiting_for("listing", searchable()["listing"].new(listing), 0, 100)
        db.session.remove()
    assert bool(fitting) == fits


def test_rows_of_an_earlier_version_are_named_and_written_anew(app: Flask, anna: Person) -> None:
    (listing,) = offer(anna, "Wi-Fi नई साइकिल")
    anna.post("/api/saved-searches", json={"name": "Mine", "q": "साइकिल"})
    as_it_was: Any = {"search_text": "wi fi नई स इक ल other"}
    run = app.test_cli_runner().invoke
    with app.app_context():
        in_transaction(lambda: execute(update(Listing).where(Listing.id == listing).values(as_it_was)))
        in_transaction(lambda: execute(update(SavedSearch).values(asked={"words": [["स", "स"]], "same": [[]]})))
        assert full_text.outdated() == ["listings"]
        db.session.remove()
    assert (
        "listings: old rows are indexed as an earlier version did it; run flask reindex" in run(args=["audit"]).output
    )
    told = run(args=["reindex"]).output
    assert ("1 rows" in told, "1 saved searches" in told) == (True, True)
    assert "Everything is as it must be." in run(args=["audit"]).output
    assert found(anna, "wifi साइकिल") == {"Wi-Fi नई साइकिल"}


def test_a_word_of_any_length_is_stored(app: Flask, anna: Person) -> None:
    text = "漢" * 3000 + " " + "ж" * 5000 + " " + "a1" * 2000
    things.listing(anna, title="Long", description=text)
    assert found(anna, "жжжж") == {"Long"}
