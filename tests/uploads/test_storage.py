"""A folder and a bucket keep the same promises."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from marketplace.uploads.gateways import s3
from marketplace.uploads.gateways.local import LocalStorage
from marketplace.uploads.gateways.s3 import S3Storage
from marketplace.uploads.gateways.storage import Storage, StorageFailed
from tests.servers.s3 import BUCKET, KEY, REGION, SECRET, S3Server, is_vouched_for
from tests.servers.waiting import PATIENCE

KEYS = [
    "public/ab12.jpg",
    "public/ab12-small.webp",
    "private/cd34.pdf",
    "incoming/ef56",
    "public/" + "a" * 80 + ".jfif1",
]
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
USES: list[Callable[[Storage, str], Any]] = [
    lambda storage, key: storage.put(key, b"", "image/png", public=True),
    lambda storage, key: storage.get(key),
    lambda storage, key: storage.path(key),
    lambda storage, key: storage.delete(key),
    lambda storage, key: storage.link(key, seconds=5),
    lambda storage, key: storage.direct(key, content_type="image/png", size=1, seconds=5),
    lambda storage, key: storage.size(key),
]
REQUESTS: list[Callable[[Storage], Any]] = [
    lambda storage: storage.put("public/a.png", b"x", "image/png", public=True),
    lambda storage: storage.get("public/a.png"),
    lambda storage: storage.delete("public/a.png"),
    lambda storage: storage.size("public/a.png"),
    lambda storage: list(storage.files()),
]
DYING = """
import os, sys
from pathlib import Path
from marketplace.uploads.gateways.local import LocalStorage
os.replace = lambda *_: os.kill(os.getpid(), 9)
LocalStorage(Path(sys.argv[1])).put("public/a.jpg", b"new and longer", "image/jpeg", public=True)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    """One bucket for all."""
    started = S3Server()
    yield started
    started.stop()


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Empty."""
    if request.param == "local":
        return LocalStorage(tmp_path / "files")
    return request.getfixturevalue("cloud")


@pytest.fixture
def cloud(server: S3Server) -> S3Storage:
    """The bucket, empty."""
    for item in server.client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        server.client.delete_object(Bucket=BUCKET, Key=item["Key"])
    return bucket(server)


@pytest.fixture
def folder(tmp_path: Path) -> LocalStorage:
    """A folder with one file."""
    found = LocalStorage(tmp_path / "files")
    found.put("public/a.jpg", b"old", "image/jpeg", public=True)
    return found


def bucket(server: S3Server, **other: Any) -> S3Storage:
    """The tests' bucket, or with something different about it."""
    right = {"bucket": BUCKET, "region": REGION, "endpoint_url": server.url, "access_key": KEY, "secret_key": SECRET}
    return S3Storage(**{**right, **other})


def names(folder: LocalStorage) -> list[str]:
    """What lies among the public files, whoever put it there."""
    return sorted(file.name for file in (folder.root / "public").iterdir())


@contextmanager
def nobody_answering(*, taking: bool) -> Iterator[str]:
    """An address that refuses connections, or takes them and stays silent."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        if taking:
            held.listen(100)
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """The system refuses the rest of a longer one in the middle of writing, like a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("key", KEYS)
def test_what_was_put_is_got_until_it_is_deleted(storage: Storage, key: str) -> None:
    storage.put(key, b"the first and longer", "image/jpeg", public=True)
    storage.put(key, b"second\0\xff", "image/jpeg", public=False)
    assert (storage.get(key), storage.size(key)) == (b"second\0\xff", 8)

    storage.delete(key)
    assert (storage.get(key), storage.size(key), storage.path(key)) == (None, None, None)
    storage.delete(key)
    assert list(storage.files()) == []


def test_an_empty_file_is_a_file(storage: Storage) -> None:
    storage.put("incoming/a", b"", "application/octet-stream", public=False)
    assert (storage.get("incoming/a"), storage.size("incoming/a")) == (b"", 0)


