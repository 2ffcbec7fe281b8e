"""What is attached to messages: kept as it is, called as it was, held against its name, never shown in a page."""

import zipfile
from collections.abc import Iterator
from io import BytesIO

import pytest
import requests
from flask import Flask
from werkzeug.http import parse_options_header

from marketplace.uploads.documents import clean_name
from tests.conftest import make_app
from tests.factories import talks, things
from tests.factories.people import Person, sign_up
from tests.factories.pictures import PDF, picture
from tests.factories.things import send_file
from tests.servers.s3 import S3Server
from tests.servers.waiting import PATIENCE


def zipped(**files: bytes) -> bytes:
    """An archive; two underscores in a name stand for a slash."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def office(folder: str, **more: bytes) -> bytes:
    """As Word, Excel and PowerPoint write them."""
    return zipped(**{"[Content_Types].xml": b"<Types/>", f"{folder}__main.xml": b"<x/>", **more})


def old(stream: str) -> bytes:
    """As they did before 2007."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le") + bytes(512)


def box(brand: bytes) -> bytes:
    """The beginning of an MP4, M4A, MOV or 3GP file."""
    return b"\0\0\0\x18ftyp" + brand + bytes(200)


MATROSKA = b"\x1a\x45\xdf\xa3" + bytes(100)
OPEN = b"application/vnd.oasis.opendocument."
FILES = {
    "voice.mp3": (b"ID3\4" + bytes(100), "audio/mpeg"),
    "voice.m4a": (box(b"M4A "), "audio/mp4"),
    "voice.aac": (b"\xff\xf1" + bytes(100), "audio/aac"),
    "voice.ogg": (b"OggS" + bytes(100), "audio/ogg"),
    "voice.opus": (b"OggS" + bytes(100), "audio/ogg"),
    "voice.wav": (b"RIFF\x24\0\0\0WAVEfmt " + bytes(100), "audio/wav"),
    "voice.flac": (b"fLaC" + bytes(100), "audio/flac"),
    "clip.mp4": (box(b"isom"), "video/mp4"),
    "clip.MOV": (box(b"qt  "), "video/quicktime"),
    "clip.3gp": (box(b"3gp4"), "video/3gpp"),
    "clip.webm": (MATROSKA, "video/webm"),
    "estimate.docx": (office("word"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "prices.xlsx": (office("xl"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "talk.pptx": (office("ppt"), "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    "old.doc": (old("WordDocument"), "application/msword"),
    "old.xls": (old("Workbook"), "application/vnd.ms-excel"),
    "open.odt": (zipped(mimetype=OPEN + b"text"), "application/vnd.oasis.opendocument.text"),
    "open.ods": (zipped(mimetype=OPEN + b"spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet"),
    "rich.rtf": (b"{\\rtf1 Hello}", "application/rtf"),
    "notes.txt": ("Adrese: Rīga, 5 < 7".encode(), "text/plain"),
    "notes.csv": ("a;b\r\nā;š\r\n".encode("utf-8-sig"), "text/csv"),
    "windows.txt": ("Adrese: Rīga, Šķūņu iela\r\n".encode("cp1257"), "application/octet-stream"),
    "windows.csv": ("preču;skaits\r\nķēde;5\r\n\x1a".encode("cp1257"), "application/octet-stream"),
    "japanese.txt": ("こんにちは、世界".encode("shift_jis"), "application/octet-stream"),
    "wide.txt": ("Rīga".encode("utf-16"), "application/octet-stream"),
    "paper.pdf": (PDF, "application/pdf"),
}
HTML, SVG = b"<!DOCTYPE html><script>alert(1)</script>", b"\xef\xbb\xbf \n<svg xmlns='x' onload='alert(1)'/>"
PROGRAM = b"MZ\x90\0" + bytes(200)
REFUSED = {
    "voice.mp3": HTML,
    "voice.ogg": SVG,
    "clip.mp4": PROGRAM,
    "clip.webm": b"#!/bin/sh\nrm -rf /\n",
    "notes.txt": HTML,
    "notes.csv": SVG,
    "words.txt": PROGRAM,
    "picture.txt": picture("PNG"),
    "photograph.mp3": picture("JPEG"),
    "paper.csv": PDF + b"\0",
    "bytes.txt": b"\xe2\x01\x02",
    "wide page.txt": HTML.decode().encode("utf-16"),
    "estimate.docx": zipped(a=b"x"),
    "macros.docx": office("word", word__vbaProject=b"", **{"word__vbaProject.bin": b"x"}),
    "sheet.xlsx": office("word"),
    "old.doc": old("InstallerData"),
    "program.exe": PROGRAM,
    "page.html": HTML,
    "drawing.svg": SVG,
    "archive.zip": zipped(a=b"x"),
    "no-name": b"plain words",
    "clip.mkv": box(b"isom"),
    "picture.heic.mp4": b"\0\0\0\x18ftypheic" + bytes(100),
}


def test_every_kind_the_chat_knows_is_an_inert_download(anna: Person, anybody: Person) -> None:
    for name, (data, media_type) in FILES.items():
        stored = things.upload(anna, "document", data, name)
        assert (stored["content_type"], stored["is_private"], stored["thumbnails"]) == (media_type, True, {}), name
        assert stored["original_name"] == name[: name.rindex(".")] + name[name.rindex(".") :].lower()
        sent = anybody.get(stored["url"])
        assert (sent.status_code, sent.data) == (200, data)
        assert sent.headers["Content-Type"].partition(";")[0] == media_type
        assert sent.headers["X-Content-Type-Options"] == "nosniff"
        assert sent.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        kind, told = parse_options_header(sent.headers["Content-Disposition"])
        assert (kind, told["filename"]) == ("attachment", stored["original_name"])


@pytest.mark.one_database
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_what_its_name_says_is_refused(anna: Person, name: str) -> None:
    answer = send_file(anna, "/api/uploads/document", REFUSED[name], name)
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_file"), answer.json
    assert answer.json["detail"].startswith(("By its name", "This is", "Send")), answer.json
    assert anna.get("/api/uploads").json["total"] == 0


@pytest.mark.parametrize("way", ["", "/task-image", "/chat-image", "/avatar"])
def test_only_the_private_way_takes_them(anna: Person, way: str) -> None:
    for name in ("voice.mp3", "estimate.docx", "notes.txt"):
        answer = send_file(anna, f"/api/uploads{way}", FILES[name][0], name)
        assert answer.status_code == 415
        assert "PNG" in answer.json["detail"]


def test_a_picture_keeps_its_name_and_loses_what_it_was(anna: Person) -> None:
    stored = things.upload(anna, "document", picture("JPEG"), "IMG_0001.HEIC")
    assert (stored["original_name"], stored["width"]) == ("IMG_0001.jpg", 64)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\anna\\Tāme № 5.txt", "Tāme № 5.txt"),
        ("invoice\u202efdp.exe.txt", "invoice fdp.exe.txt"),
        ('a"b\r\nSet-Cookie: x=1.txt', "a_b Set-Cookie_ x=1.txt"),
        ("a\u200b\u2066b\0c.TXT", "a b c.txt"),
        ("...txt", None),
        (".txt", None),
        ("", None),
        ("no extension", "no extension.txt"),
        ("x" * 500 + ".txt", "x" * 120 + ".txt"),
        ("a\u0301.txt", "á.txt"),
        ("\udcff.txt", None),
    ],
)
def test_a_name_is_kept_without_what_it_could_do(sent: str, kept: str | None) -> None:
    assert clean_name(sent, "txt") == kept


def test_limits_of_size_depend_on_the_kind(app: Flask) -> None:
    anna = sign_up(
        make_app(app.config["DATABASE_URL"], UPLOAD_MAX_BYTES="20000", UPLOAD_MAX_FILE_BYTES="40000"), "anna"
    )
    sound = b"ID3\4" + bytes(30_000)
    assert send_file(anna, "/api/uploads/document", sound, "a.mp3").status_code == 201
    large = send_file(anna, "/api/uploads/document", sound + sound, "a.mp3")
    assert (large.status_code, "0.038147 MB at most" in large.json["detail"]) == (413, True)
    image = send_file(anna, "/api/uploads/document", picture("PNG") + bytes(30_000), "a.png")
    assert (image.status_code, "picture is too large" in image.json["detail"]) == (413, True)


def test_an_archive_that_grows_is_never_opened(anna: Person) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "word/main.xml", "word/zeros"):
            archive.writestr(name, bytes(50_000_000) if name.endswith("zeros") else b"<x/>")
    assert things.upload(anna, "document", packed.getvalue(), "a.docx")["size"] == len(packed.getvalue())


def test_a_message_carries_a_file_to_the_other_and_to_nobody_else(anna: Person, juris: Person, anybody: Person) -> None:
    talk = talks.pair(anna, juris, message="")
    data = FILES["estimate.docx"][0]
    stored = things.upload(anna, "document", data, "Tāme.docx")
    said = {"content": "", "attachment_url": stored["url"], "attachment_type": "file"}
    sent = anna.post(f"{talks.TALKS}/{talk}/messages", json=said)
    assert sent.status_code == 201, sent.json
    shown = juris.get(f"{talks.TALKS}/{talk}/messages").json["messages"][0]["attachment_url"]
    opened = anybody.get(shown)  # a signed address opens for whoever has it, for a quarter of an hour
    assert opened.data == data
    assert parse_options_header(opened.headers["Content-Disposition"])[1]["filename"] == "Tāme.docx"
    assert anybody.get(shown.partition("?")[0]).status_code == 404


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """A bucket."""
    server = S3Server()
    yield server
    server.stop()


def test_a_bucket_sends_them_by_the_same_name(app: Flask, s3: S3Server) -> None:
    cloud = make_app(app.config["DATABASE_URL"], **s3.settings)
    anna = sign_up(cloud, "anna")
    data = FILES["voice.mp3"][0]
    stored = things.upload(anna, "document", data, "Balss “ziņa”.mp3")
    sent = requests.get(anna.get(stored["url"]).headers["Location"], timeout=PATIENCE)
    assert (sent.content, sent.headers["Content-Type"]) == (data, "audio/mpeg")
    kind, told = parse_options_header(sent.headers["Content-Disposition"])
    assert (kind, told["filename"]) == ("attachment", "Balss “ziņa”.mp3")
    named = {"content_type": "audio/mpeg", "size": len(data), "purpose": "document", "name": "b.mp3"}
    way = anna.post("/api/uploads/direct", json=named).json["upload"]
    assert requests.put(way["url"], data=data, headers=way["headers"], timeout=PATIENCE).ok
    assert anna.post(f"/api/uploads/{way['id']}/complete").json["original_name"] == "b.mp3"
    way = anna.post("/api/uploads/direct", json={**named, "name": "b.docx"}).json["upload"]
    assert requests.put(way["url"], data=data, headers=way["headers"], timeout=PATIENCE).ok
    assert anna.post(f"/api/uploads/{way['id']}/complete").status_code == 415
    for upload in anna.get("/api/uploads").json["uploads"]:
        anna.delete(f"/api/uploads/{upload['filename']}")
