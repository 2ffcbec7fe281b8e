"""People as the newer client registers, shows and changes them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from marketplace.auth.models import MailToken
from marketplace.auth.phone import service as phone_service
from marketplace.auth.phone.models import PhoneCode
from marketplace.core.database.db import db, fetch
from marketplace.core.queues.outbox import relay
from tests.contract.client import Browser, has
from tests.contract.newer_tables import USER_PRIVATE, USER_PUBLIC
from tests.factories.people import PASSWORD

AUTH = "/api/auth"
SAME = {"first_name": "Anna", "last_name": "Kalniņa", "city": "Rīga", "is_helper": True, "skills": ["van"]}


def account(name: str, **more: object) -> dict[str, object]:
    """What a client sends to register."""
    return {"username": name, "email": f"{name}@example.com", "password": PASSWORD, **more}


@pytest.mark.parametrize("kind", ["freelancer", "client", "both"])
def test_what_somebody_came_for_is_kept(anybody: Browser, kind: str) -> None:
    user = anybody.post(f"{AUTH}/register", json=account("vera", user_type=kind)).json["user"]
    assert has(user, USER_PRIVATE)
    assert (user["user_type"], user["is_admin"], user["onboarding_completed"]) == (kind, False, False)
    shown = anybody.get(f"{AUTH}/users/{user['id']}").json
    assert has(shown, USER_PUBLIC)
    assert not {"is_admin", "onboarding_completed"} & set(shown)
    assert (shown["user_type"], shown["tasks_completed"]) == (kind, 0)


def test_other_words_for_it_are_nothing_and_staff_are_their_role(
    anybody: Browser, promote: Callable[[Browser], Browser]
) -> None:
    plain = anybody.post(f"{AUTH}/register", json=account("vera", user_type="admin")).json["user"]
    assert (plain["user_type"], plain["is_admin"]) == ("user", False)
    answer = anybody.post(f"{AUTH}/register", json=account("boss", user_type="both")).json
    boss = promote(Browser(anybody.app, answer["user"], answer["token"], address=anybody.address))
    user = boss.get(f"{AUTH}/profile").json
    assert (user["user_type"], user["is_admin"]) == ("admin", True)


def test_a_first_visit_is_finished_once_with_a_username_of_choice(anna: Browser, juris: Browser) -> None:
    path = f"{AUTH}/complete-registration"
    taken = anna.post(path, json={**SAME, "username": "JURIS"})
    assert (taken.status_code, taken.json["code"]) == (409, "username_taken")
    assert anna.get(f"{AUTH}/profile").json["onboarding_completed"] is False
    done = anna.post(path, json={**SAME, "username": "anna_k", "phone": "+371 20000001", "user_type": "both"})
    assert done.status_code == 200, done.text
    user = done.json["user"]
    assert (user["onboarding_completed"], user["username"], user["user_type"]) == (True, "anna_k", "both")
    assert (user["first_name"], user["city"], user["is_helper"], user["skills"]) == ("Anna", "Rīga", True, "van")
    assert anna.post(path, json={**SAME, "username": "anna_k"}).status_code == 200
    again = anna.post(path, json={"username": "hanna"})
    assert (again.status_code, again.wrong) == (422, {"username"})
    assert anna.post(f"{AUTH}/login", json={"username": "anna_k", "password": PASSWORD}).status_code == 200
    assert juris.get(f"{AUTH}/check-username/anna").json["available"] is True


def test_a_number_is_linked_by_its_code(anna: Browser) -> None:
    assert anna.post(f"{AUTH}/phone/send-code", json={"phone": "+371 26000001"}).status_code == 200
    with anna.app.app_context():
        (code,) = fetch(select(PhoneCode.id))
        sent = phone_service.message_of(code.id)
        db.session.remove()
    assert sent is not None
    wrong = anna.post(f"{AUTH}/phone/link", json={"phone": "+371 26000001", "code": "x"})
    assert (wrong.status_code, wrong.wrong) == (422, {"code"})
    linked = anna.post(f"{AUTH}/phone/link", json={"phone": "+371 26000001", "code": sent[1]})
    assert (linked.status_code, linked.json["user"]["phone_verified"]) == (200, True)


def test_the_confirmation_is_sent_again_to_whoever_is_not_signed_in(anna: Browser, anybody: Browser) -> None:
    def letters() -> int:
        with anna.app.app_context():
            relay()
            found = len(fetch(select(MailToken.id)))
            db.session.remove()
        return found

    assert letters() == 1
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        answers = [
            anybody.post(f"{AUTH}/email/resend", json={"email": email})
            for email in ("nobody@example.com", "ANNA@example.com", "anna@example.com")
        ]
        assert letters() == 2
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert anybody.post(f"{AUTH}/email/resend", json={}).wrong == {"email"}


def test_nobody_switches_their_account_off_in_the_profile(anna: Browser) -> None:
    refused = anna.put(f"{AUTH}/profile", json={"is_active": False, "city": "Rīga"})
    assert (refused.status_code, refused.wrong) == (422, {"is_active"})
    assert "DELETE /api/auth/account" in refused.json["error"]
    whole = anna.get(f"{AUTH}/profile").json
    assert anna.put(f"{AUTH}/profile", json={**whole, "city": "Rīga"}).json["user"]["city"] == "Rīga"


def test_when_somebody_was_here_is_said_in_the_readers_language(
    anna: Browser, juris: Browser, anybody: Browser
) -> None:
    assert juris.get(f"{AUTH}/profile").status_code == 200
    latvian = anybody.get(f"{AUTH}/users/{juris.id}", headers={"Accept-Language": "lv"})
    shown = latvian.json["last_seen_display"], latvian.json["online_status"]
    assert shown in {("tiešsaistē", "online"), (None, "offline")}
    assert "Accept-Language" in latvian.headers["Vary"]
