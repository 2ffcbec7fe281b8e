"""Files over HTTP: sent, served, kept private, counted, and forgotten when nothing shows them."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import requests
import time_machine
from flask import Flask
from PIL import Image
from sqlalchemy import select, update
from werkzeug.serving import make_server

from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.queues import jobs
from marketplace.core.queues.jobs import JOBS
from marketplace.core.queues.outbox import relay
from marketplace.uploads.gateways.registry import storage
from marketplace.uploads.models import Upload, UploadUsage
from tests.conftest import make_app
from tests.factories import hostile_files, things
from tests.factories.people import Person, sign_up
from tests.factories.pictures import PDF, picture
from tests.factories.things import send_file
from tests.servers.s3 import S3Server
from tests.servers.waiting import PATIENCE


def work(app: Flask) -> None:
    """Everything that waits."""
    with app.app_context():
        relay()
        jobs.run_due()
        db.session.remove()


def later(app: Flask, **delay: float) -> None:
    """The hourly sweep, as if so much time had passed."""
    with time_machine.travel(datetime.now(UTC) + timedelta(**delay)), app.app_context():
        in_transaction(lambda: jobs.enqueue("sweep_uploads"))
        jobs.run_due()
        jobs.run_due()
        assert JOBS.count("failed") == 0
        db.session.remove()


def test_the_existing_clients_picture_upload_works_end_to_end(app: Flask, anna: Person, anybody: Person) -> None:
    answer = send_file(anna, "/api/uploads", picture("JPEG", (2000, 1500)), "IMG_0001.JPG")
    assert answer.status_code == 201
    assert {"message", "url", "filename", "id"} <= set(answer.json)
    assert answer.json["url"] == f"/api/uploads/{answer.json['filename']}"

    listing = things.listing(anna, images=[answer.json["url"]])
    shown = anybody.get(listing["image_urls"][0])
    assert (shown.status_code, shown.content_type) == (200, "image/jpeg")
    assert Image.open(BytesIO(shown.data)).size == (2000, 1500)
    assert "immutable" in shown.headers["Cache-Control"]

    assert anna.delete(answer.json["url"]).status_code == 200
    assert anybody.get(answer.json["url"]).status_code == 404
    work(app)
    with app.app_context():
        assert not list(storage().files(f"public/{answer.json['filename'][:32]}"))


def test_a_file_is_served_with_validators_and_in_parts(anna: Person, anybody: Person) -> None:
    url = things.upload(anna)["url"]
    whole = anybody.get(url)
    etag = whole.headers["ETag"]
    assert anybody.get(url, headers={"If-None-Match": etag}).status_code == 304
    part = anybody.get(url, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.data) == (206, whole.data[2:6])
    assert anybody.get(url, headers={"Range": "bytes=999999-"}).status_code == 416
    head = anybody.call("HEAD", url)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(whole.data)))
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    assert whole.headers["X-Content-Type-Options"] == "nosniff"


RANGES = {  # what is asked for: the status, and what of 0123456789… comes
    "bytes=0-0": (206, slice(0, 1)),
    "bytes=2-": (206, slice(2, None)),
    "bytes=-3": (206, slice(-3, None)),
    "bytes=-99999999": (206, slice(None)),
    "bytes=0-99999999999999": (206, slice(None)),
    "BYTES=1-2": (206, slice(1, 3)),
    "bytes=0-1,4-5": (200, slice(None)),
    "bytes=5-2": (200, slice(None)),
    "bytes=a-b": (200, slice(None)),
    "bytes": (200, slice(None)),
    "items=0-1": (200, slice(None)),
    "bytes=" + "9" * 5000 + "-": (200, slice(None)),
    "bytes=99999999-": (416, None),
    "bytes=-0": (416, None),
}


@pytest.mark.parametrize("kind", ["", "document"])
def test_parts_are_sent_as_http_says(anna: Person, kind: str) -> None:
    stored = things.upload(anna, kind, *((PDF, "a.pdf") if kind else ()))
    whole = anna.get(stored["url"])
    assert whole.headers["Accept-Ranges"] == "bytes"
    size = len(whole.data)
    for asked, (status, part) in RANGES.items():
        answer = anna.get(stored["url"], headers={"Range": asked})
        assert answer.status_code == status, asked
        if part is None:
            assert answer.headers["Content-Range"] == f"bytes */{size}"
            assert answer.json["code"] == "range_not_satisfiable"
        else:
            assert answer.data == whole.data[part], asked
            assert ("Content-Range" in answer.headers) == (status == 206)
    etag, moment = whole.headers["ETag"], whole.headers["Last-Modified"]
    for condition, status in ((etag, 206), (moment, 206), ('"other"', 200), ("Thu, 01 Jan 1970 00:00:00 GMT", 200)):
        assert anna.get(stored["url"], headers={"Range": "bytes=0-1", "If-Range": condition}).status_code == status
    known = anna.get(stored["url"], headers={"Range": "bytes=0-1", "If-None-Match": etag})
    assert (known.status_code, known.data) == (304, b"")
    head = anna.call("HEAD", stored["url"], headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(size))


def test_thumbnails_are_made_in_the_background(app: Flask, anna: Person, anybody: Person) -> None:
    upload = things.upload(anna, data=picture("PNG", (1600, 800)))
    early = anybody.get(upload["thumbnails"]["small"])
    assert (early.status_code, early.content_type) == (200, "image/png")
    assert "max-age=5" in early.headers["Cache-Control"]

    work(app)
    sizes = {}
    for name, url in upload["thumbnails"].items():
        answer = anybody.get(url)
        assert answer.content_type == "image/webp"
        sizes[name] = Image.open(BytesIO(answer.data)).size
    assert sizes == {"small": (160, 80), "medium": (480, 240), "large": (1080, 540)}


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("data", "name", "status"),
    [
        (b"", "empty.png", 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture.svg", 415),
        (b"<html><script>alert(1)</script>", "picture.png", 415),
        (PDF, "paper.pdf", 415),
        (picture()[:60], "cut.png", 422),
        (hostile_files.bomb_by_header(), "bomb.png", 422),
        (b"\xff\xd8\xff" + bytes(6 * 1024 * 1024), "large.jpg", 413),
        (b"\xff\xd8\xff" + bytes(5 * 1024 * 1024), "just-too-large.jpg", 413),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_sentence(anna: Person, data: bytes, name: str, status: int) -> None:
    answer = send_file(anna, "/api/uploads", data, name)
    assert answer.status_code == status, answer.json
    assert answer.json["error"].endswith(".")
    assert anna.get("/api/uploads").json["used_bytes"] == 0


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\0b.png", "x" * 5000 + ".png", "<script>.png", "con", "ā.exe"])
def test_a_files_name_is_never_used(anna: Person, name: str) -> None:
    filename = things.upload(anna, name=name)["filename"]
    assert len(filename) == 36
    assert filename.endswith(".png")


def test_a_wrong_part_and_no_file_are_told(anna: Person, anybody: Person) -> None:
    assert "called file" in send_file(anna, "/api/uploads", picture(), part="picture").json["error"]
    assert anna.post("/api/uploads", json={"file": "x"}).status_code == 422
    assert (
        anna.call("POST", "/api/uploads", data={"file": "text"}, content_type="multipart/form-data").status_code == 422
    )
    assert send_file(anybody, "/api/uploads", picture()).status_code == 401


def test_a_body_of_ten_thousand_parts_is_refused(anna: Person) -> None:
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="p{i}"\r\n\r\nx\r\n' for i in range(10_000))
    answer = anna.call(
        "POST", "/api/uploads", data=(parts + "--b--\r\n").encode(), content_type="multipart/form-data; boundary=b"
    )
    assert answer.status_code == 413


@pytest.fixture
def address(app: Flask) -> Iterator[tuple[str, int]]:
    """The application behind a real socket."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield ("127.0.0.1", server.server_port)
    server.shutdown()
    thread.join()


