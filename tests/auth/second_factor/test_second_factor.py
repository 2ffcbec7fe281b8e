"""The second factor: each code counts once, five guesses are looked at, and no secret is readable at rest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from xml.etree import ElementTree

import pyotp
import pytest
import time_machine
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from marketplace.auth import one_time_codes
from marketplace.auth.second_factor import recovery_codes as second_factor_recovery_codes
from marketplace.auth.second_factor import totp
from marketplace.core.database.db import db, fetch
from marketplace.core.database.encryption import Unreadable
from tests.factories.people import PASSWORD, Person, sign_up
from tests.races.burst import burst

STEP, MINUTE = 30, 60
GUESSES, TRIES = 5, 40
Clock = time_machine.Traveller


@dataclass
class Guarded(Person):
    """Somebody with an authenticator."""

    secret: str = ""
    recovery_codes: list[str] = field(default_factory=list)

    def code(self, steps: int = 0) -> str:
        """What the authenticator shows now, or so many steps later."""
        return pyotp.TOTP(self.secret).at(datetime.now(UTC), counter_offset=steps)

    def wrong(self) -> str:
        """Six digits that are no code of about now."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(f"{digits:06}" for digits in range(10) if f"{digits:06}" not in near)


@pytest.fixture
def clock(app: Flask) -> Iterator[Clock]:
    """Time that can be moved on, from the beginning of the next thirty seconds."""
    beginning = (int(datetime.now(UTC).timestamp()) // STEP + 1) * STEP
    with time_machine.travel(beginning + 1) as traveller:
        yield traveller


@pytest.fixture
def vera(app: Flask, clock: Clock) -> Guarded:
    """Somebody whose second factor was switched on two minutes ago."""
    person = guard(sign_up(app, "vera"))
    clock.shift(4 * STEP)
    return person


def guard(person: Person) -> Guarded:
    """Switch the second factor on."""
    secret = person.post("/api/auth/2fa/setup").json["secret"]
    guarded = Guarded(person.app, person.user, person.token, person.refresh_token, secret)
    answer = person.post("/api/auth/2fa/enable", json={"code": guarded.code()})
    assert answer.status_code == 200, answer.json
    guarded.recovery_codes = answer.json["recovery_codes"]
    return guarded


def log_in(app: Flask, name: str = "vera") -> dict[str, Any]:
    """What a right password is answered."""
    body, headers = {"username": name, "password": PASSWORD}, {"X-Accepts-Challenge": "1"}
    answer = app.test_client().post("/api/auth/login", json=body, headers=headers)
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def challenge(app: Flask, name: str = "vera") -> str:
    """The challenge of a log-in with the right password."""
    return str(log_in(app, name)["challenge_token"])


def meet(app: Flask, token: str, code: str, **kwargs: Any) -> TestResponse:
    """Answer a challenge."""
    body = {"challenge_token": token, "code": code}
    return app.test_client().post("/api/auth/2fa/verify", json=body, **kwargs)


def outcome(answer: TestResponse) -> tuple[int, str | None]:
    """The status, and the code of a problem."""
    return answer.status_code, answer.json.get("code")


def test_setting_up_answers_a_secret_an_address_and_a_picture(anna: Person) -> None:
    made = anna.post("/api/auth/2fa/setup")
    assert made.status_code == 200
    read = pyotp.parse_uri(made.json["otpauth_uri"])
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.name, read.issuer) == (made.json["secret"], "anna", "Marketplace")
    assert len(made.json["secret"]) == 32
    assert ElementTree.fromstring(made.json["qr_svg"]).tag == "{http://www.w3.org/2000/svg}svg"


def test_a_secret_counts_only_after_a_code_of_it(app: Flask, anna: Person) -> None:
    secret = anna.post("/api/auth/2fa/setup").json["secret"]
    assert anna.get("/api/auth/2fa").json == {"enabled": False, "recovery_codes_left": 0}
    assert "token" in log_in(app, "anna")
    code = pyotp.TOTP(secret).now()
    made = anna.post("/api/auth/2fa/enable", json={"code": code})
    assert made.status_code == 200
    assert len(set(made.json["recovery_codes"])) == 10
    assert anna.get("/api/auth/2fa").json == {"enabled": True, "recovery_codes_left": 10}
    assert "token" not in log_in(app, "anna")


