"""Nobody learns from an answer, or from how long it took, whether somebody has an account."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from marketplace.auth import queries as people
from marketplace.auth import service
from marketplace.auth.account_admin import service as account_admin_service
from marketplace.auth.email import service as email_service
from marketplace.auth.email import tokens as email_tokens
from marketplace.auth.models import User
from marketplace.auth.phone import service as phone_service
from marketplace.auth.phone.models import PhoneCode
from marketplace.core.database.db import db, execute, in_transaction, one
from tests.conftest import make_app
from tests.factories.people import PASSWORD, Person, sign_up

NUMBER, NOBODYS_NUMBER = "+371 20000001", "+371 20000002"
ALWAYS_OTHERS = {"X-Request-ID", "Date", "RateLimit-Remaining", "RateLimit-Reset"}
TRIES, ROUNDS = 300, 5
METHOD = "pbkdf2:sha256:30000"


def post(app: Flask, path: str, **body: str) -> TestResponse:
    """A stranger's request."""
    return app.test_client().post(f"/api/auth/{path}", json=body)


def shape(answer: TestResponse) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
    """Everything of an answer but its own number and time."""
    body = {name: value for name, value in answer.json.items() if name != "instance"}
    return answer.status_code, body, sorted(pair for pair in answer.headers if pair[0] not in ALWAYS_OTHERS)


@pytest.fixture
def known(app: Flask, anna: Person) -> Person:
    """Anna, who has confirmed her number."""
    with app.app_context():
        confirmed = update(User).where(User.id == anna.id)
        key = NUMBER.replace(" ", "")
        in_transaction(lambda: execute(confirmed.values(phone=NUMBER, phone_key=key, phone_verified=True)))
        db.session.remove()
    return anna


def close(app: Flask, name: str, way: Callable[[User], Any]) -> Person:
    """Somebody whose account is suspended or erased."""
    person = sign_up(app, name)
    with app.app_context():
        in_transaction(lambda: way(one(people.everybody().where(User.id == person.id), "person")))
        db.session.remove()
    return person


@pytest.mark.parametrize(
    "credentials",
    [
        {"username": "anna"},
        {"username": "ANNA"},
        {"email": "anna@example.com"},
        {"email": "Anna@Example.COM"},
        {"email": "anna"},
        {"username": "anna@example.com"},
        {"email": "anna@example.com", "username": "bertha"},
    ],
    ids=lambda credentials: " ".join(credentials.values()),
)
def test_a_wrong_password_is_answered_as_a_wrong_name(app: Flask, known: Person, credentials: dict[str, str]) -> None:
    nobody = {field: name.lower().replace("anna", "hanna") for field, name in credentials.items()}
    answers = [post(app, "login", **names, password="not this one 17") for names in (credentials, nobody)]
    assert answers[0].status_code == 401
    assert shape(answers[0]) == shape(answers[1])


@pytest.mark.parametrize("way", [lambda user: account_admin_service.suspend(user, "Spam"), account_admin_service.erase])
def test_a_closed_account_is_answered_as_none(app: Flask, way: Callable[[User], Any]) -> None:
    close(app, "gone", way)
    nobody = shape(post(app, "login", username="hanna", password=PASSWORD))
    for password in (PASSWORD, "not this one 17", "!"):
        for names in ({"username": "gone"}, {"email": "gone@example.com"}):
            assert shape(post(app, "login", **names, password=password)) == nobody


@pytest.mark.parametrize("path", ["forgot-password", "password/forgot"])
def test_asking_for_a_new_password_is_answered_to_everybody_alike(app: Flask, known: Person, path: str) -> None:
    close(app, "gone", lambda user: account_admin_service.suspend(user, "Spam"))
    there = shape(post(app, path, email="anna@example.com"))
    assert there[0] == 200
    for email in ("hanna@example.com", "ANNA@example.com", "gone@example.com", "anna@example.com"):
        assert shape(post(app, path, email=email)) == there


@pytest.mark.parametrize("path", ["reset-password", "password/reset"])
def test_a_made_up_link_is_answered_alike_for_every_row(app: Flask, known: Person, path: str) -> None:
    post(app, "forgot-password", email="anna@example.com")
    with app.app_context():
        in_transaction(lambda: email_service.send_reset("anna@example.com"))
        db.session.remove()
    made_up = [post(app, path, token=f"{row}.{'x' * 27}", password="a longer one 17") for row in (1, 2, 3, 999_999)]
    assert made_up[0].status_code == 422
    assert [shape(answer) for answer in made_up[1:]] == [shape(made_up[0])] * 3


