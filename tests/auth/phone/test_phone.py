"""Numbers proved by SMS: few messages leave, five guesses are looked at, a number is one person's."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from threading import Barrier
from typing import Any

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from marketplace.auth import one_time_codes
from marketplace.auth.models import User
from marketplace.auth.phone import service
from marketplace.auth.phone.models import PhoneCode
from marketplace.core.database.db import db, fetch
from tests.conftest import make_app
from tests.factories.people import Person, sign_up
from tests.races.burst import burst
from tests.servers.twilio import Twilio
from tests.servers.waiting import PATIENCE

NUMBER, OTHER_NUMBER, WRITTEN = "+37126000001", "+37126000002", "+371 26 000 001"
GUESSES, TRIES, MOST = 5, 40, 3
Work = Callable[[], None]
Clock = time_machine.Traveller


@pytest.fixture
def clock(app: Flask) -> Iterator[Clock]:
    """Time that can be moved on."""
    with time_machine.travel(datetime.now(UTC)) as traveller:
        yield traveller


@pytest.fixture
def liga(shop: Flask, clock: Clock) -> Person:
    """Somebody with a telephone."""
    return sign_up(shop, "liga")


@pytest.fixture
def maris(shop: Flask, clock: Clock) -> Person:
    """Somebody else with one."""
    return sign_up(shop, "maris")


@pytest.fixture
def known(liga: Person, work: Work, twilio: Twilio) -> Person:
    """Somebody who has proved the number."""
    prove(liga, work, twilio)
    twilio.sent.clear()
    return liga


def ask(person: Person, phone: str = NUMBER, **kwargs: Any) -> TestResponse:
    """Ask for a code."""
    return person.post("/api/auth/phone/send-code", json={"phone": phone}, **kwargs)


def enter(person: Person, code: str, phone: str = NUMBER, **kwargs: Any) -> TestResponse:
    """Confirm the number by a code."""
    return person.post("/api/auth/phone/verify", json={"phone": phone, "code": code}, **kwargs)


def log_in(shop: Flask, code: str, phone: str = NUMBER, **kwargs: Any) -> TestResponse:
    """Sign in by a number and a code."""
    return Person(shop).post("/api/auth/phone/login", json={"phone": phone, "code": code}, **kwargs)


def code_in(message: dict[str, Any]) -> str:
    """The six digits a telephone shows."""
    found = re.search(r"\b\d{6}\b", message["body"])
    assert found, message
    return found[0]


def received(work: Work, twilio: Twilio) -> str:
    """The code of the newest message."""
    work()
    return code_in(twilio.sent[-1])


def prove(person: Person, work: Work, twilio: Twilio, phone: str = NUMBER) -> None:
    """Make the number theirs."""
    assert ask(person, phone).status_code == 200
    answer = enter(person, received(work, twilio), phone)
    assert answer.status_code == 200, answer.json


def wrong(code: str) -> str:
    """Six other digits."""
    return f"{(int(code) + 1) % 10**6:06}"


def has(person: Person) -> tuple[str | None, bool]:
    """A person's number, and whether it is proved."""
    shown = person.get("/api/auth/profile").json
    return shown["phone"], shown["phone_verified"]


def codes(app: Flask) -> list[Any]:
    """The rows behind the codes."""
    with app.app_context():
        rows = fetch(select(PhoneCode.__table__).order_by(PhoneCode.id))
        db.session.remove()
    return rows


def addresses() -> Iterator[dict[str, dict[str, str]]]:
    """Another address for every request."""
    return ({"environ_overrides": {"REMOTE_ADDR": f"2001:db8::{number:x}"}} for number in count(1))


def test_a_code_arrives_and_proves_the_number(work: Work, twilio: Twilio, liga: Person) -> None:
    assert ask(liga, WRITTEN).status_code == 200
    assert has(liga)[1] is False
    code = received(work, twilio)
    assert [(one["to"], one["from"]) for one in twilio.sent] == [(NUMBER, "+37120000000")]
    answer = enter(liga, f"{code[:3]} {code[3:]}", "+371-26000001")
    assert (answer.status_code, answer.json["user"]["phone_verified"]) == (200, True)
    assert has(liga) == (NUMBER, True)


