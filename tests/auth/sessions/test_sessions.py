"""Sign-ins: refreshed by trading tokens, listed, ended; a token used twice ends the family."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from marketplace.auth import activity
from marketplace.auth.models import SignIn
from marketplace.auth.sessions import service as sessions_service
from marketplace.core.database.db import db, execute, fetch
from marketplace.kit.clock import now
from tests.factories.people import PASSWORD, Person
from tests.races.burst import burst


def refresh(app: Flask, token: str) -> Any:
    """Trade a refresh token."""
    return Person(app, token=token).post("/api/auth/refresh")


def log_in(app: Flask, name: str, **headers: str) -> Person:
    """Another sign-in of somebody."""
    answer = app.test_client().post("/api/auth/login", json={"username": name, "password": PASSWORD}, headers=headers)
    return Person(app, answer.json["user"], answer.json["token"], answer.json["refresh_token"])


def test_a_refresh_token_is_traded_for_the_next_pair(app: Flask, anna: Person) -> None:
    first = refresh(app, anna.refresh_token)
    assert first.status_code == 200
    assert {"message", "token", "access_token", "refresh_token", "user"} <= set(first.json)
    assert first.json["refresh_token"] != anna.refresh_token
    assert Person(app, token=first.json["token"]).get("/api/auth/profile").status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=50)):
        second = refresh(app, first.json["refresh_token"])
        assert second.status_code == 200
        assert Person(app, token=second.json["token"]).get("/api/auth/profile").status_code == 200


def test_a_token_used_again_later_ends_the_whole_family(app: Flask, anna: Person) -> None:
    stolen = anna.refresh_token
    mine = refresh(app, stolen).json
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=11)):
        thief = refresh(app, stolen)
        assert (thief.status_code, thief.json["code"]) == (401, "refresh_reused")
        assert Person(app, token=mine["token"]).get("/api/auth/profile").status_code == 401
        assert refresh(app, mine["refresh_token"]).status_code == 401


def test_a_token_from_two_generations_ago_ends_the_family_at_once(app: Flask, anna: Person) -> None:
    second = refresh(app, anna.refresh_token).json["refresh_token"]
    third = refresh(app, second).json
    assert refresh(app, anna.refresh_token).status_code == 401
    assert refresh(app, third["refresh_token"]).status_code == 401


def test_twenty_honest_tabs_get_one_pair(app: Flask, anna: Person) -> None:
    answers = burst([partial(refresh, app, anna.refresh_token)] * 20)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1
    assert len({answer.json["token"] for answer in answers}) == 1
    assert refresh(app, answers[0].json["refresh_token"]).status_code == 200


def test_control_without_the_generation_in_the_update_many_pairs_are_made(
    app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(sign_in_id: str, generation: int) -> Any:
        following = update(SignIn).where(SignIn.id == sign_in_id)
        execute(following.values(generation=SignIn.generation + 1, rotated_at=now()))
        return fetch(select(SignIn.__table__).where(SignIn.id == sign_in_id))[0]

    monkeypatch.setattr(sessions_service, "rotate", careless)
    answers = burst([partial(refresh, app, anna.refresh_token)] * 8)
    assert len({answer.json["refresh_token"] for answer in answers}) > 1


def test_an_access_token_does_not_refresh_and_a_refresh_token_does_not_read(app: Flask, anna: Person) -> None:
    assert refresh(app, anna.token).status_code == 401
    assert Person(app, token=anna.refresh_token).get("/api/auth/profile").status_code == 401


def test_one_sees_where_one_is_signed_in_and_ends_it(app: Flask, anna: Person, juris: Person) -> None:
    phone = log_in(app, "anna", **{"User-Agent": "Phone/1.0"})
    listed = anna.get("/api/auth/sessions").json
    assert (listed["total"], [one["is_current"] for one in listed["sessions"]].count(True)) == (2, 1)
    there = next(one for one in listed["sessions"] if not one["is_current"])
    assert (there["device"], there["address"]) == ("Phone/1.0", "127.0.0.1")

    assert juris.delete(f"/api/auth/sessions/{there['id']}").status_code == 404
    assert anna.delete(f"/api/auth/sessions/{there['id']}").status_code == 200
    assert anna.delete(f"/api/auth/sessions/{there['id']}").status_code == 404
    assert phone.get("/api/auth/profile").status_code == 401
    assert refresh(app, phone.refresh_token).status_code == 401
    assert anna.get("/api/auth/profile").status_code == 200


def test_all_others_end_at_once(app: Flask, anna: Person) -> None:
    others = [log_in(app, "anna") for _ in range(3)]
    assert "3 other" in anna.delete("/api/auth/sessions").json["message"]
    assert [one.get("/api/auth/profile").status_code for one in (*others, anna)] == [401, 401, 401, 200]


def _log_in_with(app: Flask, name: str, password: str) -> Any:
    return app.test_client().post("/api/auth/login", json={"username": name, "password": password})


def test_a_new_password_ends_the_others(app: Flask, anna: Person) -> None:
    other = log_in(app, "anna")
    wrong = {"current_password": "not this one", "new_password": "a longer one 17"}
    assert (anna.put("/api/auth/password", json=wrong).status_code, other.get("/api/auth/profile").status_code) == (
        403,
        200,
    )
    right = {"current_password": PASSWORD, "new_password": "a longer one 17"}
    assert anna.put("/api/auth/password", json=right).status_code == 200
    assert [one.get("/api/auth/profile").status_code for one in (other, anna)] == [401, 200]
    tries = [_log_in_with(app, "anna", password) for password in (PASSWORD, "a longer one 17")]
    assert [one.status_code for one in tries] == [401, 200]


@pytest.mark.parametrize("password", ["password", "12345678", "Qwertyuiop", "iloveyou", "PASSWORD1", "short"])
def test_nobodys_first_guess_is_taken(app: Flask, anna: Person, password: str) -> None:
    body = {"username": "newcomer", "email": "newcomer@example.com", "password": password}
    assert app.test_client().post("/api/auth/register", json=body).status_code == 422
    change = {"current_password": PASSWORD, "new_password": password}
    assert anna.put("/api/auth/password", json=change).status_code == 422


def test_a_long_password_counts_to_its_last_letter(app: Flask) -> None:
    long = "ā" * 127
    body = {"username": "longish", "email": "longish@example.com", "password": long + "x"}
    assert app.test_client().post("/api/auth/register", json=body).status_code == 201
    tries = [_log_in_with(app, "longish", long + last) for last in "yx"]
    assert [one.status_code for one in tries] == [401, 200]


def test_the_last_use_is_written_once_a_minute(app: Flask, anna: Person) -> None:
    def last() -> Any:
        with app.app_context():
            activity.flush()
            seen = fetch(select(SignIn.last_used_at).where(SignIn.user_id == anna.id))[0].last_used_at
            db.session.remove()
        return seen

    begun = last()
    anna.get("/api/auth/profile")
    assert last() == begun
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        anna.get("/api/auth/profile")
        assert last() > begun + timedelta(minutes=1)