def test_whether_the_letter_of_confirmation_is_sent_again_is_told_to_nobody(
    app: Flask, known: Person, juris: Person
) -> None:
    names = ("anna@example.com", "hanna@example.com")
    strangers = [shape(post(app, "email/resend", email=email)) for email in names]
    assert strangers[0][0] == 200
    assert strangers[0] == strangers[1]
    mine = [shape(juris.post("/api/auth/email/resend", json={"email": email})) for email in names]
    assert mine[0][0] == 200
    assert mine[0] == mine[1]


def test_a_code_is_promised_to_every_number(app: Flask, known: Person) -> None:
    answers = [shape(post(app, "phone/send-code", phone=phone)) for phone in (NUMBER, NOBODYS_NUMBER)]
    assert answers[0][0] == 200
    assert answers[0] == answers[1]


def test_the_fourth_code_is_promised_like_the_first(app: Flask, known: Person) -> None:
    answers = []
    for _ in range(5):
        with app.app_context():
            in_transaction(lambda: phone_service.send_to_log_in(NUMBER.replace(" ", "")))
            db.session.remove()
        answers += [shape(post(app, "phone/send-code", phone=phone)) for phone in (NUMBER, NOBODYS_NUMBER)]
    assert answers == [answers[0]] * 10


def test_a_wrong_code_is_answered_as_a_code_for_nobodys_number(app: Flask, known: Person) -> None:
    nobody = shape(post(app, "phone/login", phone=NOBODYS_NUMBER, code="000000"))
    assert nobody[0] == 401
    assert shape(post(app, "phone/login", phone=NUMBER, code="000000")) == nobody
    with app.app_context():
        in_transaction(lambda: phone_service.send_to_log_in(NUMBER.replace(" ", "")))
        db.session.remove()
    for _ in range(7):
        assert shape(post(app, "phone/login", phone=NUMBER, code="none")) == nobody


def test_a_number_is_not_found_by_registering(app: Flask, known: Person) -> None:
    answers = [
        post(app, "register", username=name, email=f"{name}@example.com", password=PASSWORD, phone=phone)
        for name, phone in (("bertha", NUMBER), ("hannah", NOBODYS_NUMBER))
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json["user"]["phone_verified"] for answer in answers] == [False, False]
    assert {name for name, _ in answers[0].headers} == {name for name, _ in answers[1].headers}


def test_a_malformed_request_is_refused_before_anybody_is_looked_for(app: Flask, known: Person) -> None:
    for path, field in (("login", "username"), ("forgot-password", "email"), ("phone/send-code", "phone")):
        answers = [shape(post(app, path, **{field: name + "\x00"})) for name in ("anna", "hana")]
        assert answers[0][0] in {401, 422}
        assert answers[0] == answers[1]