def test_no_row_holds_the_code(shop: Flask, work: Work, twilio: Twilio, liga: Person) -> None:
    ask(liga)
    code = received(work, twilio)
    with shop.app_context():
        stored = [row for table in db.metadata.sorted_tables for row in fetch(table.select())]
        db.session.remove()
    assert code not in re.findall(r"(?<!\d)\d{6}(?!\d)", str([tuple(row) for row in stored]))


@pytest.mark.one_database
@pytest.mark.parametrize(
    "phone", ["26000001", "+371 1", "+999 26000001", "+3712600000111111", "telephone", "", "+", "+371x", "12345678"]
)
@pytest.mark.parametrize("way", ["to verify", "to sign in"])
def test_what_is_no_number_is_refused(shop: Flask, liga: Person, phone: str, way: str) -> None:
    person = liga if way == "to verify" else Person(shop)
    asked = ask(person, phone)
    assert asked.status_code == 422
    assert "phone" in asked.json["errors"]
    entered = enter(liga, "123456", phone) if way == "to verify" else log_in(shop, "123456", phone)
    assert entered.status_code == 422


def test_a_wrong_code_proves_nothing(shop: Flask, work: Work, twilio: Twilio, liga: Person) -> None:
    assert enter(liga, "123456").status_code == 422
    ask(liga)
    code = received(work, twilio)
    for guess in (wrong(code), code[:5], f"{code}0", "x"):
        assert enter(liga, guess).status_code == 422
    assert has(liga)[1] is False
    assert enter(liga, code).status_code == 200


def test_a_code_is_for_one_number_and_one_person(work: Work, twilio: Twilio, liga: Person, maris: Person) -> None:
    ask(liga)
    code = received(work, twilio)
    assert enter(maris, code).status_code == 422
    assert enter(liga, code, OTHER_NUMBER).status_code == 422
    assert enter(liga, code).status_code == 200


def test_a_code_counts_once(shop: Flask, work: Work, twilio: Twilio, liga: Person) -> None:
    ask(liga)
    code = received(work, twilio)
    assert [enter(liga, code).status_code for _ in range(2)] == [200, 422]
    ask(Person(shop))
    code = received(work, twilio)
    assert [log_in(shop, code).status_code for _ in range(2)] == [200, 401]


def test_of_many_at_once_with_the_code_one_signs_in(shop: Flask, work: Work, twilio: Twilio, known: Person) -> None:
    ask(Person(shop))
    code = received(work, twilio)
    statuses = [answer.status_code for answer in burst([partial(log_in, shop, code)] * 12)]
    assert (statuses.count(200), statuses.count(401)) == (1, 11)


def test_only_the_newest_code_counts(clock: Clock, work: Work, twilio: Twilio, liga: Person) -> None:
    ask(liga)
    older = received(work, twilio)
    ask(liga)
    newer = received(work, twilio)
    assert older == newer or enter(liga, older).status_code == 422
    assert enter(liga, newer).status_code == 200


@pytest.mark.parametrize(("minutes", "signs_in", "proves"), [(9, 200, 200), (11, 401, 422)])
def test_a_code_lives_for_ten_minutes(
    shop: Flask, clock: Clock, work: Work, twilio: Twilio, known: Person, minutes: int, signs_in: int, proves: int
) -> None:
    ask(Person(shop))
    to_sign_in = received(work, twilio)
    ask(known, OTHER_NUMBER)
    to_prove = received(work, twilio)
    clock.shift(timedelta(minutes=minutes))
    assert log_in(shop, to_sign_in).status_code == signs_in
    assert enter(known, to_prove, OTHER_NUMBER).status_code == proves


def test_a_code_that_is_too_old_to_be_used_is_not_sent(clock: Clock, work: Work, twilio: Twilio, liga: Person) -> None:
    ask(liga)
    clock.shift(timedelta(minutes=11))
    work()
    assert twilio.sent == []