def test_a_body_that_ends_in_the_middle_stores_nothing(anna: Person, address: tuple[str, int]) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + picture()
    head = f"POST /api/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {anna.token}\r\n"
    head += f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body) + 500}\r\n\r\n"
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(100)
    assert answer.split(b" ")[1] in {b"400", b"422"}
    assert anna.get("/api/uploads").json["total"] == 0


def test_only_its_owner_deletes_a_file(anna: Person, juris: Person, admin: Person) -> None:
    url = things.upload(anna)["url"]
    assert juris.delete(url).status_code == 404
    assert admin.delete(url).status_code == 404
    assert anna.delete(url).status_code == 200
    assert anna.delete(url).status_code == 404


def test_a_private_paper_opens_by_signature_only(anna: Person, juris: Person, anybody: Person) -> None:
    paper = things.upload(anna, "document", PDF, "passport.pdf")
    bare = f"/api/uploads/{paper['filename']}"
    assert [person.get(bare).status_code for person in (anybody, juris, anna)] == [404, 404, 200]
    opened = anybody.get(paper["url"])
    assert (opened.status_code, opened.data) == (200, PDF)
    assert opened.headers["Cache-Control"] == "private, no-store"
    assert opened.headers["Content-Disposition"].startswith("attachment")

    assert anybody.get(paper["url"].replace("signature=", "signature=x")).status_code == 404
    assert anybody.get(paper["url"].replace("expires=1", "expires=9")).status_code == 404
    other = things.upload(juris, "document", PDF, "other.pdf")["filename"]
    assert anybody.get(paper["url"].replace(paper["filename"], other)).status_code == 404
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        assert anybody.get(paper["url"]).status_code == 404