def test_only_a_file_on_this_machine_has_a_path(folder: LocalStorage, cloud: S3Storage) -> None:
    cloud.put("public/a.jpg", b"old", "image/jpeg", public=True)
    path = folder.path("public/a.jpg")
    assert path is not None
    assert path.read_bytes() == b"old"
    assert cloud.path("public/a.jpg") is None


def test_a_folder_has_no_addresses(folder: LocalStorage) -> None:
    assert folder.link("public/a.jpg", seconds=60, filename="a.jpg") is None
    assert folder.direct("incoming/a", content_type="image/png", size=5, seconds=60) is None


def test_everything_is_listed_over_many_pages(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAGE", 10)
    begin = datetime.now(UTC) - timedelta(seconds=2)  # a bucket and a disk round, each as they like
    for number in range(25):
        storage.put(f"private/f{number:02}", b"x" * number, "application/pdf", public=False)
    storage.put("public/a.png", b"", "image/png", public=True)

    everything = list(storage.files())
    assert {file.key: file.size for file in storage.files("private/")} == {f"private/f{n:02}": n for n in range(25)}
    assert sorted(file.key for file in storage.files("private/f1")) == [f"private/f1{n}" for n in range(10)]
    assert (len(everything), list(storage.files("nothing"))) == (26, [])
    assert all(file.modified.tzinfo is UTC and begin < file.modified <= datetime.now(UTC) for file in everything)


def test_a_bucket_is_listed_as_it_is_read(server: S3Server, cloud: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAGE", 1)
    for name in "ab":
        cloud.put(f"public/{name}", b"", "image/png", public=True)
    found = cloud.files()
    assert next(found).key == "public/a"
    server.client.delete_object(Bucket=BUCKET, Key="public/b")
    assert list(found) == []


def test_files_may_be_deleted_while_they_are_listed(storage: Storage) -> None:
    for number in range(50):
        storage.put(f"public/f{number}", b"", "image/png", public=True)
    for file in storage.files():
        storage.delete(file.key)
    assert list(storage.files()) == []


def test_more_than_a_thousand_files_in_a_folder_are_listed(folder: LocalStorage) -> None:
    for number in range(1_100):
        (folder.root / "public" / f"f{number}.png").touch()
    assert len({file.key for file in folder.files("public/f")}) == 1_100


def test_what_is_not_ours_is_not_listed(folder: LocalStorage, server: S3Server, cloud: S3Storage) -> None:
    cloud.put("public/a.jpg", b"old", "image/jpeg", public=True)
    for foreign in (
        "public/.tmp-0123456789abcdef",
        "public/.DS_Store",
        "public/read me.txt",
        "public/sub/a.jpg",
        "b.sql",
    ):
        server.client.put_object(Bucket=BUCKET, Key=foreign, Body=b"x")
        (folder.root / foreign).parent.mkdir(exist_ok=True)
        (folder.root / foreign).write_bytes(b"x")
    assert [file.key for file in folder.files()] == ["public/a.jpg"]
    assert [file.key for file in cloud.files()] == ["public/a.jpg"]


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_key_that_could_lead_elsewhere_is_none(key: str, tmp_path: Path) -> None:
    with nobody_answering(taking=False) as nowhere:  # refused before anything is asked
        unreachable = S3Storage(bucket=BUCKET, region=REGION, endpoint_url=nowhere, access_key=KEY, secret_key=SECRET)
        for storage in (LocalStorage(tmp_path / "files"), unreachable):
            for use in USES:
                with pytest.raises(ValueError, match="not a key"):
                    use(storage, key)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", [OSError(28, "No space left on device"), KeyboardInterrupt(), SystemExit(1)])
def test_dying_in_the_middle_leaves_the_old_file(
    folder: LocalStorage, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise end

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(StorageFailed if isinstance(end, OSError) else type(end)):
        folder.put("public/a.jpg", b"new and longer", "image/jpeg", public=True)
    assert folder.get("public/a.jpg") == b"old"
    assert names(folder) == ["a.jpg"]


def test_a_killed_process_leaves_the_old_file_and_a_recognisable_rest(folder: LocalStorage) -> None:
    assert subprocess.run([sys.executable, "-c", DYING, str(folder.root)], check=False).returncode == -9
    assert folder.get("public/a.jpg") == b"old"
    assert [name.startswith(".tmp-") for name in names(folder)] == [True, False]
    assert [file.key for file in folder.files()] == ["public/a.jpg"]

    folder.put("public/a.jpg", b"new", "image/jpeg", public=True)
    assert folder.get("public/a.jpg") == b"new"


def test_a_disk_that_fills_up_while_writing_leaves_the_old_file(folder: LocalStorage) -> None:
    with no_file_larger_than(1_000), pytest.raises(StorageFailed):
        folder.put("public/a.jpg", b"x" * 5_000, "image/jpeg", public=True)
    assert folder.get("public/a.jpg") == b"old"
    assert names(folder) == ["a.jpg"]


def test_a_root_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "files").write_bytes(b"")
    with pytest.raises(StorageFailed):
        LocalStorage(tmp_path / "files").put("public/a.jpg", b"x", "image/jpeg", public=True)


def test_a_file_that_is_a_link_is_none_and_is_replaced_not_followed(folder: LocalStorage) -> None:
    secret = folder.root.parent / "secret"
    secret.write_bytes(b"secret")
    (folder.root / "public" / "b.jpg").symlink_to(secret)
    assert (folder.get("public/b.jpg"), folder.size("public/b.jpg"), folder.path("public/b.jpg")) == (None, None, None)
    assert [file.key for file in folder.files()] == ["public/a.jpg"]

    folder.put("public/b.jpg", b"new", "image/jpeg", public=True)
    assert (folder.get("public/b.jpg"), secret.read_bytes()) == (b"new", b"secret")
    folder.delete("public/b.jpg")
    assert secret.exists()


@pytest.mark.parametrize("ask", REQUESTS)
def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, ask: Callable[[Storage], Any]) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.png").write_bytes(b"secret")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "public").symlink_to(outside)

    with pytest.raises(StorageFailed, match="is a link"):
        ask(LocalStorage(tmp_path / "files"))
    assert [(file.name, file.read_bytes()) for file in outside.iterdir()] == [("a.png", b"secret")]


def test_a_root_that_is_a_link_is_the_operators_choice(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "files").symlink_to(tmp_path / "disk")
    storage = LocalStorage(tmp_path / "files")
    storage.put("public/a.jpg", b"x", "image/jpeg", public=True)
    assert [file.key for file in storage.files()] == ["public/a.jpg"]


def test_readers_meet_the_old_file_or_the_new_one(storage: Storage) -> None:
    written = [bytes([number]) * 30_000 for number in range(8)]
    storage.put("public/a.jpg", written[0], "image/jpeg", public=True)
    with ThreadPoolExecutor(8) as pool:
        writing = [pool.submit(storage.put, "public/a.jpg", data, "image/jpeg", public=True) for data in written]
        reading = [pool.submit(storage.get, "public/a.jpg") for _ in range(20)]
        assert all(done.result() in written for done in reading)
        assert all(done.result() is None for done in writing)


def test_readers_meet_a_file_or_none_while_it_is_deleted(storage: Storage) -> None:
    def come_and_go(_: int) -> None:
        storage.put("public/a.jpg", b"here", "image/jpeg", public=True)
        storage.delete("public/a.jpg")

    with ThreadPoolExecutor(6) as pool:
        going = pool.map(come_and_go, range(40))
        read = pool.map(lambda _: (storage.get("public/a.jpg"), storage.size("public/a.jpg")), range(150))
        assert {seen for pair in read for seen in pair} <= {b"here", 4, None}
        assert len(list(going)) == 40


@pytest.mark.parametrize("ask", [LocalStorage.get, LocalStorage.size])
def test_a_file_deleted_between_finding_and_reading_is_none(
    folder: LocalStorage, ask: Callable[[LocalStorage, str], Any]
) -> None:
    class Late(LocalStorage):
        def path(self, key: str) -> Path | None:
            found = super().path(key)
            folder.delete(key)
            return found

    assert ask(Late(folder.root), "public/a.jpg") is None


def test_a_direct_upload_is_bound_to_its_type_and_length(cloud: S3Storage) -> None:
    way = cloud.direct("incoming/abc", content_type="image/png", size=5, seconds=60)
    assert way is not None
    assert (way.method, way.headers) == ("PUT", {"Content-Type": "image/png"})

    sent = requests.request(way.method, way.url, data=b"12345", headers=way.headers, timeout=PATIENCE)
    assert sent.status_code == 200
    assert is_vouched_for(sent.request)
    assert not is_vouched_for(sent.request, at=datetime.now(UTC) + timedelta(seconds=61))
    for method, url, data, headers in (
        ("PUT", way.url, b"123456", way.headers),
        ("PUT", way.url, b"12345", {"Content-Type": "text/html"}),
        ("PUT", way.url, b"12345", {}),
        ("PUT", way.url.replace("incoming/abc", "public/abc"), b"12345", way.headers),
        ("PUT", way.url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"), b"12345", way.headers),
        ("GET", way.url, b"12345", way.headers),
    ):
        assert not is_vouched_for(requests.Request(method, url, data=data, headers=headers).prepare())


def test_a_link_opens_one_file_for_a_while(cloud: S3Storage) -> None:
    cloud.put("private/abc.pdf", b"12345", "application/pdf", public=False)
    link = cloud.link("private/abc.pdf", seconds=60)
    assert link is not None

    opened = requests.get(link, timeout=PATIENCE)
    assert (opened.status_code, opened.content) == (200, b"12345")
    assert is_vouched_for(opened.request)
    assert not is_vouched_for(opened.request, at=datetime.now(UTC) + timedelta(seconds=61))
    assert not is_vouched_for(requests.Request("GET", link.replace("private/abc", "private/abd")).prepare())
    assert not is_vouched_for(requests.Request("DELETE", link).prepare())


@pytest.mark.parametrize(
    "filename", ["bill.pdf", "rēķins №1.pdf", 'a".pdf', "a\\.pdf", "a\r\nSet-Cookie: b=c.pdf", "\ud800"]
)
def test_a_link_can_name_the_download(cloud: S3Storage, filename: str) -> None:
    cloud.put("private/abc.pdf", b"12345", "application/pdf", public=False)
    opened = requests.get(cloud.link("private/abc.pdf", seconds=60, filename=filename) or "", timeout=PATIENCE)
    assert (opened.status_code, opened.content) == (200, b"12345")
    assert is_vouched_for(opened.request)
    assert "Set-Cookie" not in opened.headers
    shown = opened.headers["Content-Disposition"]
    assert shown.isascii()
    assert shown.isprintable()
    assert shown.count('"') == 2
    if filename.startswith("rē"):
        assert shown == "attachment; filename=\"r__ins _1.pdf\"; filename*=UTF-8''r%C4%93%C4%B7ins%20%E2%84%961.pdf"


@pytest.mark.parametrize("name", ["my-files", "my.files"])
def test_without_an_endpoint_addresses_name_the_region(name: str) -> None:
    far = S3Storage(bucket=name, region="eu-north-1", access_key=KEY, secret_key=SECRET)
    way = far.direct("incoming/abc", content_type="image/png", size=5, seconds=60)
    assert way is not None
    host = urlsplit(way.url).netloc
    assert host in {"my-files.s3.eu-north-1.amazonaws.com", "s3.eu-north-1.amazonaws.com"}


def test_how_a_file_may_be_kept_travels_with_it(cloud: S3Storage) -> None:
    cloud.put("public/b.png", b"x", "image/png", public=True)
    cloud.put("private/c.pdf", b"x", "application/pdf", public=False)
    shown = requests.get(cloud.link("public/b.png", seconds=60) or "", timeout=PATIENCE).headers
    assert (shown["Content-Type"], shown["Cache-Control"]) == ("image/png", "public, max-age=31536000, immutable")
    assert "Content-Disposition" not in shown
    paper = requests.get(cloud.link("private/c.pdf", seconds=60) or "", timeout=PATIENCE).headers
    assert (paper["Content-Type"], paper["Cache-Control"]) == ("application/pdf", "private, no-store")
    assert paper["Content-Disposition"] == "attachment"


@pytest.mark.parametrize(("allowed", "public", "status"), [(False, True, 403), (True, False, 403), (True, True, 200)])
def test_everybody_reads_only_what_is_public_where_that_is_allowed(
    server: S3Server, allowed: bool, public: bool, status: int
) -> None:
    bucket(server, public_acl=allowed).put("public/a.png", b"x", "image/png", public=public)
    assert requests.get(f"{server.url}/{BUCKET}/public/a.png", timeout=PATIENCE).status_code == status


@pytest.mark.parametrize("ask", REQUESTS)
def test_a_bucket_that_is_not_there_is_told(server: S3Server, ask: Callable[[Storage], Any]) -> None:
    with pytest.raises(StorageFailed):
        ask(bucket(server, bucket="no-such-bucket"))


@pytest.mark.parametrize("ask", REQUESTS)
def test_credentials_that_do_not_count_are_told(server: S3Server, ask: Callable[[Storage], Any]) -> None:
    with server.asking_for_credentials(), pytest.raises(StorageFailed):
        ask(bucket(server, access_key="AKIAWRONG"))


@pytest.mark.parametrize("ask", REQUESTS)
@pytest.mark.parametrize("taking", [False, True])
def test_a_bucket_that_does_not_answer_is_told_soon(
    monkeypatch: pytest.MonkeyPatch, server: S3Server, ask: Callable[[Storage], Any], taking: bool
) -> None:
    usual = s3.READ_SECONDS
    monkeypatch.setattr(s3, "READ_SECONDS", 0.05)
    monkeypatch.setattr(s3, "RETRIES", 1)  # a PUT waits a second for "100 Continue" each time
    begin = time.monotonic()
    with nobody_answering(taking=taking) as nowhere, pytest.raises(StorageFailed):
        ask(bucket(server, endpoint_url=nowhere))
    assert time.monotonic() - begin < usual


def test_an_answer_that_breaks_off_is_told(server: S3Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as cutting, ThreadPoolExecutor(1) as pool:
        pool.submit(answer_half, cutting)
        with pytest.raises(StorageFailed):
            bucket(server, endpoint_url=f"http://127.0.0.1:{cutting.getsockname()[1]}").get("public/a.png")


def test_a_file_is_sent_as_it_is_with_no_checksum_that_other_buckets_do_not_know(server: S3Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(take_head, listening)
        elsewhere = bucket(server, endpoint_url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        elsewhere.put("public/a.png", b"12345", "image/png", public=True)
    assert "content-length: 5\r\n" in sent.result()
    assert "checksum" not in sent.result()
    assert "aws-chunked" not in sent.result()


def take_head(listening: socket.socket) -> str:
    """What comes before the body, in small letters; the answer is that all is well."""
    connection, _ = listening.accept()
    with connection:
        head = connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    return head.decode().lower()


def answer_half(listening: socket.socket) -> None:
    """Announce more bytes than come."""
    connection, _ = listening.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