def test_a_wrong_code_switches_nothing_on(app: Flask, clock: Clock, anna: Person) -> None:
    assert outcome(anna.post("/api/auth/2fa/enable", json={"code": "123456"})) == (409, "second_factor_off")
    secret = anna.post("/api/auth/2fa/setup").json["secret"]
    guarded = Guarded(app, anna.user, anna.token, anna.refresh_token, secret)
    for code in (guarded.wrong(), guarded.code(-2), guarded.code(2), "x"):
        assert anna.post("/api/auth/2fa/enable", json={"code": code}).status_code == 422
    assert anna.get("/api/auth/2fa").json["enabled"] is False


def test_a_newer_secret_replaces_one_that_was_never_shown(app: Flask, clock: Clock, anna: Person) -> None:
    older, newer = (anna.post("/api/auth/2fa/setup").json["secret"] for _ in range(2))
    assert older != newer
    for secret, status in ((older, 422), (newer, 200)):
        answer = anna.post("/api/auth/2fa/enable", json={"code": pyotp.TOTP(secret).at(datetime.now(UTC))})
        assert answer.status_code == status


def test_what_is_on_is_not_set_up_again(vera: Guarded) -> None:
    assert outcome(vera.post("/api/auth/2fa/setup")) == (409, "second_factor_on")
    assert outcome(vera.post("/api/auth/2fa/enable", json={"code": vera.code()})) == (409, "second_factor_on")


def test_recovery_codes_are_shown_once(app: Flask, vera: Guarded) -> None:
    shown = str(vera.get("/api/auth/2fa").json) + str(vera.get("/api/auth/profile").json)
    assert not any(code in shown for code in vera.recovery_codes)
    with app.app_context():
        stored = str([fetch(table.select()) for table in db.metadata.sorted_tables])
        db.session.remove()
    for code in vera.recovery_codes:
        assert code not in stored
        assert code.replace("-", "") not in stored


def test_a_password_alone_gets_a_challenge_and_no_token(app: Flask, vera: Guarded) -> None:
    found = log_in(app)
    assert (found["two_factor_required"], found["method"]) == (True, "totp")
    assert not {"token", "access_token", "refresh_token", "user"} & set(found)


def test_a_right_code_signs_in(app: Flask, vera: Guarded) -> None:
    answer = meet(app, challenge(app), vera.code())
    assert answer.status_code == 200
    assert answer.json["user"]["username"] == "vera"
    assert Person(app, token=answer.json["token"]).get("/api/auth/profile").status_code == 200
    assert Person(app, token=answer.json["refresh_token"]).post("/api/auth/refresh").status_code == 200


def test_spaces_in_a_code_do_not_matter(app: Flask, vera: Guarded) -> None:
    code = vera.code()
    assert meet(app, challenge(app), f"{code[:3]} {code[3:]}").status_code == 200


def test_a_code_counts_once(app: Flask, clock: Clock, vera: Guarded) -> None:
    code = vera.code()
    assert meet(app, challenge(app), code).status_code == 200
    assert outcome(meet(app, challenge(app), code)) == (401, "wrong_code")
    assert vera.post("/api/auth/step-up", json={"code": code}).status_code == 422
    clock.shift(STEP)
    assert meet(app, challenge(app), vera.code()).status_code == 200


def test_the_code_that_switched_it_on_signs_nobody_in(app: Flask, clock: Clock) -> None:
    person = guard(sign_up(app, "vera"))
    assert outcome(meet(app, challenge(app), person.code())) == (401, "wrong_code")


def test_many_at_once_with_one_code_are_one_sign_in(app: Flask, vera: Guarded) -> None:
    tokens, code = [challenge(app) for _ in range(10)], vera.code()
    statuses = [answer.status_code for answer in burst([partial(meet, app, token, code) for token in tokens])]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 401, 429}