def test_a_fresh_address_of_a_private_paper_is_for_its_owner(anna: Person, juris: Person, anybody: Person) -> None:
    name = things.upload(anna, "document", PDF, "p.pdf")["filename"]
    assert juris.get(f"/api/uploads/{name}/link").status_code == 404
    assert anybody.get(anna.get(f"/api/uploads/{name}/link").json["url"]).status_code == 200


def test_an_avatar_is_set_and_kept(app: Flask, anna: Person) -> None:
    stored = things.upload(anna, "avatar")
    assert anna.get("/api/auth/profile").json["avatar_url"] == stored["url"]
    work(app)
    later(app, days=30)
    assert anna.get(stored["url"]).status_code == 200


def test_the_quota_counts_what_is_stored(app: Flask, anna: Person) -> None:
    things.upload(anna)
    used = anna.get("/api/uploads").json["used_bytes"]
    assert used > 0
    app.config["UPLOAD_QUOTA_BYTES"], before = used + 10, app.config["UPLOAD_QUOTA_BYTES"]
    try:
        refused = send_file(anna, "/api/uploads", picture())
    finally:
        app.config["UPLOAD_QUOTA_BYTES"] = before
    assert (refused.status_code, refused.json["code"]) == (413, "quota_exceeded")
    assert anna.get("/api/uploads").json["used_bytes"] == used


def test_the_quota_counts_files_too(anna: Person, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "UPLOAD_QUOTA_FILES", 2)
    body = {"content_type": "image/png", "size": 1}
    things.upload(anna)
    assert [anna.post("/api/uploads/direct", json=body).status_code for _ in range(2)] == [201, 413]
    assert send_file(anna, "/api/uploads", picture()).status_code == 413


def test_what_was_taken_out_of_a_thing_can_be_put_back_for_a_while(app: Flask, anna: Person) -> None:
    url = things.upload(anna)["url"]
    listing = things.listing(anna, images=[url])["id"]
    with app.app_context():
        long_ago = datetime.now(UTC) - timedelta(days=30)
        in_transaction(lambda: execute(update(Upload).values(created_at=long_ago, unused_since=long_ago)))
        db.session.remove()
    anna.put(f"/api/listings/{listing}", json={"images": []})
    later(app, days=6)
    assert anna.get(url).status_code == 200