def test_control_what_tells_is_noticed(app: Flask, known: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(user_id: int | None) -> None:
        raise service.BadCredentials("The password is not right." if user_id else None)

    monkeypatch.setattr(
        "marketplace.auth.sign_in.service.sign_in_risk_service.note", lambda _kind, user_id, _place: careless(user_id)
    )
    answers = [post(app, "login", username=name, password="not this one 17") for name in ("anna", "hana")]
    assert shape(answers[0]) != shape(answers[1])


def auc(some: list[float], others: list[float]) -> float:
    """How often one of `some` is greater than one of `others`: Mann and Whitney's U by ranks, over its greatest."""
    ranked = sorted((value, index < len(some)) for index, value in enumerate([*some, *others]))
    ranks = sum(rank for rank, (_, is_some) in enumerate(ranked, 1) if is_some)
    return (ranks - len(some) * (len(some) + 1) / 2) / (len(some) * len(others))


def test_the_measure_is_right() -> None:
    assert auc([4.0, 5.0, 6.0], [1.0, 2.0, 3.0]) == 1
    assert auc([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]) == 0
    assert auc([1.0, 4.0], [2.0, 3.0]) == 0.5


def seconds(app: Flask, path: str, body: dict[str, str], before: Callable[[], Any] | None = None) -> float:
    """How long the processor worked at one answer, whoever else it worked for; what is to be done before it does not
    count."""
    client = app.test_client()
    if before is not None:
        with app.app_context():
            in_transaction(before)
            db.session.remove()
    begun = time.thread_time()
    client.post(f"/api/auth/{path}", json=body)
    return time.thread_time() - begun


def measured(
    app: Flask,
    path: str,
    exists: list[dict[str, str]],
    unknown: list[dict[str, str]],
    before: Callable[[], Any] | None = None,
) -> float:
    """The AUC of one round: as many tries of each kind, in random order."""
    kinds = [True, False] * TRIES
    random.shuffle(kinds)
    took: dict[bool, list[float]] = {True: [], False: []}
    for number, kind in enumerate(kinds):
        bodies = exists if kind else unknown
        took[kind].append(seconds(app, path, bodies[number % len(bodies)], before))
    return auc(took[True], took[False])


def tells_nothing(
    app: Flask,
    path: str,
    exists: list[dict[str, str]],
    unknown: list[dict[str, str]],
    before: Callable[[], Any] | None = None,
) -> list[float]:
    """The AUC of each round, until one is near a half; a busy machine is given some."""
    rounds: list[float] = []
    while len(rounds) < ROUNDS and not (rounds and 0.42 < rounds[-1] < 0.58):
        rounds.append(measured(app, path, exists, unknown, before))
    return rounds


@pytest.fixture
def slow(app: Flask) -> Iterator[Flask]:
    """The application with passwords hashed as slowly as it takes to be seen."""
    service._nobodys_hash.cache_clear()
    slow = make_app(app.config["DATABASE_URL"], PASSWORD_METHOD=METHOD)
    yield slow
    service._nobodys_hash.cache_clear()
    with slow.app_context():
        db.session.remove()
        db.engine.dispose()


NAMES = [f"someone_{number:02}" for number in range(10)]
STRANGE = [f"nobody__{number:02}" for number in range(10)]


@pytest.fixture
def some(slow: Flask) -> list[Person]:
    """People with slowly hashed passwords; each kind of try has been made once, so that nothing is made first."""
    made = [sign_up(slow, name) for name in NAMES]
    for name in (*NAMES, *STRANGE):
        post(slow, "login", username=name, password="not this one 17")
        post(slow, "forgot-password", email=f"{name}@example.com")
    return made


def logins(names: list[str]) -> list[dict[str, str]]:
    """Wrong passwords for these usernames and addresses."""
    by_name = [{"username": name, "password": "not this one 17"} for name in names]
    return by_name + [{"email": f"{name}@example.com", "password": "not this one 17"} for name in names]


def addresses(names: list[str]) -> list[dict[str, str]]:
    """These people's addresses."""
    return [{"email": f"{name}@example.com"} for name in names]


def test_the_time_of_a_log_in_tells_nothing(slow: Flask, some: list[Person]) -> None:
    rounds = tells_nothing(slow, "login", logins(NAMES), logins(STRANGE))
    assert 0.42 < rounds[-1] < 0.58, rounds


def test_control_without_the_hash_for_nobody_the_time_tells(
    slow: Flask, some: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_nobodys_hash", lambda: "!")
    assert any(measured(slow, "login", logins(NAMES), logins(STRANGE)) > 0.9 for _ in range(ROUNDS))


def test_the_time_of_a_log_in_to_a_closed_account_tells_nothing(slow: Flask, some: list[Person]) -> None:
    with slow.app_context():
        in_transaction(
            lambda: [account_admin_service.suspend(user, "Spam") for user in db.session.scalars(people.everybody())]
        )
        db.session.remove()
    rounds = tells_nothing(slow, "login", logins(NAMES), logins(STRANGE))
    assert 0.42 < rounds[-1] < 0.58, rounds


def test_the_time_of_asking_for_a_new_password_tells_nothing(slow: Flask, some: list[Person]) -> None:
    rounds = tells_nothing(slow, "forgot-password", addresses(NAMES), addresses(STRANGE))
    assert 0.42 < rounds[-1] < 0.58, rounds


def test_control_a_letter_written_at_once_tells(
    slow: Flask, some: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_service, "ask_for_reset", email_service.send_reset)
    monkeypatch.setattr(email_tokens, "may_send", lambda *_: True)
    assert any(measured(slow, "forgot-password", addresses(NAMES), addresses(STRANGE)) > 0.75 for _ in range(ROUNDS))


@pytest.fixture
def confirmed(slow: Flask, some: list[Person]) -> Person:
    """The first of them has confirmed a number."""
    with slow.app_context():
        mine = update(User).where(User.id == some[0].id)
        in_transaction(lambda: execute(mine.values(phone_key=NUMBER.replace(" ", ""), phone_verified=True)))
        db.session.remove()
    return some[0]


def test_the_time_of_asking_for_a_code_tells_nothing(slow: Flask, confirmed: Person) -> None:
    rounds = tells_nothing(slow, "phone/send-code", [{"phone": NUMBER}], [{"phone": NOBODYS_NUMBER}])
    assert 0.42 < rounds[-1] < 0.58, rounds


def test_the_time_of_a_wrong_code_tells_nothing(slow: Flask, confirmed: Person) -> None:
    with slow.app_context():
        for number in (NUMBER, NOBODYS_NUMBER):
            in_transaction(lambda number=number: phone_service.send_to_log_in(number.replace(" ", "")))  # type: ignore[misc]
        db.session.remove()
    exists, unknown = ([{"phone": phone, "code": "none"}] for phone in (NUMBER, NOBODYS_NUMBER))

    def give_guesses_back() -> None:
        execute(update(PhoneCode).values(guesses=0))

    rounds = tells_nothing(slow, "phone/login", exists, unknown, give_guesses_back)
    assert 0.42 < rounds[-1] < 0.58, rounds