def test_control_without_the_step_in_the_update_one_code_signs_in_many(
    app: Flask, vera: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totp, "take", lambda _user_id, code: totp.matching_step(vera.secret, code) is not None)
    tokens, code = [challenge(app) for _ in range(4)], vera.code()
    statuses = [answer.status_code for answer in burst([partial(meet, app, token, code) for token in tokens])]
    assert statuses.count(200) > 1


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
def test_a_clock_may_be_half_a_minute_off(app: Flask, vera: Guarded, steps: int, status: int) -> None:
    code = vera.code(steps)
    assert meet(app, challenge(app), code).status_code == status
    assert outcome(meet(app, challenge(app), code)) == (401, "wrong_code")


def test_after_a_newer_code_no_older_one_counts(app: Flask, vera: Guarded) -> None:
    assert meet(app, challenge(app), vera.code(1)).status_code == 200
    for steps in (0, -1):
        assert outcome(meet(app, challenge(app), vera.code(steps))) == (401, "wrong_code")


def test_a_recovery_code_signs_in_once(app: Flask, vera: Guarded) -> None:
    code = vera.recovery_codes[0]
    assert meet(app, challenge(app), code.upper().replace("-", " ")).status_code == 200
    assert outcome(meet(app, challenge(app), code)) == (401, "wrong_code")
    assert vera.get("/api/auth/2fa").json["recovery_codes_left"] == 9


def test_many_at_once_with_one_recovery_code_are_one_sign_in(app: Flask, vera: Guarded) -> None:
    tokens = [challenge(app) for _ in range(10)]
    answers = burst([partial(meet, app, token, vera.recovery_codes[0]) for token in tokens])
    assert [answer.status_code for answer in answers].count(200) == 1
    assert vera.get("/api/auth/2fa").json["recovery_codes_left"] == 9


def test_many_recovery_codes_at_once_for_one_challenge_use_up_one(app: Flask, vera: Guarded) -> None:
    token = challenge(app)
    answers = burst([partial(meet, app, token, code) for code in vera.recovery_codes[:4]])
    assert [answer.status_code for answer in answers].count(200) == 1
    assert vera.get("/api/auth/2fa").json["recovery_codes_left"] == 9


