"""CSV files come in fast, whole, and only once; what is wrong is told row by row."""

import csv
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from marketplace.cli import imports
from marketplace.cli.import_rows import KINDS
from tests.factories.people import Person, sign_up

HEADER = [
    "external_id",
    "title",
    "description",
    "price",
    "currency",
    "category",
    "condition",
    "image_urls",
    "lat",
    "lng",
]
GOOD = [
    "1",
    "City bicycle",
    "Seven gears.",
    "120.50",
    "EUR",
    "bike",
    "excellent",
    "https://a/1.jpg, https://a/2.jpg",
    "56.95",
    "24.1",
]


def _file(tmp_path: Path, *rows: list[str], header: list[str] = HEADER) -> Path:
    path = tmp_path / "goods.csv"
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def _run(app: Flask, kind: str, path: Path, *options: str) -> Result:
    rejects = path.with_suffix(".rejects.csv")
    return app.test_cli_runner().invoke(args=["import", kind, str(path), "--rejects", str(rejects), *options])


def _rejects(path: Path) -> list[dict[str, Any]]:
    csv.field_size_limit(10**9)
    with path.with_suffix(".rejects.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file))


def _changed(**cells: str) -> list[str]:
    return [cells.get(name, value) for name, value in zip(HEADER, GOOD, strict=True)]


def test_a_row_arrives_as_if_it_had_been_posted(app: Flask, anna: Person, tmp_path: Path) -> None:
    answer = _run(app, "listings", _file(tmp_path, GOOD), "--owner", "anna")

    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith("1 read, 1 imported, 0 already there, 0 rejected")
    seen = anna.get("/api/listings?q=bicycle&latitude=56.95&longitude=24.1&radius=1").json["listings"][0]
    wanted = {"price": 120.5, "price_minor": 12050, "category": "bicycles", "condition": "like_new", "seller": "anna"}
    assert wanted.items() <= seen.items()
    assert seen["image_urls"] == ["https://a/1.jpg", "https://a/2.jpg"]
    assert "edit" in seen["available_actions"]


def test_the_second_run_adds_nothing(app: Flask, anna: Person, tmp_path: Path) -> None:
    path = _file(tmp_path, GOOD, _changed(external_id="2"), _changed(external_id="2"))
    first, second = (_run(app, "listings", path, "--owner", "anna") for _ in range(2))
    assert first.output.startswith("3 read, 2 imported, 1 already there")
    assert second.output.startswith("3 read, 0 imported, 3 already there")
    assert anna.get("/api/listings/my").json["total"] == 2


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"price": "-1"}, "price: "),
        ({"price": "NaN"}, "price: "),
        ({"price": "1.001"}, "price: EUR has at most 2 decimals."),
        ({"price": str(2**63)}, "price: "),
        ({"lat": "95"}, "latitude: Between -90 and 90."),
        ({"title": ""}, "title: "),
        ({"title": "x" * 201}, "title: "),
        ({"title": "a\x00b"}, "title: This text holds characters that cannot be stored."),
        ({"description": "bad \udcff byte"}, "description: Not in this encoding. Say which"),
        ({"condition": "haunted"}, "condition: One of"),
        ({"image_urls": "javascript:alert(1)"}, "images: "),
        ({"external_id": ""}, "external_id: "),
        ({"currency": "XXX"}, "currency: One of"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason(
    app: Flask, anna: Person, tmp_path: Path, cells: dict[str, str], reason: str
) -> None:
    path = _file(tmp_path, GOOD, _changed(**{"external_id": "2", **cells}))
    answer = _run(app, "listings", path, "--owner", "anna")
    assert (answer.exit_code, answer.output.split(" (")[0]) == (0, "2 read, 1 imported, 0 already there, 1 rejected")
    assert _rejects(path)[0]["reason"].startswith(reason)


def test_a_row_with_too_many_values_is_set_aside(app: Flask, anna: Person, tmp_path: Path) -> None:
    path = _file(tmp_path, [*GOOD, "one more"])
    assert "1 rejected" in _run(app, "listings", path, "--owner", "anna").output


PEOPLE = "external_id,name,email\n"
LINE = "Chair,Good,10,EUR,other,good,,,"
OPEN = '2,"Open,Good,10,EUR,other,good,,,'


def _raw(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "raw.csv"
    path.write_bytes(data)
    return path


def _lines(*lines: str) -> bytes:
    return "\n".join([",".join(HEADER), *lines, ""]).encode()


def test_two_people_with_one_address_are_not_one(app: Flask, anna: Person, tmp_path: Path) -> None:
    text = f"{PEOPLE}1,Liepa,liepa@example.org\n2,Ozols,LIEPA@example.org\n3,Anna,anna@example.com\n1,Liepa,\n"
    answer = _run(app, "users", _raw(tmp_path, text.encode()), "--source", "p")
    assert answer.output.startswith("4 read, 1 imported, 1 already there, 2 rejected"), answer.output
    rejects = _rejects(tmp_path / "raw.csv")
    assert [(row["external_id"], row["line"], row["reason"][:7]) for row in rejects] == [
        ("2", "3", "email: "),
        ("3", "4", "email: "),
    ]
    again = _run(app, "users", _raw(tmp_path, text.encode()), "--source", "p")
    assert again.output.startswith("4 read, 0 imported, 2 already there, 2 rejected")


@pytest.mark.parametrize(
    ("lines", "told", "rejected"),
    [
        (["1," + LINE, OPEN, "3," + LINE, "4," + LINE], "4 read, 3 imported", ["3"]),
        (
            ["1," + LINE, '2,"Open,Good,10,EUR,other,good,,,', '3,"Chair","Good",10,EUR,other,good,,,'],
            "3 read, 2",
            ["3"],
        ),
        (
            ['1,Chair,Good,10,EUR,other,good,,,"', "2," + LINE, '3,Chair,Good,10,EUR,other,good,,,""'],
            "3 read, 2",
            ["2"],
        ),
        (
            ['1,"Open, one,Good', '2,Chair,"Good",10,EUR,other,good,,,', '3,Chair",Good'],
            "3 read, 1 imported",
            ["2", "4"],
        ),
        (['1,"Two\nlines, ""so""",Good,10,EUR,other,good,,,', "2," + LINE], "2 read, 2 imported", []),
        (['1,"Two\nlines",Good,10', "2," + LINE], "2 read, 1 imported", ["2"]),
        (['1,"Said" so,Good,10,EUR,other,good,,,', "2," + LINE], "2 read, 1 imported", ["2"]),
        (["1,Chair,Good", "2," + LINE + ",,,", "", ",,,,,,,,,", "  ", "3," + LINE], "3 read, 2 imported", ["2"]),
        (["1,Chair," + "x" * 1_100_000 + ",10,EUR,other,good,,,", "2," + LINE], "2 read, 1 imported", ["2"]),
        (["1,Chair\0,Good,10,EUR,other,good,,,", "2," + LINE], "2 read, 1 imported", ["2"]),
    ],
)
def test_a_broken_row_takes_no_other_with_it(
    app: Flask, anna: Person, tmp_path: Path, lines: list[str], told: str, rejected: list[str]
) -> None:
    path = _raw(tmp_path, _lines(*lines))
    answer = _run(app, "listings", path, "--owner", "anna")
    assert answer.output.startswith(told), answer.output
    assert [row["line"] for row in _rejects(path)] == rejected if rejected else "0 rejected" in answer.output


@pytest.mark.parametrize(
    ("encoding", "option"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("windows-1257", "windows-1257"), ("utf-16-le", "utf-16-le")],
)
def test_letters_arrive_from_every_encoding(
    app: Flask, anna: Person, tmp_path: Path, encoding: str, option: str
) -> None:
    text = _lines("1,Rīgas krēsls,Labs,10,EUR,other,good,,,", "2,Šķībs,Labs,much,EUR,other,good,,,").decode()
    path = _raw(tmp_path, text.encode(encoding))
    answer = _run(app, "listings", path, "--owner", "anna", *(["--encoding", option] if option else []))
    assert answer.output.startswith("2 read, 1 imported, 0 already there, 1 rejected"), answer.output
    assert anna.get("/api/listings/my").json["listings"][0]["title"] == "Rīgas krēsls"
    assert _rejects(path)[0]["title"] == "Šķībs"


def test_rejects_of_an_encoding_nobody_told_keep_their_letters(app: Flask, anna: Person, tmp_path: Path) -> None:
    path = _raw(tmp_path, _lines("1,Rīgas krēsls,Labs,10,EUR,other,good,,,").decode().encode("windows-1257"))
    _run(app, "listings", path, "--owner", "anna")
    rejects = path.with_suffix(".rejects.csv")
    assert "Rīgas krēsls" in rejects.read_text(encoding="windows-1257")
    again = rejects.rename(tmp_path / "again.csv")
    answer = _run(app, "listings", again, "--owner", "anna", "--encoding", "windows-1257")
    assert answer.output.startswith("1 read, 1 imported")


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        (b"", [], "has no header"),
        (b"external_id;title\n1;x\n", [], "semicolons separate the columns, say --delimiter"),
        (b"external_id,title,title\n1,x,y\n", [], "names title more than once"),
        ("external_id,title\n".encode("utf-16-le"), [], "--encoding utf-16-le"),
        (b"external_id,title\n1,x\n", ["--encoding", "klingon"], "no encoding called klingon"),
        (b"external_id,title\n1,x\n", ["--delimiter", ";;"], "--delimiter takes one character"),
        (b"external_id,title\n1,x\n", ["--encoding", "utf-16"], "Say another --encoding"),
        (b"external_id,title\n1,x\n", ["--rejects", "{path}"], "would overwrite the file"),
        (b"external_id,title\n1,x\n", ["--rejects", "{path}/x/y.csv"], "y.csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_plain_sentence(
    app: Flask, anna: Person, tmp_path: Path, data: bytes, options: list[str], sentence: str
) -> None:
    path = _raw(tmp_path, data)
    answer = _run(app, "listings", path, "--owner", "anna", *(each.format(path=path) for each in options))
    assert (answer.exit_code, sentence in answer.output, "Traceback" in answer.output) == (1, True, False), (
        answer.output
    )
    assert path.read_bytes() == data


def test_semicolons_and_tabs_separate_where_it_is_told(app: Flask, anna: Person, tmp_path: Path) -> None:
    for number, (told, sign) in enumerate(((";", ";"), ("tab", "\t"))):
        data = _lines(f"{number}," + LINE).replace(b",", sign.encode())
        answer = _run(app, "listings", _raw(tmp_path, data), "--owner", "anna", "--delimiter", told)
        assert answer.output.startswith("1 read, 1 imported"), answer.output


def test_a_row_that_the_database_refuses_costs_no_other(context: Flask, anna: Person) -> None:
    raw = {"title": "Chair", "description": "Good", "price": "10", "category": "other"}
    rows = [KINDS["listings"].row(dict(raw), f"x:{number}", anna.id) for number in range(5)]
    rows[2]["title"] = None
    stored = imports.store(KINDS["listings"].table, rows)
    assert (stored.imported, stored.known) == (4, 0)
    assert [row["import_ref"] for row, _ in stored.refused] == ["x:2"]


def test_owners_come_from_people_imported_before(app: Flask, anna: Person, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("id,full_name,rate,lat,lng\n7,Jānis Ozols,20,56.95678,24.12345\n7,Jānis Ozols,20,,\n")
    mapped = ["--map", "name=full_name", "--map", "hourly_rate=rate", "--source", "hosts"]
    assert "2 read, 1 imported, 1 already there" in _run(app, "users", people, *mapped).output
    path = _file(tmp_path, [*GOOD, "7"], [*_changed(external_id="2"), "8"], header=[*HEADER, "host"])
    answer = _run(app, "listings", path, "--owner-source", "hosts", "--map", "owner=host")

    assert "2 read, 1 imported, 0 already there, 1 rejected" in answer.output
    assert _rejects(path)[0]["reason"] == "owner: Nobody was imported as 8."
    helper = anna.get("/api/helpers").json["helpers"][0]
    assert (helper["name"], helper["hourly_rate"], helper["latitude"]) == ("Jānis Ozols", 20.0, 56.96)
    assert anna.get(f"/api/listings?seller_id={helper['id']}").json["total"] == 1


def test_an_imported_person_cannot_be_signed_in_as(app: Flask, anybody: Person, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("external_id,name,email\n1,Jānis,janis@example.com\n")
    _run(app, "users", people)
    for password in ("!", "", "x" * 8):
        tried = anybody.post("/api/auth/login", json={"email": "janis@example.com", "password": password})
        assert tried.status_code in {401, 422}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--owner", "nobody"], "Say whose these are"),
        (["--owner", "anna", "--map", "colour=title"], "the fields are"),
        (["--owner", "anna", "--map", "title=missing"], "the file's columns are"),
        (["--owner-source", "hosts"], "import those people first"),
    ],
)
def test_an_unusable_call_is_one_plain_sentence(
    app: Flask, anna: Person, tmp_path: Path, options: list[str], sentence: str
) -> None:
    answer = _run(app, "listings", _file(tmp_path, GOOD), *options)
    assert answer.exit_code == 1
    assert sentence in answer.output
    assert "Traceback" not in answer.output


def test_real_data_comes_in(app: Flask, set_a: Path, tmp_path: Path) -> None:
    anna = sign_up(app, "anna")
    rejects = ["--rejects", str(tmp_path / "rejects.csv")]

    def run(*args: str) -> str:
        return str(app.test_cli_runner().invoke(args=["import", *args, *rejects]).output)

    hosts = ["--source", "hosts", "--map", "external_id=owner_external_id", "--map", "name=owner_name"]
    places = ["--owner-source", "hosts", "--map", "owner=owner_external_id", "--map", "description=title"]
    jobs = ["--owner", "anna", "--map", "difficulty=level", "--map", "category=@tech"]
    goods = run("listings", str(set_a / "listings.csv"), "--owner", "anna")
    assert goods.startswith("6932 read, 6924 imported, 0 already there, 8 rejected"), goods
    assert run("users", str(set_a / "places.csv"), *hosts).startswith("3009 read, 1913 imported, 1096 already there")
    assert run("listings", str(set_a / "places.csv"), *places).startswith("3009 read, 3009 imported")
    assert run("tasks", str(set_a / "jobs.csv"), *jobs).startswith("2608 read, 2608 imported")
    assert anna.get("/api/listings?latitude=35.6&longitude=-82.55&radius=5").json["total"] == 1476
