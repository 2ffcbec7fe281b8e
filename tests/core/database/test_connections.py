"""Connections are few: nobody keeps one over slow work, requests queue for them, the background has its own."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image as Pillow
from sqlalchemy import event, text

from marketplace.auth.passwords import password_hash
from marketplace.core.database.bulkhead import RESERVED, Bulkhead, in_background
from marketplace.core.database.db import db, in_transaction, release_connection
from marketplace.core.lists.vocabulary import Vocabulary
from marketplace.uploads import images
from tests.conftest import make_app
from tests.factories import things
from tests.factories.people import PASSWORD, Person, sign_up
from tests.servers.waiting import until

LONG = 60.0
NEW = "another battery staple"
ACCOUNT = {"username": "newcomer", "email": "newcomer@example.com", "password": PASSWORD}
SIGN_IN = {"email": "anna@example.com", "password": PASSWORD}
NOBODY = {**SIGN_IN, "email": "nobody@example.com"}
HASHED: dict[str, Callable[[Person], Any]] = {
    "log in": lambda anna: anna.app.test_client().post("/api/auth/login", json=SIGN_IN),
    "log in as nobody": lambda anna: anna.app.test_client().post(
        "/api/auth/login", json={**SIGN_IN, "email": "a@b.lv"}
    ),
    "register": lambda anna: anna.app.test_client().post("/api/auth/register", json=ACCOUNT),
    "step up": lambda anna: anna.post("/api/auth/step-up", {"password": PASSWORD}),
    "change": lambda anna: anna.put("/api/auth/password", {"current_password": PASSWORD, "new_password": NEW}),
    "other address": lambda anna: anna.post("/api/auth/email/change", {"email": "x@example.com", "password": PASSWORD}),
    "leave": lambda anna: anna.delete("/api/auth/account", json={"password": PASSWORD}),
}


@pytest.fixture
def small(app: Flask) -> Flask:
    """The application with two connections for requests, and the background's."""
    return make_app(app.config["DATABASE_URL"], THREADS="2")


def pool_of(app: Flask) -> Any:
    """Its connections."""
    with app.app_context():
        return db.engine.pool


@contextmanager
def every_place(bulkhead: Bulkhead) -> Iterator[None]:
    """Nobody else comes in meanwhile."""
    taken = 0
    while bulkhead.enter(0):
        taken += 1
    try:
        yield
    finally:
        for _ in range(taken):
            bulkhead.leave()


@contextmanager
def every_connection(app: Flask) -> Iterator[None]:
    """Requests have taken all they may."""
    with app.app_context(), ExitStack() as stack:
        for _ in range(pool_of(app).size() - RESERVED):
            stack.enter_context(db.engine.connect())
        yield


@pytest.mark.parametrize("what", HASHED)
def test_nobody_holds_a_connection_while_a_password_is_hashed(small: Flask, what: str) -> None:
    anna = sign_up(small, "anna")
    with ThreadPoolExecutor(4) as threads:
        with every_place(password_hash._hashing):
            answers = [threads.submit(HASHED[what], anna) for _ in range(4)]
            until("all of them to queue", lambda: len(password_hash._hashing._waiting) == 4)
            assert pool_of(small).checkedout() == 0
            assert anna.get("/api/auth/profile").status_code == 200
        assert {one.result(LONG).status_code for one in answers} <= {200, 201, 401, 409}


def test_who_waits_too_long_for_a_hash_is_told_when_to_come_back(small: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_up(small, "anna")
    monkeypatch.setattr(password_hash, "PATIENCE", 0.01)
    with every_place(password_hash._hashing):
        answer = small.test_client().post("/api/auth/login", json=SIGN_IN)
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert int(answer.headers["Retry-After"]) > 0


def test_many_sign_ins_at_once_are_all_let_in(small: Flask) -> None:
    sign_up(small, "anna")
    start = threading.Barrier(12)

    def sign_in(_: int) -> int:
        start.wait(LONG)
        return int(small.test_client().post("/api/auth/login", json=SIGN_IN).status_code)

    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(sign_in, range(12))) == {200}


def test_slow_work_inside_a_transaction_is_refused(app: Flask) -> None:
    with app.app_context(), pytest.raises(RuntimeError, match="inside a transaction"):
        in_transaction(release_connection)


def test_a_picture_is_looked_at_without_a_connection(small: Flask) -> None:
    anna, places = sign_up(small, "anna"), images._large_ones
    with ThreadPoolExecutor(1) as threads, ExitStack() as stack:
        for _ in range(images.AT_ONCE):
            stack.enter_context(places)
        stored = threads.submit(things.upload, anna, data=animation())
        until("it to wait for its turn", lambda: places._cond._waiters)  # type: ignore[attr-defined]
        assert pool_of(small).checkedout() == 0
        stack.close()
        assert stored.result(LONG)["url"]