def test_five_guesses_are_looked_at_from_wherever_they_come(
    shop: Flask, work: Work, twilio: Twilio, known: Person, maris: Person
) -> None:
    ask(Person(shop))
    code, elsewhere = received(work, twilio), addresses()
    for _ in range(GUESSES):
        assert log_in(shop, wrong(code), **next(elsewhere)).status_code == 401
    assert log_in(shop, code, **next(elsewhere)).status_code == 401
    ask(maris, OTHER_NUMBER)
    code = received(work, twilio)
    for _ in range(GUESSES):
        assert enter(maris, wrong(code), OTHER_NUMBER, **next(elsewhere)).status_code == 422
    assert enter(maris, code, OTHER_NUMBER, **next(elsewhere)).status_code == 422


Guess = Callable[..., TestResponse]


@pytest.fixture(params=["to verify", "to sign in"])
def guess(request: pytest.FixtureRequest, shop: Flask, known: Person) -> tuple[Person, Guess]:
    """Who asks for a code, and what is done with it."""
    if request.param == "to verify":
        return known, partial(enter, known)
    return Person(shop), partial(log_in, shop)


def test_of_forty_guesses_at_once_five_are_looked_at(
    shop: Flask, work: Work, twilio: Twilio, guess: tuple[Person, Guess]
) -> None:
    ask(guess[0])
    code, elsewhere = received(work, twilio), addresses()
    answers = burst([partial(guess[1], wrong(code), **next(elsewhere)) for _ in range(TRIES)])
    assert {answer.status_code for answer in answers} <= {401, 422}
    assert codes(shop)[-1].guesses == GUESSES
    assert guess[1](code).status_code in {401, 422}


def test_control_without_counting_the_forty_first_guess_is_looked_at(
    shop: Flask, work: Work, twilio: Twilio, guess: tuple[Person, Guess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_time_codes, "take_guess", lambda *_: True)
    ask(guess[0])
    code, elsewhere = received(work, twilio), addresses()
    burst([partial(guess[1], wrong(code), **next(elsewhere)) for _ in range(TRIES)])
    assert guess[1](code).status_code == 200


def test_a_new_code_gives_no_more_than_its_own_guesses(shop: Flask, work: Work, twilio: Twilio, known: Person) -> None:
    for _ in range(MOST - 1):
        ask(Person(shop))
        code = received(work, twilio)
        for _ in range(GUESSES + 1):
            assert log_in(shop, wrong(code)).status_code == 401
        assert log_in(shop, code).status_code == 401
    ask(Person(shop))
    work()
    assert len(twilio.sent) == MOST - 1


def test_three_messages_in_ten_minutes_and_ten_a_day(clock: Clock, work: Work, twilio: Twilio, liga: Person) -> None:
    for _ in range(3):
        assert [ask(liga).status_code for _ in range(MOST)] == [200] * MOST
        refused = ask(liga)
        assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
        assert 0 < int(refused.headers["Retry-After"]) <= 600
        clock.shift(timedelta(minutes=10, seconds=1))
    assert ask(liga).status_code == 200
    refused = ask(liga)
    assert refused.status_code == 429
    assert 3600 < int(refused.headers["Retry-After"]) <= 86_400
    clock.shift(timedelta(seconds=int(refused.headers["Retry-After"])))
    liga.token = sign_in_again(liga)
    assert ask(liga).status_code == 200
    work()
    assert len(twilio.sent) == 1


def sign_in_again(person: Person) -> str:
    """A token that counts now."""
    return str(Person(person.app, token=person.refresh_token).post("/api/auth/refresh").json["token"])


def test_whoever_asks_a_number_gets_three_messages(
    shop: Flask, work: Work, twilio: Twilio, liga: Person, maris: Person, known: Person
) -> None:
    assert [ask(person).status_code for person in (maris, liga, maris)] == [200, 200, 429]
    assert ask(Person(shop)).status_code == 200
    work()
    assert len(twilio.sent) == 2


def test_one_person_gets_ten_a_day_over_all_numbers(work: Work, twilio: Twilio, liga: Person) -> None:
    statuses = [ask(liga, f"+3712600001{number}").status_code for number in range(10)]
    assert statuses == [200] * 10
    assert ask(liga, "+37126000020").status_code == 429


def test_nobody_is_told_that_a_sign_in_code_was_one_too_many(
    shop: Flask, clock: Clock, work: Work, twilio: Twilio, known: Person
) -> None:
    for _ in range(6):
        assert ask(Person(shop)).status_code == 200
        work()
    assert len(twilio.sent) == MOST - 1
    clock.shift(timedelta(minutes=10, seconds=1))
    ask(Person(shop))
    work()
    assert len(twilio.sent) == MOST


def test_a_burst_sends_three(shop: Flask, work: Work, twilio: Twilio, liga: Person, maris: Person) -> None:
    answers = burst([partial(ask, person) for person in (liga, maris) * 8])
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (MOST, 16 - MOST)
    work()
    assert len(twilio.sent) <= MOST


def test_a_burst_of_sign_in_codes_sends_three(shop: Flask, work: Work, twilio: Twilio, liga: Person) -> None:
    prove(liga, work, twilio)
    burst([partial(ask, Person(shop))] * 12)
    worked_off_by(6, work)
    assert len(codes(shop)) == MOST
    assert len(twilio.sent) <= MOST


def worked_off_by(workers: int, work: Work) -> None:
    """So many workers at once."""
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda _: work(), range(workers)))