def test_control_a_recovery_code_that_is_looked_up_first_signs_in_many(
    app: Flask, vera: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = {code.replace("-", "") for code in vera.recovery_codes}
    monkeypatch.setattr(second_factor_recovery_codes, "take", lambda _user_id, code: code in plain)
    tokens = [challenge(app) for _ in range(4)]
    answers = burst([partial(meet, app, token, vera.recovery_codes[0]) for token in tokens])
    assert [answer.status_code for answer in answers].count(200) > 1


def test_somebody_elses_codes_open_nothing(app: Flask, vera: Guarded) -> None:
    other = guard(sign_up(app, "other"))
    for code in (other.code(1), other.recovery_codes[0]):
        assert outcome(meet(app, challenge(app), code)) == (401, "wrong_code")


def test_new_recovery_codes_take_the_place_of_the_old(app: Flask, clock: Clock, vera: Guarded) -> None:
    path = "/api/auth/2fa/recovery-codes"
    assert vera.post(path, json={"code": vera.wrong()}).status_code == 422
    assert vera.post(path, json={"code": vera.recovery_codes[0]}).status_code == 422
    made = vera.post(path, json={"code": vera.code()})
    assert made.status_code == 200
    assert not set(made.json["recovery_codes"]) & set(vera.recovery_codes)
    assert meet(app, challenge(app), vera.recovery_codes[1]).status_code == 401
    assert meet(app, challenge(app), made.json["recovery_codes"][0]).status_code == 200


def test_a_challenge_is_over_after_five_wrong_guesses(app: Flask, clock: Clock, vera: Guarded) -> None:
    token = challenge(app)
    for _ in range(GUESSES):
        assert outcome(meet(app, token, vera.wrong())) == (401, "wrong_code")
    assert outcome(meet(app, token, vera.code())) == (401, "challenge_over")
    clock.shift(5 * MINUTE)
    assert outcome(meet(app, token, vera.code())) == (401, "challenge_over")


def test_other_challenges_bring_no_further_guesses(app: Flask, clock: Clock, vera: Guarded) -> None:
    for _ in range(GUESSES):
        assert outcome(meet(app, challenge(app), vera.wrong())) == (401, "wrong_code")
    assert outcome(meet(app, challenge(app), vera.code())) == (429, "too_many_codes")
    assert outcome(meet(app, challenge(app), vera.recovery_codes[0])) == (429, "too_many_codes")
    clock.shift(16 * MINUTE)
    assert meet(app, challenge(app), vera.code()).status_code == 200


def test_a_right_code_in_between_gives_the_guesses_back(app: Flask, clock: Clock, vera: Guarded) -> None:
    for _ in range(3):
        for _ in range(GUESSES - 1):
            assert outcome(meet(app, challenge(app), vera.wrong())) == (401, "wrong_code")
        assert meet(app, challenge(app), vera.code()).status_code == 200
        clock.shift(STEP)


def guesses_at(app: Flask, tokens: list[str], code: str) -> list[str | None]:
    """What so many at once, each from an address of its own, are answered."""
    from_anywhere = [{"REMOTE_ADDR": f"198.51.100.{number}"} for number in range(TRIES)]
    calls = [
        partial(meet, app, tokens[number % len(tokens)], code, environ_overrides=address)
        for number, address in enumerate(from_anywhere)
    ]
    return [outcome(answer)[1] for answer in burst(calls)]


def test_of_forty_guesses_at_once_five_are_looked_at(app: Flask, vera: Guarded) -> None:
    token = challenge(app)
    answers = guesses_at(app, [token], vera.wrong())
    assert (answers.count("wrong_code"), answers.count("challenge_over")) == (GUESSES, TRIES - GUESSES)
    assert outcome(meet(app, token, vera.code())) == (401, "challenge_over")


def test_of_forty_guesses_at_forty_challenges_five_are_looked_at(app: Flask, vera: Guarded) -> None:
    answers = guesses_at(app, [challenge(app) for _ in range(TRIES)], vera.wrong())
    assert (answers.count("wrong_code"), answers.count("too_many_codes")) == (GUESSES, TRIES - GUESSES)


def test_control_without_counting_more_than_five_are_looked_at(
    app: Flask, vera: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_time_codes, "take_guess", lambda *_: True)
    monkeypatch.setattr(totp, "take_guess", lambda *_: True)
    assert guesses_at(app, [challenge(app)], vera.wrong()).count("wrong_code") > GUESSES


@pytest.mark.parametrize("guard_left", ["one_time", "totp"])
def test_either_count_alone_holds(app: Flask, vera: Guarded, monkeypatch: pytest.MonkeyPatch, guard_left: str) -> None:
    monkeypatch.setattr(totp if guard_left == "one_time" else one_time_codes, "take_guess", lambda *_: True)
    assert guesses_at(app, [challenge(app)], vera.wrong()).count("wrong_code") == GUESSES


def test_a_challenge_lives_for_ten_minutes(app: Flask, clock: Clock, vera: Guarded) -> None:
    early, late = challenge(app), challenge(app)
    clock.shift(9 * MINUTE)
    assert meet(app, early, vera.code()).status_code == 200
    clock.shift(2 * MINUTE)
    assert outcome(meet(app, late, vera.code())) == (401, "challenge_over")


def test_a_challenge_is_met_once(app: Flask, clock: Clock, vera: Guarded) -> None:
    token = challenge(app)
    assert meet(app, token, vera.code()).status_code == 200
    clock.shift(STEP)
    assert outcome(meet(app, token, vera.code())) == (401, "challenge_over")


def test_a_challenge_nobody_was_given_is_over(app: Flask, vera: Guarded) -> None:
    number, _, signature = challenge(app).partition(".")
    made_up = [f"{int(number) + 1}.{signature}", f"{number}.{signature[:-2]}xx", number, ".", "ž", "9" * 150]
    for token in made_up:
        assert outcome(meet(app, token, vera.code())) == (401, "challenge_over")
    assert outcome(meet(app, "", vera.code())) == (422, "invalid")


def test_a_challenge_is_no_token(app: Flask, vera: Guarded) -> None:
    token = challenge(app)
    assert Person(app, token=token).get("/api/auth/profile").status_code == 401
    assert Person(app, token=token).post("/api/auth/refresh").status_code == 401


def test_an_account_that_closed_meanwhile_is_not_entered(app: Flask, vera: Guarded, admin: Person) -> None:
    token = challenge(app)
    assert admin.post(f"/api/admin/users/{vera.id}/ban", json={"reason": "Spam"}).status_code == 200
    assert meet(app, token, vera.code()).status_code == 401


def test_switching_off_takes_both_proofs(app: Flask, vera: Guarded) -> None:
    path, right = "/api/auth/2fa/disable", {"password": PASSWORD, "code": vera.code()}
    for missing in ({}, {"password": PASSWORD}, {"code": vera.code()}):
        assert vera.post(path, json=missing).status_code == 422
    for wrong, status in (({"password": "not this one 17"}, 403), ({"code": vera.wrong()}, 422)):
        assert vera.post(path, json={**right, **wrong}).status_code == status
    assert "challenge_token" in log_in(app)
    assert vera.post(path, json=right).status_code == 200
    assert "token" in log_in(app)
    assert outcome(vera.post(path, json=right)) == (409, "second_factor_off")
    assert vera.get("/api/auth/2fa").json == {"enabled": False, "recovery_codes_left": 0}


def test_a_recovery_code_switches_off_for_whoever_lost_the_authenticator(app: Flask, vera: Guarded) -> None:
    proofs = {"password": PASSWORD, "code": vera.recovery_codes[3]}
    assert vera.post("/api/auth/2fa/disable", json=proofs).status_code == 200
    assert "token" in log_in(app)


def test_recovery_codes_of_before_open_nothing_after_switching_on_again(
    app: Flask, clock: Clock, vera: Guarded
) -> None:
    vera.post("/api/auth/2fa/disable", json={"password": PASSWORD, "code": vera.code()})
    guard(vera)
    assert outcome(meet(app, challenge(app), vera.recovery_codes[0])) == (401, "wrong_code")


def test_switching_it_on_at_once_from_many_windows_makes_one_set_of_codes(
    app: Flask, clock: Clock, anna: Person
) -> None:
    secret = anna.post("/api/auth/2fa/setup").json["secret"]
    code = pyotp.TOTP(secret).at(datetime.now(UTC))
    answers = burst([partial(anna.post, "/api/auth/2fa/enable", json={"code": code})] * 8)
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.status_code for answer in answers} <= {200, 409, 422, 429}
    assert anna.get("/api/auth/2fa").json == {"enabled": True, "recovery_codes_left": 10}