def animation() -> bytes:
    """A GIF of two pictures, which takes a place of the few."""
    out = BytesIO()
    first, second = (Pillow.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    first.save(out, "GIF", save_all=True, append_images=[second])
    return out.getvalue()


def test_requests_queue_and_are_refused_at_last_while_the_background_works(small: Flask) -> None:
    anna = sign_up(small, "anna")
    pool_of(small)._timeout = 0.05
    with every_connection(small):
        refused = anna.get("/api/auth/profile")
        with small.app_context(), in_background():
            assert db.session.execute(text("SELECT 1")).scalar() == 1
    assert (refused.status_code, refused.json["code"]) == (503, "busy")
    assert "Retry-After" in refused.headers
    pool_of(small)._timeout = LONG
    with ThreadPoolExecutor(1) as threads:
        with every_connection(small):
            answer = threads.submit(anna.get, "/api/auth/profile")
            until("it to queue", lambda: pool_of(small)._for_requests._waiting)
        assert answer.result(LONG).status_code == 200


def test_a_connection_that_cannot_be_made_gives_its_place_back() -> None:
    lost = make_app("postgresql://nobody@127.0.0.1:1/nothing", THREADS="1")
    pool_of(lost)._timeout = 0.05
    codes = [lost.test_client().get("/api/listings").status_code for _ in range(5)]
    assert codes == [503] * 5
    assert pool_of(lost)._for_requests._free == 1


def test_whoever_waits_longest_is_next() -> None:
    bulkhead, order = Bulkhead(1), []
    assert bulkhead.enter(0)

    def wait(number: int) -> None:
        assert bulkhead.enter(LONG)
        order.append(number)
        bulkhead.leave()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        until("it to queue", lambda number=number: len(bulkhead._waiting) == number + 1)
    assert not bulkhead.enter(0.01)
    bulkhead.leave()
    for thread in threads:
        thread.join(LONG)
    assert order == [0, 1, 2, 3, 4]
    assert (bulkhead._free, len(bulkhead._waiting)) == (1, 0)


def test_suggestions_do_not_wait_for_somebody_who_reads_the_words(small: Flask) -> None:
    things.listing(sign_up(small, "anna"), title="Bicycle")
    reads, go_on = threading.Event(), threading.Event()
    ask = lambda: small.test_client().get("/api/search/suggest?q=bicy")  # noqa: E731

    def hold_the_first(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "known_words" in statement and statement.startswith("SELECT") and not reads.is_set():
            reads.set()
            go_on.wait(LONG)

    with small.app_context():
        engine = db.engine
    small.extensions["vocabulary"] = Vocabulary()
    event.listen(engine, "before_cursor_execute", hold_the_first)
    with ThreadPoolExecutor(2) as threads:
        try:
            first = threads.submit(ask)
            assert reads.wait(LONG)
            assert "Bicycle" in [one["text"] for one in threads.submit(ask).result(LONG / 3).json["suggestions"]]
        finally:
            go_on.set()
        assert first.result(LONG).status_code == 200
    event.remove(engine, "before_cursor_execute", hold_the_first)


def test_more_suggestions_at_once_than_there_are_connections(small: Flask) -> None:
    things.listing(sign_up(small, "anna"), title="Bicycle")
    small.extensions["vocabulary"] = Vocabulary()
    many = pool_of(small).size() + 10
    start = threading.Barrier(many)

    def ask(_: int) -> list[str]:
        start.wait(LONG)
        answer = small.test_client().get("/api/search/suggest?q=bicy")
        assert answer.status_code == 200, answer.json
        return [one["text"] for one in answer.json["suggestions"]]

    with ThreadPoolExecutor(many) as threads:
        answers = list(threads.map(ask, range(many)))
    assert all("Bicycle" in texts for texts in answers)


def test_who_reads_the_words_keeps_nobody_while_it_waits_for_a_connection(small: Flask) -> None:
    things.listing(sign_up(small, "anna"), title="Bicycle")
    known = Vocabulary(patience=0.0)

    def read() -> bool:
        with small.app_context():
            known.refresh()
        return known.has("bicycle")

    def go_on_without() -> bool:
        with small.app_context():  # and without a connection: none is free
            known.refresh()
            known.keep_up()
        return bool(known.completions("bicy", 1) or known.neighbours("bycicle"))

    requests = pool_of(small)._for_requests
    with ThreadPoolExecutor(2) as threads:
        with every_place(requests):
            reader = threads.submit(read)
            until("it to wait for a connection", lambda: len(requests._waiting) == 1)
            assert threads.submit(go_on_without).result(LONG) is False
            assert not reader.done()
        assert reader.result(LONG) is True


def test_the_background_reads_words_once_somebody_asks_for_them(small: Flask) -> None:
    things.listing(sign_up(small, "anna"), title="Bicycle")
    known = Vocabulary(patience=LONG)
    with small.app_context():
        known.keep_up()
        assert not known.has("bicycle")  # a process that nobody searches keeps no words
        known.refresh()
        things.listing(sign_up(small, "juris"), title="Trombone")
        known.refresh()
        assert (known.has("bicycle"), known.has("trombone")) == (True, False)  # a request is patient
        known.keep_up()
        assert known.has("trombone")
        db.session.remove()
