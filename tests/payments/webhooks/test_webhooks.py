"""What a provider tells us: refused where it is not the provider's, and harmless however often and late it comes."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.providers.fake.book import NOTICES, FakeBook
from marketplace.payments.providers.fake.provider import FakeProvider
from marketplace.payments.webhooks import service as webhooks_service
from tests.factories.people import Person
from tests.races.stage import Stage, fake, rest

PATH = "/api/payments/webhooks/fake"
MOST_SECONDS = 0.25  # of the processor, whoever else it works for
BODY = {"id": "evt_1", "type": "payment_intent.succeeded", "about": "payment", "object": "pi_1", "created": 1e9}


@pytest.fixture
def provider(app: Flask) -> FakeProvider:
    """The fake."""
    with app.app_context():
        return fake()


def kept(app: Flask) -> int:
    """How many webhooks were taken."""
    with app.app_context():
        try:
            return int(fetch(text("SELECT COUNT(*) FROM provider_events"))[0][0])
        finally:
            db.session.remove()


def signed(provider: FakeProvider, body: bytes, at: float | None = None) -> dict[str, Any]:
    """A request as the provider sends it."""
    return {"data": body, "headers": provider.signed(body, at), "content_type": "application/json"}


def forged(provider: FakeProvider) -> dict[str, dict[str, Any]]:
    """Everything that only looks like a webhook."""
    body = json.dumps(BODY).encode()
    good = provider.signed(body)["Fake-Signature"]
    stranger = FakeProvider("another secret", "")
    headers = {
        "no signature": {},
        "an empty one": {"Fake-Signature": ""},
        "a wrong one": {"Fake-Signature": good[:-2] + "00" if not good.endswith("00") else good[:-2] + "11"},
        "only a time": {"Fake-Signature": good.partition(",")[0]},
        "no time": {"Fake-Signature": good.partition(",")[2]},
        "a time that is none": {"Fake-Signature": "t=-1,v1=00"},
        "a very long time": {"Fake-Signature": f"t={'9' * 4000},v1=00"},
        "another's": stranger.signed(body),
        "an old one": provider.signed(body, time.time() - 301),
        "one of the future": provider.signed(body, time.time() + 400),
        "letters nobody uses": {"Fake-Signature": "t=1,v1=\xff\xfe"},
    }
    requests = {name: {"data": body, "headers": header} for name, header in headers.items()}
    requests["another body"] = {"data": body.replace(b"pi_1", b"pi_2"), "headers": provider.signed(body)}
    requests["no body"] = {"data": b"", "headers": provider.signed(body)}
    return requests


def test_what_is_not_the_providers_is_refused_without_effect(
    app: Flask, anybody: Person, provider: FakeProvider
) -> None:
    for name, how in forged(provider).items():
        answer = anybody.call("POST", PATH, **how)
        assert (answer.status_code, answer.json["code"]) == (400, "bad_signature"), name
    assert kept(app) == 0


def test_control_without_looking_at_the_signature_what_is_forged_is_kept(
    app: Flask, anybody: Person, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeBook, "_signature", lambda *_: "00")
    forged_one = {"Fake-Signature": f"t={int(time.time())},v1=00"}
    assert anybody.call("POST", PATH, data=json.dumps(BODY).encode(), headers=forged_one).status_code == 200
    assert kept(app) == 1


UNREADABLE = {
    "no JSON": b"hello",
    "half of it": b'{"id": "evt_1"',
    "a list": b"[1, 2]",
    "a text": b'"evt_1"',
    "a number": b"7",
    "null": b"null",
    "no UTF-8": b'{"id": "\xff"}',
    "NUL": b"\x00" * 10,
    "nothing in it": b"{}",
    "deep": b"[" * 100_000,
    **{
        f"{field} is {str(value)[:12]!r}": json.dumps({**BODY, field: value}).encode()
        for field, values in {
            "id": (None, 7, "", "evt\x00", "e" * 300, ["evt_1"], "\ud800"),
            "type": (None, {}, "t" * 200, "\x00"),
            "about": (None, "money", 7),
            "object": (None, 7, "o" * 300, "pi\x00"),
            "created": (None, "now", 1e300, -1e300, float("nan"), float("inf")),
        }.items()
        for value in values
    },
}


def test_what_is_signed_and_makes_no_sense_is_refused_without_effect(
    app: Flask, anybody: Person, provider: FakeProvider
) -> None:
    for name, body in UNREADABLE.items():
        answer = anybody.call("POST", PATH, **signed(provider, body))
        assert answer.status_code == 400, (name, answer.json)
    assert kept(app) == 0


def test_a_huge_body_and_a_stranger_are_refused(app: Flask, anybody: Person, provider: FakeProvider) -> None:
    huge = json.dumps({**BODY, "more": "x" * 3 * 1024 * 1024}).encode()
    assert anybody.call("POST", PATH, **signed(provider, huge)).status_code == 413
    body = json.dumps(BODY).encode()
    for name in ("stripe", "nobody", "fake%00", "FAKE"):
        assert anybody.call("POST", f"/api/payments/webhooks/{name}", **signed(provider, body)).status_code == 404
    assert anybody.get(PATH).status_code == 405
    assert kept(app) == 0


def test_the_same_event_again_is_answered_and_kept_once(app: Flask, anybody: Person, provider: FakeProvider) -> None:
    body = json.dumps(BODY).encode()
    answers = [anybody.call("POST", PATH, **signed(provider, body)) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert kept(app) == 1


STEPS: tuple[Callable[[Stage], object], ...] = (
    lambda one: one.pay(until="captured"),
    lambda one: one.pay(until="authorized"),
    lambda one: (one.pay(until="captured"), one.inside(lambda: one.act(one.owner, "cancel"))),
    lambda one: one.pay(until="held"),
)


def told(one: Stage) -> list[bytes]:
    """The webhooks of a payment's whole life, in order, none of which has been sent."""
    one.inside(one.call)
    rows = one.inside(lambda: fetch(select(NOTICES.table).order_by(NOTICES.table.c.id)))
    return [one.inside(lambda row=row: fake().body_of(row)) for row in rows]  # type: ignore[misc]