Asked = Callable[[Person], TestResponse]
KEY = {"name": "robot", "scopes": ["profile:read"]}
NEW_PASSWORD = {"current_password": PASSWORD, "new_password": "a longer one 17"}
NEW_ADDRESS = {"email": "other@example.com", "password": PASSWORD}
PROVED: dict[str, Asked] = {
    "set up": lambda person: person.post("/api/auth/2fa/setup"),
    "a key": lambda person: person.post("/api/auth/api-keys", json=KEY),
    "an export": lambda person: person.post("/api/auth/export"),
}
PROVED_TWICE: dict[str, Asked] = {
    "a password": lambda person: person.put("/api/auth/password", json=NEW_PASSWORD),
    "an address": lambda person: person.post("/api/auth/email/change", json=NEW_ADDRESS),
}


@pytest.mark.parametrize("name", PROVED)
def test_what_hurts_is_done_after_a_fresh_proof(app: Flask, clock: Clock, anna: Person, name: str) -> None:
    clock.shift(16 * MINUTE)
    assert outcome(PROVED[name](anna)) == (403, "step_up_required")
    assert anna.post("/api/auth/step-up", json={"password": "not this one 17"}).status_code == 403
    assert anna.post("/api/auth/step-up").status_code == 422
    assert outcome(PROVED[name](anna)) == (403, "step_up_required")
    assert anna.post("/api/auth/step-up", json={"password": PASSWORD}).status_code == 200
    assert PROVED[name](anna).status_code < 300