@pytest.fixture
def braked(shop: Flask, twilio: Twilio) -> Flask:
    """The application with four messages an hour for everybody together."""
    return make_app(shop.config["DATABASE_URL"], **twilio.settings, SMS_PER_HOUR_IN_ALL="4")


def test_there_is_a_brake_for_all_numbers_together(braked: Flask, clock: Clock, shop: Flask) -> None:
    people = [sign_up(braked, f"person{number}") for number in range(6)]
    asked = [ask(person, f"+3712600010{number}").status_code for number, person in enumerate(people)]
    assert asked == [200] * 4 + [429] * 2
    clock.shift(timedelta(minutes=61))
    people[5].token = sign_in_again(people[5])
    assert ask(people[5], "+37126000105").status_code == 200


def ask_all_at_once(app: Flask) -> list[int]:
    """Twelve people, each with a number of their own."""
    people = [sign_up(app, f"person{number}") for number in range(12)]
    calls = [partial(ask, person, f"+371260001{number:02}") for number, person in enumerate(people)]
    return [answer.status_code for answer in burst(calls)]


def test_the_brake_holds_in_a_burst(braked: Flask) -> None:
    statuses = ask_all_at_once(braked)
    assert (statuses.count(200), statuses.count(429)) == (4, 8)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_control_without_turns_more_messages_leave(braked: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(12)
    monkeypatch.setattr(service, "_take_turn", lambda _name: together.wait(timeout=PATIENCE))
    assert ask_all_at_once(braked).count(200) > 4


def test_a_number_is_theirs_who_proved_it_last(
    shop: Flask, clock: Clock, work: Work, twilio: Twilio, known: Person, maris: Person
) -> None:
    maris.put("/api/auth/profile", json={"phone": NUMBER})
    assert (has(known)[1], has(maris)[1]) == (True, False)
    prove(maris, work, twilio)
    assert (has(known)[1], has(maris)[1]) == (False, True)
    clock.shift(timedelta(minutes=11))
    ask(Person(shop))
    assert log_in(shop, received(work, twilio)).json["user"]["username"] == "maris"


def test_two_who_prove_one_number_at_once_do_not_both_have_it(
    shop: Flask, work: Work, twilio: Twilio, liga: Person, maris: Person
) -> None:
    entering = []
    for person in (liga, maris):
        ask(person)
        entering.append(partial(enter, person, received(work, twilio)))
    assert {answer.status_code for answer in burst(entering)} == {200}
    assert sorted((has(liga)[1], has(maris)[1])) == [False, True]
    with shop.app_context():
        holders = fetch(select(func.count()).select_from(User).where(User.phone_key == NUMBER))[0][0]
        db.session.remove()
    assert holders == 1


def test_a_number_and_its_code_sign_in(shop: Flask, work: Work, twilio: Twilio, known: Person) -> None:
    ask(Person(shop), WRITTEN)
    answer = log_in(shop, received(work, twilio), WRITTEN)
    assert (answer.status_code, answer.json["user"]["username"]) == (200, "liga")
    assert Person(shop, token=answer.json["token"]).get("/api/auth/profile").status_code == 200


def test_a_number_that_is_nobodys_is_answered_alike_and_gets_no_message(
    shop: Flask, work: Work, twilio: Twilio, known: Person, maris: Person
) -> None:
    maris.put("/api/auth/profile", json={"phone": OTHER_NUMBER})
    there, nobodys, unproved = (ask(Person(shop), phone) for phone in (NUMBER, "+37126000009", OTHER_NUMBER))
    assert there.status_code == 200
    assert there.json == nobodys.json == unproved.json
    work()
    assert [one["to"] for one in twilio.sent] == [NUMBER]
    assert log_in(shop, "123456", OTHER_NUMBER).status_code == 401


def test_a_second_factor_is_asked_for_after_the_number(shop: Flask, work: Work, twilio: Twilio, known: Person) -> None:
    switch_on(known)
    ask(Person(shop))
    found = log_in(shop, received(work, twilio)).json
    assert (found["two_factor_required"], found["method"], "token" in found) == (True, "totp", False)


def switch_on(person: Person) -> None:
    """The second factor."""
    secret = person.post("/api/auth/2fa/setup").json["secret"]
    code = pyotp.TOTP(secret).at(datetime.now(UTC))
    assert person.post("/api/auth/2fa/enable", json={"code": code}).status_code == 200


def test_a_code_of_one_purpose_is_no_good_for_the_other(shop: Flask, work: Work, twilio: Twilio, known: Person) -> None:
    ask(known)
    to_verify = received(work, twilio)
    assert log_in(shop, to_verify).status_code == 401
    ask(Person(shop))
    to_sign_in = received(work, twilio)
    assert to_verify == to_sign_in or enter(known, to_sign_in).status_code == 422
    assert log_in(shop, to_sign_in).status_code == 200
    assert enter(known, to_verify).status_code == 200


@pytest.mark.parametrize("phone", ["+371 26000003", "26000001", ""])
def test_another_number_in_the_profile_is_not_proved(
    shop: Flask, work: Work, twilio: Twilio, known: Person, phone: str
) -> None:
    assert known.put("/api/auth/profile", json={"phone": phone}).status_code == 200
    assert has(known)[1] is False
    ask(Person(shop))
    work()
    assert twilio.sent == []


def test_the_same_number_written_otherwise_stays_proved(known: Person) -> None:
    assert known.put("/api/auth/profile", json={"phone": WRITTEN, "city": "Rīga"}).status_code == 200
    assert has(known) == (WRITTEN, True)


def test_nobody_says_of_themselves_that_a_number_is_proved(liga: Person) -> None:
    liga.put("/api/auth/profile", json={"phone": NUMBER, "phone_verified": True, "phone_key": NUMBER})
    assert has(liga)[1] is False


def test_a_code_sent_before_the_number_was_given_up_signs_nobody_in(
    shop: Flask, work: Work, twilio: Twilio, known: Person
) -> None:
    ask(Person(shop))
    code = received(work, twilio)
    known.put("/api/auth/profile", json={"phone": OTHER_NUMBER})
    assert log_in(shop, code).status_code == 401


def test_a_code_sent_before_the_number_was_anothers_opens_neither_account(
    shop: Flask, work: Work, twilio: Twilio, known: Person, maris: Person
) -> None:
    ask(Person(shop))
    code = received(work, twilio)
    prove(maris, work, twilio)
    assert log_in(shop, code).status_code == 401


def test_a_suspended_account_is_not_entered_by_its_number(
    shop: Flask, work: Work, twilio: Twilio, known: Person
) -> None:
    admin = sign_up(shop, "admin", role="admin")
    ask(Person(shop))
    code = received(work, twilio)
    assert admin.post(f"/api/admin/users/{known.id}/ban", json={"reason": "Spam"}).status_code == 200
    assert log_in(shop, code).status_code == 401
    sent = len(twilio.sent)
    ask(Person(shop))
    work()
    assert len(twilio.sent) == sent


def test_confirming_a_number_needs_a_fresh_second_factor(
    clock: Clock, work: Work, twilio: Twilio, known: Person
) -> None:
    switch_on(known)
    clock.shift(timedelta(minutes=16))
    assert enter(known, "123456").json["code"] == "step_up_required"
    assert Person(known.app).post("/api/auth/phone/verify", json={"phone": NUMBER, "code": "1"}).status_code == 401