def test_the_same_key_stores_a_file_once(anna: Person) -> None:
    def send(data: bytes, key: str = "k") -> object:
        body = {"file": (BytesIO(data), "a.png")}
        return anna.call(
            "POST", "/api/uploads", data=body, content_type="multipart/form-data", headers={"Idempotency-Key": key}
        )

    first, second = send(picture()), send(picture())
    assert first.json == second.json
    assert anna.get("/api/uploads").json["total"] == 1
    assert send(picture(colour=(1, 1, 1))).status_code == 422


def test_what_nothing_shows_is_swept_and_what_is_shown_stays(app: Flask, anna: Person, juris: Person) -> None:
    shown, unused, of_task, done, offered, said = (things.upload(anna)["url"] for _ in range(6))
    listing = things.listing(anna, images=shown)
    task = things.assigned_task(juris, anna)
    things.task(anna, images=[of_task])
    anna.post(f"/api/tasks/{task['id']}/done", json={"images": [done]})
    things.offering(anna, images=offered)
    talk = anna.post("/api/messages/conversations", json={"user_id": juris.id}).json["id"]
    anna.post(f"/api/messages/conversations/{talk}/messages", json={"attachment_url": said, "attachment_type": "image"})

    later(app, days=6)
    assert anna.get(unused).status_code == 200
    later(app, days=8)
    assert [anna.get(url).status_code for url in (shown, unused, of_task, done, offered, said)] == [
        *(200, 404, 200, 200, 200, 200)
    ]
    anna.put(f"/api/listings/{listing['id']}", json={"images": []})
    later(app, days=8)
    assert anna.get(shown).status_code == 404


def test_an_upload_that_never_arrived_gives_its_room_back(app: Flask, anna: Person) -> None:
    body = {"content_type": "image/png", "size": 5000}
    assert anna.post("/api/uploads/direct", json=body).status_code == 201
    assert anna.get("/api/uploads").json["used_bytes"] == 5000
    later(app, hours=2)
    assert anna.get("/api/uploads").json["used_bytes"] == 0


def test_bytes_that_no_row_knows_are_swept_a_day_later(app: Flask) -> None:
    with app.app_context():
        storage().put("public/" + "a" * 32 + ".png", b"stray", "image/png", public=True)
    later(app, hours=1)
    with app.app_context():
        assert storage().size("public/" + "a" * 32 + ".png") == 5
    later(app, hours=26)
    with app.app_context():
        assert storage().size("public/" + "a" * 32 + ".png") is None


def test_what_a_process_was_writing_when_it_died_is_swept_a_day_later(app: Flask) -> None:
    left = Path(app.config["UPLOADS_DIR"]) / "public" / ".tmp-0123456789abcdef"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"half a picture")
    later(app, hours=1)
    assert left.exists()
    later(app, hours=26)
    assert not left.exists()


def test_a_direct_upload_goes_past_the_api(app: Flask, anna: Person, juris: Person) -> None:
    data = picture("PNG", (300, 200))
    begun = anna.post("/api/uploads/direct", json={"content_type": "image/png", "size": len(data)})
    way = begun.json["upload"]
    complete = f"/api/uploads/{way['id']}/complete"
    assert anna.post(complete).status_code == 422
    put = Person(app).call(way["method"], way["url"], data=data, headers=way["headers"])
    assert put.status_code == 200, put.json
    assert juris.post(complete).status_code == 404

    first, again = anna.post(complete), anna.post(complete)
    assert (first.status_code, first.json) == (200, again.json)
    assert (first.json["width"], first.json["content_type"]) == (300, "image/png")
    assert anna.get("/api/uploads").json["used_bytes"] == first.json["size"]


def test_a_direct_address_takes_only_what_was_announced(app: Flask, anna: Person) -> None:
    way = anna.post("/api/uploads/direct", json={"content_type": "image/png", "size": 10}).json["upload"]
    stranger = Person(app)
    assert stranger.call("PUT", way["url"], data=b"x" * 11).status_code == 422
    assert stranger.call("PUT", way["url"] + "x", data=b"x" * 10).status_code == 404
    assert stranger.call("PUT", way["url"].partition("?")[0], data=b"x" * 10).status_code == 404
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=20)):
        assert stranger.call("PUT", way["url"], data=b"x" * 10).status_code == 404
    assert stranger.call("PUT", way["url"], data=b"x" * 10).status_code == 200
    assert anna.post(f"/api/uploads/{way['id']}/complete").status_code == 415
    assert anna.get("/api/uploads").json["used_bytes"] == 0