@pytest.mark.parametrize("name", PROVED_TWICE)
def test_who_has_a_second_factor_shows_it_again(app: Flask, clock: Clock, vera: Guarded, name: str) -> None:
    clock.shift(16 * MINUTE)
    assert outcome(PROVED_TWICE[name](vera)) == (403, "step_up_required")
    assert vera.post("/api/auth/step-up", json={"password": PASSWORD}).status_code == 422
    assert outcome(PROVED_TWICE[name](vera)) == (403, "step_up_required")
    assert vera.post("/api/auth/step-up", json={"code": vera.code()}).status_code == 200
    assert PROVED_TWICE[name](vera).status_code == 200


@pytest.mark.parametrize("name", PROVED_TWICE)
def test_who_has_none_is_not_asked_for_it(app: Flask, clock: Clock, anna: Person, name: str) -> None:
    clock.shift(16 * MINUTE)
    assert PROVED_TWICE[name](anna).status_code == 200


def test_a_proof_counts_for_one_sign_in_only(app: Flask, clock: Clock, anna: Person) -> None:
    other = Person(app, token=log_in(app, "anna")["token"])
    clock.shift(16 * MINUTE)
    assert anna.post("/api/auth/step-up", json={"password": PASSWORD}).status_code == 200
    assert outcome(other.post("/api/auth/api-keys", json=KEY)) == (403, "step_up_required")


def test_refreshing_proves_nothing(app: Flask, clock: Clock, anna: Person) -> None:
    clock.shift(16 * MINUTE)
    fresh = Person(app, token=anna.refresh_token).post("/api/auth/refresh").json["token"]
    assert outcome(Person(app, token=fresh).post("/api/auth/api-keys", json=KEY)) == (403, "step_up_required")


def test_staff_with_a_second_factor_show_it_again(app: Flask, clock: Clock, admin: Person) -> None:
    guarded = guard(admin)
    assert guarded.get("/api/admin/signals").status_code == 200
    clock.shift(16 * MINUTE)
    assert outcome(guarded.get("/api/admin/signals")) == (403, "step_up_required")
    assert guarded.post("/api/auth/step-up", json={"code": guarded.code()}).status_code == 200
    assert guarded.get("/api/admin/signals").status_code == 200


def test_stepping_up_takes_five_guesses_too(app: Flask, clock: Clock, vera: Guarded) -> None:
    calls = [partial(vera.post, "/api/auth/step-up", json={"code": vera.wrong()})] * 20
    statuses = [answer.status_code for answer in burst(calls)]
    assert (statuses.count(422), statuses.count(429)) == (GUESSES, 15)
    assert outcome(vera.post("/api/auth/step-up", json={"code": vera.code()})) == (429, "too_many_codes")


def stored_secret(app: Flask) -> str:
    """What the database holds."""
    with app.app_context():
        raw = str(fetch(text("SELECT secret FROM second_factors"))[0].secret)
        db.session.remove()
    return raw


def test_a_secret_at_rest_is_not_readable(app: Flask, vera: Guarded) -> None:
    raw = stored_secret(app)
    assert vera.secret not in raw
    assert len(raw) > 100


def test_a_new_key_takes_the_place_of_the_old(clock: Clock, with_keys: Callable[..., Flask]) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    before, between, after = with_keys(old), with_keys(new, old), with_keys(new)
    person = guard(sign_up(before, "vera"))
    clock.shift(STEP)
    assert meet(between, challenge(between), person.code()).status_code == 200
    raw = stored_secret(before)

    done = between.test_cli_runner().invoke(args=["encryption", "rotate"])
    assert (done.exit_code, done.output) == (0, "1 values are under the first key.\n")
    assert stored_secret(between) != raw
    for app in (between, after):
        clock.shift(STEP)
        assert meet(app, challenge(app), person.code()).status_code == 200
    clock.shift(STEP)
    assert vera_switches_off(after, person).status_code == 200


def vera_switches_off(app: Flask, person: Guarded) -> TestResponse:
    """Both proofs, at this application."""
    proofs = {"password": PASSWORD, "code": person.code()}
    return Person(app, token=person.token).post("/api/auth/2fa/disable", json=proofs)


def test_control_without_rotating_the_old_key_is_needed(clock: Clock, with_keys: Callable[..., Flask]) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    before, after = with_keys(old), with_keys(new)
    person = guard(sign_up(before, "vera"))
    with after.app_context():
        with pytest.raises(Unreadable):
            totp.find(person.id)
        db.session.remove()