def test_a_thousand_events_shuffled_and_repeated_end_as_in_order(
    app: Flask, anybody: Person, anna: Person, juris: Person, provider: FakeProvider
) -> None:
    chance = random.Random(20270301)
    stage = Stage(app, anna, juris)
    stages = [stage.set_up() for _ in range(16)]
    for number, one in enumerate(stages):
        STEPS[number % 4](one)
        one.inside(one.call)
    bodies = told(stages[0])
    in_order = {one.payment: one.outcome() for one in stages[3::4]}
    more = [_copy(body, number) for number in range(1000 - len(bodies)) for body in [chance.choice(bodies)]]
    events = [body for body in [*bodies, *more] for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4, 5)))]
    chance.shuffle(events)

    def forget_sending() -> None:
        execute(update(NOTICES.table).values(done_at=NOTICES.table.c.created_at))

    stage.inside(lambda: in_transaction(forget_sending))  # they are sent from here, and by nobody else
    seconds = []
    for number, body in enumerate(events):
        how = signed(provider, body)
        began = time.thread_time()
        assert anybody.call("POST", PATH, **how).status_code == 200
        seconds.append(time.thread_time() - began)
        if number % 100 == 0:
            stage.inside(webhooks_service.read_due)
    stage.inside(rest)
    seconds.sort()
    p99 = seconds[len(seconds) * 99 // 100]
    print(f"{len(events)} webhooks: p50 {seconds[len(seconds) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms")
    names = {json.loads(body)["id"] for body in events}
    with app.app_context():
        taken = [row.event_id for row in fetch(text("SELECT event_id FROM provider_events"))]
        db.session.remove()
    assert len(names) == 1000
    assert names <= set(taken)
    assert len(taken) == len(set(taken))
    ends = [one.outcome()[:2] for one in stages]
    assert ends == [("assigned", "held"), ("assigned", "held"), ("cancelled", "refunded"), ("assigned", "held")] * 4
    assert {number: one.outcome() for number, one in ((one.payment, one) for one in stages[3::4])} == in_order
    assert {one.outcome()[3] for one in stages} == {1}
    assert p99 < MOST_SECONDS


def _copy(body: bytes, number: int) -> bytes:
    """The same news under a name of its own, as a provider repeats what it thinks was missed."""
    return json.dumps({**json.loads(body), "id": f"evt_again_{number}"}).encode()


def test_a_webhook_that_comes_before_our_own_answer_finds_its_payment(app: Flask, anna: Person, juris: Person) -> None:
    one = Stage(app, anna, juris).set_up()
    one.pay(until="captured")
    forget = text("UPDATE payments SET provider_id = NULL, status = 'created' WHERE id = :id").bindparams(
        id=one.payment
    )
    back = text("DELETE FROM state_changes WHERE thing = 'payment' AND thing_id = :id").bindparams(id=one.payment)
    one.inside(lambda: in_transaction(lambda: (execute(forget), execute(back))))
    one.inside(webhooks_service.read_due)
    assert one.outcome()[:2] == ("assigned", "held")
    one.inside(provider_requests_handlers.call_due)
