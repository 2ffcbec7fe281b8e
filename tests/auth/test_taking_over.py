"""Ways into an account that were found open once: each shut, with what opens it again as its control."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, insert, select, text, update
from werkzeug.test import create_environ, run_wsgi_app

from marketplace.auth import service
from marketplace.auth.email import tokens as email_tokens
from marketplace.auth.models import MailToken, User
from marketplace.auth.passwords import service as passwords_service
from marketplace.auth.phone import service as phone_service
from marketplace.auth.phone.models import PhoneCode
from marketplace.auth.second_factor import challenges
from marketplace.auth.second_factor.models import Challenge
from marketplace.auth.sign_in import service as sign_in_service
from marketplace.auth.sign_in_risk import service as signals
from marketplace.auth.sign_in_risk.models import Signal
from marketplace.auth.sign_in_risk.rules import STEP_UP
from marketplace.core.database.db import Base, db, execute, fetch, in_transaction
from marketplace.core.http.rate_limits import limiter
from marketplace.kit.network import network_of
from marketplace.listings import service as listings
from tests.conftest import make_app
from tests.factories import things
from tests.factories.people import PASSWORD, Person, sign_up
from tests.races.burst import burst

NEXT = "a longer one 17"
NUMBER = "+37120000001"
KEY = {"name": "robot", "scopes": ["listings:read", "listings:write", "profile:read"]}

Work = Callable[[], None]


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    """One limiter serves every application of the process."""
    yield
    limiter.enabled = False


def log_in(app: Flask, name: str, password: str = PASSWORD) -> Any:
    """Ask to be let in."""
    body, headers = {"username": name, "password": password}, {"X-Accepts-Challenge": "1"}
    return app.test_client().post("/api/auth/login", json=body, headers=headers)


def inside(app: Flask, ask: Callable[[], Any]) -> Any:
    """In a transaction of the application's."""
    with app.app_context():
        found = in_transaction(ask)
        db.session.remove()
    return found


def newest_link(user_id: int, purpose: str) -> str:
    """What the newest letter's link carries."""
    mine = select(MailToken.__table__).where(MailToken.user_id == user_id, MailToken.purpose == purpose)
    return email_tokens.text_of(fetch(mine.order_by(MailToken.id.desc()).limit(1))[0])


def reset(app: Flask, person: Person, email: str) -> Any:
    """Forget the password, read the mailbox, choose another."""
    inside(app, lambda: passwords_service.email_service.send_reset(email))
    token = inside(app, lambda: newest_link(person.id, email_tokens.RESET))
    return Person(app).post("/api/auth/password/reset", json={"token": token, "password": NEXT})


def change_password(person: Person) -> None:
    """To the next one."""
    answer = person.put("/api/auth/password", json={"current_password": PASSWORD, "new_password": NEXT})
    assert answer.status_code == 200, answer.json


def changing_in_between(anna: Person, real: Any, *, looked_at_again: bool = True) -> Callable[..., Any]:
    """The password is changed after it was found right, and before anybody is let in."""

    def enter(user_id: int, place: Any, password_hash: str | None = None) -> Any:
        change_password(anna)
        return real(user_id, place, password_hash if looked_at_again else None)

    return enter


def test_a_password_that_was_right_a_moment_ago_lets_nobody_in(
    app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_service, "enter", changing_in_between(anna, sign_in_service.enter))
    assert log_in(app, "anna").status_code == 401


