"""From a folder into a bucket: every file, looked at on both sides."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
import requests
from flask import Flask

from marketplace.core.database.db import db, in_transaction
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import relay
from marketplace.privacy import export_archive
from marketplace.uploads import service as uploads
from marketplace.uploads.gateways.s3 import S3Storage
from tests.conftest import make_app
from tests.factories import things
from tests.factories.people import Person
from tests.factories.pictures import PDF, picture
from tests.servers.s3 import BUCKET, S3Server
from tests.servers.waiting import PATIENCE


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """A bucket."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def home(app: Flask, tmp_path: Path) -> tuple[Flask, Path]:
    """The application with a folder of its own."""
    return make_app(app.config["DATABASE_URL"], UPLOADS_DIR=str(tmp_path)), tmp_path


def _copy(app: Flask, folder: Path) -> tuple[int, str]:
    answer = app.test_cli_runner().invoke(args=["copy-uploads", str(folder)])
    return answer.exit_code, answer.output


def _stored(s3: S3Server) -> dict[str, bytes]:
    found = s3.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {each["Key"]: s3.client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in found}


def _work(app: Flask) -> None:
    with app.app_context():
        relay()
        jobs.run_due()
        db.session.remove()


def _forget(app: Flask, person: Person) -> None:
    """The auditor looks into the folder of all tests, where these files never were."""
    for upload in person.get("/api/uploads").json["uploads"]:
        person.delete(f"/api/uploads/{upload['filename']}")
    _work(app)


def test_every_file_arrives_with_its_thumbnails_and_what_is_missing_is_named(
    home: tuple[Flask, Path], anna: Person, s3: S3Server
) -> None:
    app, folder = home
    anna.app = app
    shown, paper = things.upload(anna, data=picture("PNG", (400, 300))), things.upload(anna, "document", PDF, "p.pdf")
    _work(app)
    (folder / "public" / "0123.jpg").write_bytes(b"nobody knows it")
    cloud = make_app(app.config["DATABASE_URL"], **s3.settings)

    code, output = _copy(cloud, folder)
    assert (code, output.split(".")[0]) == (0, "5 copied, 0 there already, 0 missing, 0 not what was sent")
    assert "1 files in" in output
    stored = _stored(s3)
    assert stored[f"private/{paper['filename']}"] == PDF
    sent = [f"{part}/{file.name}" for part in ("public", "private") for file in (folder / part).iterdir()]
    assert {key for key in sent if stored.get(key) != (folder / key).read_bytes()} == {"public/0123.jpg"}
    head = s3.client.head_object(Bucket=BUCKET, Key=f"public/{shown['filename']}")
    assert (head["ContentType"], "immutable" in head["CacheControl"]) == ("image/png", True)

    s3.client.put_object(Bucket=BUCKET, Key=f"private/{paper['filename']}", Body=b"cut of")
    assert _copy(cloud, folder)[1].startswith("1 copied, 4 there already")
    (folder / "private" / paper["filename"]).unlink()
    s3.client.delete_object(Bucket=BUCKET, Key=f"private/{paper['filename']}")
    code, output = _copy(cloud, folder)
    assert (code, f"private/{paper['filename']} is missing" in output) == (1, True)
    _forget(app, anna)


def test_a_file_that_arrives_as_another_is_told(
    home: tuple[Flask, Path], anna: Person, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, folder = home
    anna.app = app
    things.upload(anna, "document", PDF, "p.pdf")
    whole = S3Storage.put

    def cut(self: S3Storage, key: str, data: bytes, content_type: str, *, public: bool) -> None:
        whole(self, key, data[:-1], content_type, public=public)

    monkeypatch.setattr(S3Storage, "put", cut)
    code, output = _copy(make_app(app.config["DATABASE_URL"], **s3.settings), folder)
    assert (code, "is not what was sent" in output) == (1, True)
    _forget(app, anna)


def test_a_folder_into_itself_or_a_bucket_that_is_not_there_is_one_sentence(
    home: tuple[Flask, Path], anna: Person, s3: S3Server
) -> None:
    app, folder = home
    anna.app = app
    things.upload(anna, "document", PDF, "p.pdf")
    code, output = _copy(app, folder)
    assert (code, "Set S3_BUCKET" in output) == (1, True)
    gone = make_app(app.config["DATABASE_URL"], **s3.settings | {"S3_BUCKET": "no-such-bucket"})
    code, output = _copy(gone, folder)
    assert (code, "The storage failed" in output, "Traceback" in output) == (1, True, False)
    _forget(app, anna)


def test_one_s_files_come_out_of_the_bucket_with_one_s_data(
    app: Flask, anna: Person, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = anna.app = make_app(app.config["DATABASE_URL"], **s3.settings)
    paper, gone, large = (things.upload(anna, "document", PDF + b"%%" * n, f"{n}.pdf") for n in (0, 1, 400))
    s3.client.delete_object(Bucket=BUCKET, Key=f"private/{gone['filename']}")
    monkeypatch.setattr(export_archive, "MOST_BYTES", len(PDF) + 200)
    packed = BytesIO()
    with cloud.app_context():
        export_archive.pack(anna.id, packed, lambda done, total: None)
        db.session.remove()
    archive = ZipFile(packed)
    told = {row["id"]: row for row in json.loads(archive.read("files.json"))}
    assert archive.read(told[paper["id"]]["file"]) == PDF
    assert (told[gone["id"]]["file"], "not in the storage" in told[gone["id"]]["left_out"]) == (None, True)
    assert (told[large["id"]]["file"], "no room" in told[large["id"]]["left_out"]) == (None, True)
    asked = anna.post("/api/auth/export").json["id"]
    _work(cloud)
    link = anna.get(f"/api/auth/export/{asked}").json["result_url"]
    answer = requests.get(anna.get(link).headers["Location"], timeout=PATIENCE)
    assert ZipFile(BytesIO(answer.content)).testzip() is None
    _forget(cloud, anna)
    with cloud.app_context():
        in_transaction(lambda: uploads.remove_some_of(anna.id, 10))
        db.session.remove()
    _work(cloud)