@pytest.mark.parametrize("size", [0, 5 * 1024 * 1024 + 1, 2**63])
def test_a_direct_upload_of_a_wrong_size_is_not_begun(anna: Person, size: int) -> None:
    answer = anna.post("/api/uploads/direct", json={"content_type": "image/png", "size": size})
    assert answer.status_code in {413, 422}


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """A bucket."""
    server = S3Server()
    yield server
    server.stop()


def test_the_same_with_a_bucket(app: Flask, s3: S3Server) -> None:
    cloud = make_app(app.config["DATABASE_URL"], **s3.settings)
    anna = sign_up(cloud, "anna_in_the_cloud")
    upload = things.upload(anna, data=picture("JPEG", (900, 600)))
    shown = anna.get(upload["url"])
    assert shown.status_code == 302
    assert requests.get(shown.headers["Location"], timeout=PATIENCE).headers["Content-Type"] == "image/jpeg"
    work(cloud)
    small = requests.get(anna.get(upload["thumbnails"]["small"]).headers["Location"], timeout=PATIENCE)
    assert Image.open(BytesIO(small.content)).size == (160, 107)

    paper = things.upload(anna, "document", PDF, "p.pdf")
    assert Person(cloud).get(f"/api/uploads/{paper['filename']}").status_code == 404
    signed = Person(cloud).get(paper["url"])
    assert signed.headers["Cache-Control"] == "private, no-store"
    assert requests.get(signed.headers["Location"], timeout=PATIENCE).content == PDF

    data = picture("PNG", (50, 50))
    way = anna.post("/api/uploads/direct", json={"content_type": "image/png", "size": len(data)}).json["upload"]
    assert requests.put(way["url"], data=data, headers=way["headers"], timeout=PATIENCE).status_code == 200
    assert anna.post(f"/api/uploads/{way['id']}/complete").json["width"] == 50

    for url in (upload["url"], f"/api/uploads/{paper['filename']}"):
        assert anna.delete(url).status_code == 200
    work(cloud)
    left = [item["Key"] for item in s3.client.list_objects_v2(Bucket="files").get("Contents", [])]  # type: ignore[attr-defined]
    assert len(left) == 4  # the direct one and its thumbnails
    anna.delete(anna.get("/api/uploads").json["uploads"][0]["url"])
    work(cloud)


def test_a_cdn_is_named_in_addresses_and_recognised_in_things(app: Flask, s3: S3Server) -> None:
    cloud = make_app(app.config["DATABASE_URL"], **s3.settings, UPLOADS_BASE_URL="https://cdn.example.com/")
    anna = sign_up(cloud, "anna_at_the_edge")
    url = things.upload(anna)["url"]
    assert url.startswith("https://cdn.example.com/public/")
    things.listing(anna, images=[url])
    later(cloud, days=8)
    assert anna.get("/api/uploads").json["total"] == 1
    anna.delete("/api/uploads/" + url.rpartition("/")[2])
    work(cloud)


def test_a_storage_that_does_not_answer_is_a_503_and_keeps_no_room(app: Flask) -> None:
    broken = make_app(
        app.config["DATABASE_URL"], S3_BUCKET="x", S3_REGION="us-east-1", S3_ENDPOINT_URL="http://127.0.0.1:9"
    )
    anna = sign_up(broken, "anna_without_a_bucket")
    answer = send_file(anna, "/api/uploads", picture())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    with broken.app_context():
        assert fetch(select(UploadUsage.size).where(UploadUsage.user_id == anna.id))[0].size == 0
        in_transaction(lambda: execute(update(JOBS.table).values(done_at=JOBS.table.c.created_at)))
        assert fetch(select(Upload.id)) == []
        db.session.remove()