def test_control_a_password_that_is_not_looked_at_again_lets_in(
    app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    careless = changing_in_between(anna, sign_in_service.enter, looked_at_again=False)
    monkeypatch.setattr(sign_in_service, "enter", careless)
    assert log_in(app, "anna").status_code == 200


def test_signing_in_while_the_password_changes_leaves_nobody_in_by_the_old_one(app: Flask, anna: Person) -> None:
    deeds = [partial(log_in, app, "anna")] * 8
    answers = burst([*deeds, lambda: change_password(anna) or anna.get("/api/auth/sessions")])
    tokens = [answer.json["token"] for answer in answers[:8] if answer.status_code == 200]
    assert [Person(app, token=token).get("/api/auth/profile").status_code for token in tokens] == [401] * len(tokens)


@pytest.fixture
def suspicious(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sign-in takes a code from a letter."""
    monkeypatch.setattr(signals, "judge", lambda *_, **__: signals.Judgement(STEP_UP))


def code_of(challenge_id: int) -> str | None:
    """What stands in the letter."""
    return challenges.code_to_send(challenge_id)


def met(app: Flask, challenge: dict[str, Any]) -> Any:
    """Answer it with what stands in the letter."""
    code = inside(app, lambda: code_of(int(challenge["challenge_token"].partition(".")[0])))
    body = {"challenge_token": challenge["challenge_token"], "code": code}
    return app.test_client().post("/api/auth/2fa/verify", json=body)


def test_a_code_from_a_letter_lets_in(app: Flask, anna: Person, suspicious: None) -> None:
    assert met(app, log_in(app, "anna").json).status_code == 200


def test_a_new_password_ends_what_waits_for_a_code(app: Flask, anna: Person, suspicious: None) -> None:
    waiting = log_in(app, "anna").json
    change_password(anna)
    assert met(app, waiting).json["code"] == "challenge_over"


def test_a_new_second_factor_ends_what_waits_for_a_letter(app: Flask, anna: Person, suspicious: None) -> None:
    waiting = log_in(app, "anna").json
    secret = anna.post("/api/auth/2fa/setup").json["secret"]
    assert anna.post("/api/auth/2fa/enable", json={"code": pyotp.TOTP(secret).now()}).status_code == 200
    assert met(app, waiting).json["code"] == "challenge_over"


def test_letters_with_codes_are_few(app: Flask, anna: Person, suspicious: None) -> None:
    answers = burst([partial(log_in, app, "anna")] * 12)
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 7
    assert inside(app, lambda: len(fetch(select(Challenge.id)))) == 5
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        assert log_in(app, "anna").status_code == 200


def test_a_held_sign_in_ends_with_a_new_password(app: Flask, anna: Person) -> None:
    def against(kind: str, times: int) -> None:
        row = {"kind": kind, "user_id": anna.id, "address": "192.0.2.9", "reasons": []}
        execute(insert(Signal), [row] * times)

    inside(app, lambda: [against("failed_sign_in", 51), against("refused_code", 5)])
    assert log_in(app, "anna").json["code"] == "sign_in_held"
    assert reset(app, anna, "anna@example.com").status_code == 200
    assert log_in(app, "anna", NEXT).status_code == 200


def test_who_reads_the_mailbox_gets_an_account_that_somebody_else_prepared(app: Flask, work: Work) -> None:
    mallory = sign_up(app, "victim", email="victim@example.com")
    mine = update(User).where(User.id == mallory.id)
    inside(app, lambda: execute(mine.values(phone=NUMBER, phone_key=NUMBER, phone_verified=True)))
    key = mallory.post("/api/auth/api-keys", json=KEY).json["key"]
    secret = mallory.post("/api/auth/2fa/setup").json["secret"]
    mallory.post("/api/auth/2fa/enable", json={"code": pyotp.TOTP(secret).now()})

    assert reset(app, mallory, "victim@example.com").status_code == 200

    assert Person(app).get("/api/auth/profile", headers={"X-API-Key": key}).status_code == 401
    inside(app, lambda: phone_service.send_to_log_in(NUMBER))
    assert inside(app, lambda: fetch(select(PhoneCode.user_id)))[0].user_id is None
    assert "token" in log_in(app, "victim", NEXT).json


def test_an_owner_who_forgot_the_password_keeps_number_and_second_factor(app: Flask, anna: Person) -> None:
    mine = update(User).where(User.id == anna.id)
    known = {"phone": NUMBER, "phone_key": NUMBER, "phone_verified": True, "email_verified": True}
    inside(app, lambda: execute(mine.values(known)))
    secret = anna.post("/api/auth/2fa/setup").json["secret"]
    anna.post("/api/auth/2fa/enable", json={"code": pyotp.TOTP(secret).now()})
    assert reset(app, anna, "anna@example.com").status_code == 200
    assert "challenge_token" in log_in(app, "anna", NEXT).json
    assert inside(app, lambda: fetch(select(User.phone_key).where(User.id == anna.id)))[0].phone_key == NUMBER


def test_a_link_opens_its_own_row_and_none_that_got_its_id(app: Flask, anna: Person, juris: Person) -> None:
    def take_the_id() -> str:
        before = fetch(select(MailToken.__table__).where(MailToken.user_id == anna.id))[0]
        execute(delete(MailToken).where(MailToken.id == before.id))
        values = {"id": before.id, "user_id": juris.id, "purpose": email_tokens.RESET, "email": "juris@example.com"}
        execute(insert(MailToken).values(**values, expires_at=before.expires_at))
        return email_tokens.text_of(before)

    stale = inside(app, take_the_id)
    answer = Person(app).post("/api/auth/password/reset", json={"token": stale, "password": NEXT})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["token"])
    fresh = inside(app, lambda: newest_link(juris.id, email_tokens.RESET))
    assert Person(app).post("/api/auth/password/reset", json={"token": fresh, "password": NEXT}).status_code == 200


def test_no_id_is_given_out_twice(app: Flask, database: str) -> None:
    if database == "sqlite":
        made = inside(app, lambda: fetch(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")))
        counted = {row.name for row in made if "AUTOINCREMENT" in row.sql}
        assert {table.name for table in Base.metadata.sorted_tables} - counted == {"sign_ins"}


def test_both_links_of_a_change_opened_at_once_change_the_address(app: Flask, anna: Person) -> None:
    change = {"email": "new@example.com", "password": PASSWORD}
    assert anna.post("/api/auth/email/change", json=change).status_code == 200
    links = [
        inside(app, partial(newest_link, anna.id, kind)) for kind in (email_tokens.CHANGE_OLD, email_tokens.CHANGE_NEW)
    ]
    answers = burst([partial(Person(app).post, "/api/auth/email/verify", json={"token": link}) for link in links])
    assert [answer.status_code for answer in answers] == [200, 200]
    assert anna.get("/api/auth/profile").json["email"] == "new@example.com"


def test_a_stranger_who_asks_does_not_end_the_owners_link(app: Flask, anna: Person) -> None:
    inside(app, lambda: passwords_service.email_service.send_reset("anna@example.com"))
    first = inside(app, lambda: newest_link(anna.id, email_tokens.RESET))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        inside(app, lambda: passwords_service.email_service.send_reset("anna@example.com"))
        assert Person(app).post("/api/auth/password/reset", json={"token": first, "password": NEXT}).status_code == 200
        second = inside(app, lambda: newest_link(anna.id, email_tokens.RESET))
        assert Person(app).post("/api/auth/password/reset", json={"token": second, "password": NEXT}).status_code == 422


def test_nobodys_mailbox_is_flooded(app: Flask, anna: Person) -> None:
    for minutes in range(0, 60, 2):
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
            inside(app, lambda: passwords_service.email_service.send_reset("anna@example.com"))
    letters = select(MailToken.id).where(MailToken.purpose == email_tokens.RESET)
    assert inside(app, lambda: len(fetch(letters))) == email_tokens.LETTERS_A_DAY


def test_setting_up_while_switching_on_never_loses_what_was_switched_on(app: Flask, anna: Person) -> None:
    for _ in range(4):
        secret = anna.post("/api/auth/2fa/setup").json["secret"]
        on = partial(anna.post, "/api/auth/2fa/enable", json={"code": pyotp.TOTP(secret).now()})
        answer, *_ = burst([on, *[partial(anna.post, "/api/auth/2fa/setup")] * 3])
        assert anna.get("/api/auth/2fa").json["enabled"] is (answer.status_code == 200)
        if answer.status_code == 200:
            return


def limited(app: Flask, **settings: str) -> Flask:
    """The application with limits."""
    return make_app(app.config["DATABASE_URL"], RATE_LIMITS="1", LIMIT_SIGN_IN="1000 per minute", **settings)


GUESSES: dict[str, Callable[[Person], Any]] = {
    "step-up": lambda person: person.post("/api/auth/step-up", json={"password": "not this one 17"}),
    "password": lambda person: person.put(
        "/api/auth/password", json={"current_password": "not this one 17", "new_password": NEXT}
    ),
    "e-mail": lambda person: person.post(
        "/api/auth/email/change", json={"email": "x@example.com", "password": "not this one 17"}
    ),
    "leaving": lambda person: person.call("DELETE", "/api/auth/account", json={"password": "not this one 17"}),
}


def test_a_stolen_token_guesses_as_little_as_anybody(app: Flask, anna: Person) -> None:
    small = limited(app, LIMIT_ACCOUNT="6 per hour")
    thief = Person(small, anna.user, anna.token)
    statuses = [guess(thief).status_code for _ in range(3) for guess in GUESSES.values()]
    assert (statuses.count(403), statuses.count(429)) == (6, 6)


def test_strangers_who_use_up_the_tries_do_not_keep_the_owner_out(app: Flask, anna: Person) -> None:
    small = limited(app, LIMIT_ACCOUNT="5 per hour")

    def tries(address: str, password: str) -> int:
        body = {"username": "anna", "password": password}
        where = {"REMOTE_ADDR": address}
        return small.test_client().post("/api/auth/login", json=body, environ_overrides=where).status_code

    assert [tries("192.0.2.9", "not this one 17") for _ in range(7)] == [401] * 5 + [429] * 2
    assert tries("192.0.2.9", PASSWORD) == 429
    assert tries("127.0.0.1", PASSWORD) == 200
    assert [tries("127.0.0.1", "not this one 17") for _ in range(6)] == [401] * 4 + [429] * 2  # as many at home


@pytest.mark.parametrize(
    ("address", "network"),
    [("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("192.0.2.9", "192.0.2.9"), ("unknown", "unknown")],
)
def test_a_household_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_leaving_and_coming_back_gives_no_further_messages(app: Flask) -> None:
    statuses = []
    for number in range(3):
        person = sign_up(app, f"flood_{number}")
        statuses += [person.post("/api/auth/phone/send-code", json={"phone": NUMBER}).status_code for _ in range(2)]
        assert person.call("DELETE", "/api/auth/account", json={"password": PASSWORD}).status_code == 200
    assert statuses == [200] * 3 + [429] * 3


class HangingUp(io.RawIOBase):
    """A body in whose middle its sender signs out."""

    def __init__(self, data: bytes, deed: Callable[[], Any]) -> None:
        self.rest = io.BytesIO(data)
        self.deed: Callable[[], Any] | None = deed

    def readable(self) -> bool:
        """It is a body."""
        return True

    def readinto(self, room: Any) -> int:
        """What is there, after the deed."""
        if self.deed is not None:
            deed, self.deed = self.deed, None
            assert deed().status_code == 200
        return self.rest.readinto(room)


def test_who_is_signed_out_while_the_body_comes_does_nothing_by_it(app: Flask, anna: Person) -> None:
    secret = anna.post("/api/auth/2fa/setup").json["secret"]
    body = b'{"code": "%s"}' % pyotp.TOTP(secret).now().encode()
    headers = {"Authorization": f"Bearer {anna.token}"}
    path, kind = "/api/auth/2fa/enable", "application/json"
    environ = create_environ(path, method="POST", data=body, content_type=kind, headers=headers)
    environ["wsgi.input"] = HangingUp(body, partial(anna.post, "/api/auth/logout"))
    _, status, _ = run_wsgi_app(app, environ)
    assert status.startswith("401")
    assert "token" in log_in(app, "anna").json


def test_what_was_on_its_way_while_an_account_was_suspended_comes_down(
    shop: Flask, work: Work, anna: Person, admin: Person
) -> None:
    assert admin.post(f"/api/admin/users/{anna.id}/ban", json={"reason": "Spam"}).status_code == 200
    work()

    def late() -> int:
        seller = db.session.get(User, anna.id)
        fields = {"title": "Late", "description": "Late", "price": 5, "category": "other"}
        return int(listings.post(seller, **fields).id)

    listing = inside(shop, late)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        work()
    assert admin.get(f"/api/listings/{listing}").json["status"] == "archived"


def test_what_was_on_its_way_while_an_account_was_erased_goes_too(
    shop: Flask, work: Work, anna: Person, admin: Person
) -> None:
    assert anna.call("DELETE", "/api/auth/account", json={"password": PASSWORD}).status_code == 200
    late = {"bio": "Late", "email": "anna@example.com", "phone_key": NUMBER, "role": "admin", "is_verified": True}
    inside(shop, lambda: execute(update(User).where(User.id == anna.id).values(late)))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        work()
    left = inside(shop, lambda: fetch(select(User.__table__).where(User.id == anna.id)))[0]
    assert (left.bio, left.phone_key, left.role, left.is_verified) == ("", None, "user", False)
    assert left.email.endswith(".invalid")
    assert admin.post(f"/api/admin/users/{anna.id}/verify").status_code == 409


def test_what_staff_do_to_others_is_written_down_and_no_key_does_it(app: Flask, anna: Person, admin: Person) -> None:
    moderator = sign_up(app, "moderator", role="moderator")
    first, second = things.listing(anna)["id"], things.listing(anna)["id"]
    key = moderator.post("/api/auth/api-keys", json=KEY).json["key"]
    answer = Person(app).delete(f"/api/listings/{first}", headers={"X-API-Key": key})
    assert answer.status_code == 403
    assert moderator.delete(f"/api/listings/{second}").status_code == 200
    assert anna.delete(f"/api/listings/{first}").status_code == 200
    asked = {"subject_type": "listing"}
    log = admin.get("/api/admin/audit-log", query_string=asked).json["audit_log"]
    assert [(row["action"], row["actor_id"], row["subject_id"]) for row in log] == [
        ("listing.delete", moderator.id, second)
    ]
    assert moderator.get("/api/auth/profile").json["user_type"] == "moderator"


def test_giving_a_role_takes_a_fresh_proof_of_everybody(app: Flask, anna: Person, admin: Person) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=20)):
        path, body = f"/api/admin/users/{anna.id}/role", {"role": "moderator"}
        assert admin.put(path, json=body).json["code"] == "step_up_required"
        assert admin.post("/api/auth/step-up", json={"password": PASSWORD}).status_code == 200
        assert admin.put(path, json=body).status_code == 200


def test_of_many_keys_asked_for_at_once_no_more_are_made_than_there_may_be(app: Flask, anna: Person) -> None:
    answers = burst([partial(anna.post, "/api/auth/api-keys", json=KEY)] * 26)
    assert sorted(answer.status_code for answer in answers) == [201] * 20 + [409] * 6


def test_a_new_name_takes_the_badge_away(app: Flask, anna: Person, admin: Person) -> None:
    admin.post(f"/api/admin/users/{anna.id}/verify")
    assert anna.put("/api/auth/profile", json={"bio": "Hello"}).json["user"]["is_verified"] is True
    assert anna.put("/api/auth/profile", json={"first_name": "Queen"}).json["user"]["is_verified"] is False


def test_a_secret_answer_is_never_kept(app: Flask, anna: Person) -> None:
    headers = {"Idempotency-Key": "once"}
    first = anna.post("/api/auth/api-keys", json=KEY, headers=headers)
    again = anna.post("/api/auth/api-keys", json=KEY, headers=headers)
    assert (first.status_code, again.status_code, again.json["code"]) == (201, 409, "shown_once")
    assert anna.get("/api/auth/api-keys").json["total"] == 1


def test_a_name_nobody_has_fits_no_password(app: Flask) -> None:
    with app.app_context():
        assert service.check_credentials("nobody", PASSWORD) == (None, None)
