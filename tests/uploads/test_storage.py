"""A folder and a bucket keep the same promises."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from marketplace.uploads.gateways import s3
from marketplace.uploads.gateways.local import LocalStorage
from marketplace.uploads.gateways.s3 import S3Storage
from marketplace.uploads.gateways.storage import Storage, StorageFailed
from tests.servers.s3 import BUCKET, KEY, REGION, SECRET, S3Server

NO_KEYS = [
    "../x",
    "public/../../etc/passwd",
    "/etc/passwd",
    "public/",
    "public/a/b",
    "public/a\\b",
    "other/a.jpg",
    "public/a.jpg\n",
    "public/a\0.jpg",
    "public/%2e%2e",
    "public/..",
    "public/.tmp-x",
    "PUBLIC/a.jpg",
    "public/a.",
    "public/a.toolong",
    "public//a",
    "",
    "public",
    "public/ä.jpg",
    "public/" + "a" * 81,
]


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    """One bucket for all."""
    started = S3Server()
    yield started
    started.stop()


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, server: S3Server) -> Storage:
    """Empty."""
    if request.param == "local":
        return LocalStorage(tmp_path / "files")
    found = bucket(server)
    for file in found.files():
        found.delete(file.key)
    return found


def bucket(server: S3Server, **other: str) -> S3Storage:
    """The tests' bucket, or with something wrong about it."""
    right = {"bucket": BUCKET, "region": REGION, "endpoint_url": server.url, "access_key": KEY, "secret_key": SECRET}
    return S3Storage(**{**right, **other})


def test_what_was_put_is_got_until_it_is_deleted(storage: Storage) -> None:
    storage.put("public/a.jpg", b"one", "image/jpeg", public=True)
    storage.put("public/a.jpg", b"second", "image/jpeg", public=True)
    assert (storage.get("public/a.jpg"), storage.size("public/a.jpg")) == (b"second", 6)

    storage.delete("public/a.jpg")
    storage.delete("public/a.jpg")
    assert (storage.get("public/a.jpg"), storage.size("public/a.jpg")) == (None, None)
    assert storage.path("public/a.jpg") is None


def test_everything_is_listed_over_many_pages(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAGE", 10)
    for number in range(25):
        storage.put(f"private/f{number:02}", b"x" * number, "application/pdf", public=False)
    storage.put("public/a.png", b"", "image/png", public=True)
    found = {file.key: file.size for file in storage.files("private/")}
    assert found == {f"private/f{number:02}": number for number in range(25)}
    assert len(list(storage.files())) == 26
    assert all(file.modified.tzinfo is not None for file in storage.files())


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_key_that_could_lead_elsewhere_is_none(storage: Storage, key: str) -> None:
    for use in (storage.get, storage.delete, storage.size, storage.path):
        with pytest.raises(ValueError, match="not a key"):
            use(key)
    with pytest.raises(ValueError, match="not a key"):
        storage.put(key, b"", "image/png", public=True)
    with pytest.raises(ValueError, match="not a key"):
        storage.link(key, seconds=5)


def test_dying_in_the_middle_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = LocalStorage(tmp_path)
    storage.put("public/a.jpg", b"old", "image/jpeg", public=True)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(StorageFailed, match="No space"):
        storage.put("public/a.jpg", b"new and longer", "image/jpeg", public=True)
    assert storage.get("public/a.jpg") == b"old"
    assert [file.name for file in (tmp_path / "public").iterdir()] == ["a.jpg"]


def test_a_link_out_of_the_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "public" / "a.jpg").symlink_to(tmp_path / "secret")
    storage = LocalStorage(tmp_path)
    assert storage.get("public/a.jpg") is None
    assert list(storage.files()) == []


def test_a_direct_upload_is_bound_to_its_type_and_length(server: S3Server) -> None:
    storage = bucket(server)
    way = storage.direct("incoming/abc", content_type="image/png", size=5, seconds=60)
    assert way is not None
    signed = parse_qs(urlsplit(way.url).query)["X-Amz-SignedHeaders"][0].split(";")
    assert {"content-length", "content-type", "host"} <= set(signed)

    assert requests.request(way.method, way.url, data=b"12345", headers=way.headers, timeout=5).status_code == 200
    link = storage.link("incoming/abc", seconds=60)
    assert link is not None
    assert requests.get(link, timeout=5).content == b"12345"


def test_how_a_file_may_be_kept_travels_with_it(server: S3Server) -> None:
    storage = bucket(server)
    storage.put("public/b.png", b"x", "image/png", public=True)
    storage.put("private/c.pdf", b"x", "application/pdf", public=False)
    shown = requests.get(storage.link("public/b.png", seconds=60) or "", timeout=5).headers
    assert (shown["Content-Type"], shown["Cache-Control"]) == ("image/png", "public, max-age=31536000, immutable")
    paper = requests.get(storage.link("private/c.pdf", seconds=60) or "", timeout=5).headers
    assert (paper["Content-Disposition"], paper["Cache-Control"]) == ("attachment", "private, no-store")


def test_a_bucket_that_is_not_there_or_does_not_answer_is_told(server: S3Server) -> None:
    with pytest.raises(StorageFailed):
        bucket(server, bucket="no-such-bucket").put("public/a.png", b"", "image/png", public=True)
    with pytest.raises(StorageFailed):
        bucket(server, endpoint_url="http://127.0.0.1:9").get("public/a.png")
