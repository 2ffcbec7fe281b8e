"""Sign-ins are recorded and scored: what looks unlike the owner needs a second proof, or waits for a letter."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace.auth import one_time_codes
from marketplace.auth.client_context import Place, Spot, spot_of
from marketplace.auth.second_factor import challenges
from marketplace.auth.sign_in_risk import rules, service
from marketplace.auth.sign_in_risk.models import Signal
from marketplace.core.database.db import db, fetch, in_transaction
from tests.conftest import make_app
from tests.factories.people import PASSWORD, Person, sign_up
from tests.races.burst import burst
from tests.servers.mail import MailServer

Work = Callable[[], None]
Clock = time_machine.Traveller
HOME, AWAY, RIGA, TALLINN, SYDNEY = "127.0.0.1", "192.0.2.9", "198.51.100.7", "198.51.101.7", "203.0.113.7"
WRONG = "not this one 17"
WHERE = {
    RIGA: ("LV", 56.95, 24.11),
    TALLINN: ("EE", 59.44, 24.75),
    SYDNEY: ("AU", -33.87, 151.21),
    "2001:db8::7": ("LV", 56.95, 24.11),
}
NEW_DEVICE, NEW_COUNTRY = "a device that was not seen before", "a country that was not seen before"
TOO_FAR, REFUSED_HERE = "too far from the last sign-in to have travelled", "failed sign-ins from this address"
REFUSED, VERY_OFTEN = "failed sign-ins to this account", "very many failed sign-ins to this account"


@pytest.fixture
def clock(app: Flask) -> Iterator[Clock]:
    """Time that can be moved on."""
    with time_machine.travel(datetime.now(UTC)) as traveller:
        yield traveller


@pytest.fixture
def liga(shop: Flask, work: Work, mail: MailServer) -> Person:
    """Somebody who was welcomed already."""
    person = sign_up(shop, "liga")
    work()
    mail.mailbox.received.clear()
    return person


@pytest.fixture
def globe(app: Flask, tmp_path: Path) -> Flask:
    """The application with a small map of where addresses are."""
    return make_app(app.config["DATABASE_URL"], GEOIP_DATABASE=atlas(tmp_path))


def atlas(folder: Path) -> str:
    """A database in MaxMind's format."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoLite2-City")
    for address, (country, latitude, longitude) in WHERE.items():
        network = IPSet([f"{address}/{64 if ':' in address else 24}"])
        spot = {"latitude": latitude, "longitude": longitude}
        writer.insert_network(network, {"country": {"iso_code": country}, "location": spot})
    writer.insert_network(IPSet(["198.18.0.0/24"]), {"country": {"iso_code": "LV"}})
    path = folder / "city.mmdb"
    writer.to_db_file(str(path))
    return str(path)


def log_in(
    app: Flask, name: str = "liga", password: str = PASSWORD, *, address: str = HOME, device: str = "", **headers: str
) -> TestResponse:
    """A try to sign in from this address, by this device; without one by the one that signed up."""
    sent = {"X-Accepts-Challenge": "1", **({"User-Agent": device} if device else {}), **headers}
    body = {"username": name, "password": password}
    there = {"REMOTE_ADDR": address}
    return app.test_client().post("/api/auth/login", json=body, headers=sent, environ_overrides=there)


def refused(app: Flask, times: int, name: str = "liga", address: str = AWAY) -> None:
    """Wrong passwords from elsewhere."""
    for _ in range(times):
        assert log_in(app, name, WRONG, address=address).status_code == 401


def signals(app: Flask, **which: Any) -> list[Any]:
    """What was recorded, in the order of time."""
    with app.app_context():
        rows = fetch(select(Signal.__table__).filter_by(**which).order_by(Signal.id))
        db.session.remove()
    return rows


def last(app: Flask) -> tuple[str, int, set[str]]:
    """What was decided of the last sign-in, by which score and reasons."""
    row = [row for row in signals(app) if row.verdict][-1]
    return row.verdict, row.score, set(row.reasons)


def outcome(answer: TestResponse) -> tuple[int, str | None]:
    """The status, and the code of a problem or the kind of second proof."""
    return answer.status_code, answer.json.get("code", answer.json.get("method"))


def meet(app: Flask, token: str, code: str, *, device: str = "", address: str = HOME) -> TestResponse:
    """Answer a challenge."""
    body, there = {"challenge_token": token, "code": code}, {"REMOTE_ADDR": address}
    headers = {"User-Agent": device} if device else {}
    return app.test_client().post("/api/auth/2fa/verify", json=body, headers=headers, environ_overrides=there)


def code_in_letter(work: Work, mail: MailServer) -> str:
    """The six digits of the newest letter."""
    work()
    text = mail.mailbox.received[-1].get_body(("plain",)).get_content()
    found = re.search(r"(?<!\d)\d{6}(?!\d)", text)
    assert found, text
    return found[0]


def wrong(code: str) -> str:
    """Six other digits."""
    return f"{(int(code) + 1) % 10**6:06}"


def test_a_refused_password_is_recorded_with_where_it_came_from(app: Flask, anna: Person) -> None:
    log_in(app, "anna", WRONG, address=AWAY, device="Phone/1.0")
    log_in(app, "nobody", WRONG, address=AWAY)
    first, second = signals(app, kind="failed_sign_in")
    assert (first.user_id, first.address, first.device) == (anna.id, AWAY, "Phone/1.0")
    assert (first.score, first.verdict, first.reasons) == (0, "", [])
    assert (second.user_id, second.address) == (None, AWAY)


def test_a_sign_in_is_recorded_with_its_score(app: Flask, anna: Person) -> None:
    assert [row.kind for row in signals(app, user_id=anna.id)] == ["registered"]
    log_in(app, "anna", address=AWAY)
    log_in(app, "anna", address=AWAY, device="Phone/1.0")
    rows = signals(app, kind="sign_in")
    assert [(row.verdict, row.score, row.reasons) for row in rows] == [("pass", 0, []), ("pass", 25, [NEW_DEVICE])]
    assert {row.address for row in rows} == {AWAY}


def test_a_device_with_an_endless_name_is_recorded_in_part(app: Flask, anna: Person) -> None:
    assert log_in(app, "anna", device="x" * 5000).status_code == 200
    assert signals(app, kind="sign_in")[0].device == "x" * 300


def test_a_new_device_after_five_refused_passwords_needs_the_mailbox(
    shop: Flask, work: Work, mail: MailServer, liga: Person
) -> None:
    refused(shop, 5)
    answer = log_in(shop, device="Phone/1.0")
    assert outcome(answer) == (200, "email")
    assert not {"token", "access_token", "refresh_token", "user"} & set(answer.json)
    code = code_in_letter(work, mail)
    assert mail.mailbox.received[-1]["To"] == "liga@example.com"
    token = answer.json["challenge_token"]
    assert outcome(meet(shop, token, wrong(code))) == (401, "wrong_code")
    entered = meet(shop, token, f"{code[:3]} {code[3:]}", device="Phone/1.0")
    assert Person(shop, token=entered.json["token"]).get("/api/auth/profile").status_code == 200
    assert outcome(meet(shop, token, code)) == (401, "challenge_over")
    assert [row.kind for row in signals(shop, user_id=liga.id)][-2:] == ["refused_code", "sign_in"]
    assert last(shop) == ("step_up", 55, {NEW_DEVICE, REFUSED})
    assert "token" in log_in(shop, device="Phone/1.0").json


@pytest.mark.parametrize(("times", "method"), [(4, None), (5, "email")])
def test_four_refused_passwords_are_a_persons_own(shop: Flask, liga: Person, times: int, method: str | None) -> None:
    refused(shop, times)
    assert log_in(shop, device="Phone/1.0").json.get("method") == method


def test_who_is_known_is_not_kept_out_by_others_guessing(app: Flask, anna: Person) -> None:
    refused(app, 49, "anna")
    assert "token" in log_in(app, "anna").json
    assert last(app) == ("pass", 30, {REFUSED})
    refused(app, 30, "anna")
    assert outcome(log_in(app, "anna")) == (200, "email")


def test_a_quarter_of_an_hour_later_it_is_forgotten(app: Flask, clock: Clock, anna: Person) -> None:
    refused(app, 5, "anna")
    clock.shift(timedelta(minutes=16))
    assert "token" in log_in(app, "anna", device="Phone/1.0").json
    assert last(app) == ("pass", 25, {NEW_DEVICE})


def test_an_address_that_guesses_at_many_accounts_is_known_by_it(app: Flask, anna: Person, juris: Person) -> None:
    refused(app, 25, "juris")
    refused(app, 5, "anna")
    assert outcome(log_in(app, "anna", address=AWAY)) == (200, "email")
    assert "token" in log_in(app, "anna", address=HOME).json
    assert last(app) == ("pass", 30, {REFUSED})


@pytest.fixture
def besieged(shop: Flask, liga: Person) -> Person:
    """Somebody whose password very many have tried."""
    refused(shop, 50)
    return liga


def test_a_sign_in_that_looks_unlike_the_owner_is_held(shop: Flask, work: Work, besieged: Person) -> None:
    sent = len(signals(shop))
    assert outcome(log_in(shop, password=WRONG, address=AWAY, device="Other/1.0")) == (401, "bad_credentials")
    assert outcome(log_in(shop, address=AWAY, device="Other/1.0")) == (403, "sign_in_held")
    held = signals(shop)[sent + 1]
    assert (held.kind, held.user_id, held.verdict, held.score) == ("sign_in_held", besieged.id, "hold", 115)
    assert set(held.reasons) == {NEW_DEVICE, REFUSED, VERY_OFTEN, REFUSED_HERE}
    assert besieged.get("/api/auth/sessions").json["total"] == 1


def test_a_new_password_by_letter_ends_the_holding(shop: Flask, work: Work, mail: MailServer, besieged: Person) -> None:
    there = {"address": AWAY, "device": "Other/1.0"}
    assert log_in(shop, **there).status_code == 403
    stranger = shop.test_client()
    stranger.post("/api/auth/password/forgot", json={"email": "liga@example.com"})
    work()
    text = mail.mailbox.received[-1].get_body(("plain",)).get_content()
    found = re.search(r"token=([\w.\-]+)", text)
    assert found, text
    body = {"token": found[1], "password": "a longer one 17"}
    where = {"environ_overrides": {"REMOTE_ADDR": AWAY}, "headers": {"User-Agent": "Other/1.0"}}
    assert stranger.post("/api/auth/password/reset", json=body, **where).status_code == 200
    assert log_in(shop, password=PASSWORD, **there).status_code == 401
    answer = log_in(shop, password="a longer one 17", **there)
    assert answer.status_code == 200
    assert "token" in answer.json


def challenge(shop: Flask) -> str:
    """A sign-in that waits for the code of a letter."""
    refused(shop, 5)
    return str(log_in(shop, device="Phone/1.0").json["challenge_token"])


def test_of_forty_guesses_at_once_five_are_looked_at(shop: Flask, work: Work, mail: MailServer, liga: Person) -> None:
    token = challenge(shop)
    code = code_in_letter(work, mail)
    calls = [partial(meet, shop, token, wrong(code), address=f"192.0.2.{number}") for number in range(40)]
    codes = [outcome(answer)[1] for answer in burst(calls)]
    assert (codes.count("wrong_code"), codes.count("challenge_over")) == (5, 35)
    assert outcome(meet(shop, token, code)) == (401, "challenge_over")


def test_control_without_counting_the_forty_first_guess_is_looked_at(
    shop: Flask, work: Work, mail: MailServer, liga: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_time_codes, "take_guess", lambda *_: True)
    token = challenge(shop)
    code = code_in_letter(work, mail)
    codes = [outcome(answer)[1] for answer in burst([partial(meet, shop, token, wrong(code))] * 40)]
    assert codes.count("wrong_code") == 40
    assert meet(shop, token, code).status_code == 200


def test_a_code_is_for_its_own_challenge(shop: Flask, work: Work, mail: MailServer, liga: Person) -> None:
    first = challenge(shop)
    code = code_in_letter(work, mail)
    second = challenge(shop)
    other = code_in_letter(work, mail)
    assert code == other or outcome(meet(shop, second, code)) == (401, "wrong_code")
    assert meet(shop, first, code).status_code == 200


def test_a_code_of_a_letter_lives_for_ten_minutes(
    shop: Flask, clock: Clock, work: Work, mail: MailServer, liga: Person
) -> None:
    token = challenge(shop)
    code = code_in_letter(work, mail)
    clock.shift(timedelta(minutes=11))
    assert outcome(meet(shop, token, code)) == (401, "challenge_over")


def test_a_mailbox_is_not_flooded_by_codes(
    shop: Flask, clock: Clock, work: Work, mail: MailServer, liga: Person
) -> None:
    refused(shop, 5)
    statuses = [answer.status_code for answer in burst([partial(log_in, shop, device="Phone/1.0")] * 12)]
    assert (statuses.count(200), statuses.count(429)) == (5, 7)
    work()
    assert len([one for one in mail.mailbox.received if "code" in str(one["Subject"])]) == 5
    clock.shift(timedelta(minutes=61))
    refused(shop, 5)
    assert log_in(shop, device="Phone/1.0").status_code == 200


def test_a_sign_in_from_a_new_device_is_told_once(shop: Flask, work: Work, mail: MailServer, liga: Person) -> None:
    log_in(shop)
    work()
    assert mail.mailbox.received == []
    for _ in range(2):
        log_in(shop, address=AWAY, device="Phone/1.0")
        work()
    letters = [one for one in mail.mailbox.received if one["To"] == "liga@example.com"]
    assert [str(one["Subject"]) for one in letters] == ["A sign-in from a new device"]
    text = letters[0].get_body(("plain",)).get_content()
    assert "Phone/1.0" in text
    assert AWAY in text
    told = [one["type"] for one in liga.get("/api/notifications").json["notifications"]]
    assert told.count("new_sign_in") == 1


def test_a_new_account_is_not_warned_of_its_own_device(shop: Flask, work: Work, mail: MailServer) -> None:
    sign_up(shop, "newcomer")
    work()
    assert not [one for one in mail.mailbox.received if "new device" in str(one["Subject"])]


def test_nobody_is_in_riga_and_ten_minutes_later_in_sydney(globe: Flask, clock: Clock) -> None:
    sign_up(globe, "liga")
    assert "token" in log_in(globe, address=RIGA).json
    clock.shift(timedelta(minutes=10))
    assert outcome(log_in(globe, address=SYDNEY)) == (200, "email")
    clock.shift(timedelta(minutes=10))
    assert outcome(log_in(globe, address=SYDNEY, device="Other/1.0")) == (403, "sign_in_held")
    assert last(globe) == ("hold", 100, {NEW_DEVICE, NEW_COUNTRY, TOO_FAR})
    assert "token" in log_in(globe, address=RIGA).json


def test_a_day_is_enough_to_fly_to_sydney(globe: Flask, clock: Clock) -> None:
    sign_up(globe, "liga")
    log_in(globe, address=RIGA)
    clock.shift(timedelta(hours=20))
    assert "token" in log_in(globe, address=SYDNEY).json
    assert last(globe) == ("pass", 15, {NEW_COUNTRY})
    clock.shift(timedelta(hours=20))
    assert "token" in log_in(globe, address=RIGA).json
    assert last(globe) == ("pass", 0, set())


def test_two_networks_near_each_other_are_no_journey(globe: Flask, clock: Clock) -> None:
    sign_up(globe, "liga")
    log_in(globe, address=RIGA)
    assert "token" in log_in(globe, address=TALLINN).json
    assert last(globe) == ("pass", 15, {NEW_COUNTRY})


def test_who_proved_by_letter_to_be_in_sydney_is_known_there(
    shop: Flask, clock: Clock, work: Work, mail: MailServer, tmp_path: Path
) -> None:
    globe = make_app(shop.config["DATABASE_URL"], GEOIP_DATABASE=atlas(tmp_path))
    sign_up(globe, "liga")
    log_in(globe, address=RIGA)
    token = log_in(globe, address=SYDNEY).json["challenge_token"]
    assert meet(globe, token, code_in_letter(work, mail), address=SYDNEY).status_code == 200
    assert "token" in log_in(globe, address=SYDNEY).json


def test_the_country_and_place_of_a_sign_in_are_recorded(globe: Flask) -> None:
    sign_up(globe, "liga")
    for address in (RIGA, "2001:db8::99", AWAY):
        log_in(globe, address=address)
    assert [(row.country, row.latitude, row.longitude) for row in signals(globe, kind="sign_in")] == [
        ("LV", 56.95, 24.11),
        ("LV", 56.95, 24.11),
        ("", None, None),
    ]


@pytest.mark.parametrize("address", ["", "unix:", "not an address", "256.1.1.1", "198.18.0.9", AWAY, "::1"])
def test_an_address_that_is_nowhere_is_no_error(globe: Flask, address: str) -> None:
    sign_up(globe, "liga")
    assert log_in(globe, address=address).status_code == 200
    with globe.app_context():
        assert spot_of(address) is None
        assert spot_of(RIGA) == Spot("LV", 56.95, 24.11)
        db.session.remove()


def test_a_forged_header_moves_nobody_unless_a_proxy_is_trusted(app: Flask, clock: Clock, tmp_path: Path) -> None:
    url, map_of_the_world = app.config["DATABASE_URL"], atlas(tmp_path)
    bare = make_app(url, GEOIP_DATABASE=map_of_the_world)
    behind = make_app(url, GEOIP_DATABASE=map_of_the_world, TRUSTED_PROXIES="1")
    sign_up(bare, "liga")
    assert "token" in log_in(bare, address=RIGA).json
    assert "token" in log_in(bare, address=RIGA, **{"X-Forwarded-For": SYDNEY}).json
    assert "token" in log_in(behind, address=AWAY, **{"X-Forwarded-For": f"{SYDNEY}, {RIGA}"}).json
    assert {row.address for row in signals(bare, kind="sign_in")} == {RIGA}
    assert outcome(log_in(behind, address=AWAY, **{"X-Forwarded-For": f"{RIGA}, {SYDNEY}"})) == (200, "email")
    with bare.app_context():
        assert spot_of(SYDNEY) is not None
        db.session.remove()


def listed(admin: Person, **query: Any) -> list[dict[str, Any]]:
    """The signals staff see."""
    answer = admin.get("/api/admin/signals", query_string=query)
    assert answer.status_code == 200, answer.json
    return list(answer.json["signals"])


def test_an_administrator_sees_signals_by_what_they_look_for(globe: Flask, clock: Clock) -> None:
    admin, liga = sign_up(globe, "admin", role="admin"), sign_up(globe, "liga")
    refused(globe, 2)
    refused(globe, 1, "nobody", HOME)
    log_in(globe, address=RIGA)
    log_in(globe, address=SYDNEY, device="Other/1.0")
    assert [row["kind"] for row in listed(admin, user_id=liga.id)] == [
        *("sign_in_held", "sign_in", "failed_sign_in", "failed_sign_in", "registered")
    ]
    assert [row["user_id"] for row in listed(admin, kind="failed_sign_in")] == [None, liga.id, liga.id]
    assert [row["kind"] for row in listed(admin, address=AWAY)] == ["failed_sign_in"] * 2
    assert [row["verdict"] for row in listed(admin, verdict="hold")] == ["hold"]
    assert [row["score"] for row in listed(admin, least_score=1)] == [100]
    found = listed(admin, verdict="hold")[0]
    assert (found["country"], found["latitude"], found["device"]) == ("AU", -33.87, "Other/1.0")
    assert set(found["reasons"]) == {NEW_DEVICE, NEW_COUNTRY, TOO_FAR}
    assert listed(admin, kind="sign_in", user_id=admin.id) == []
    assert len(listed(admin, per_page=2)) == 2


@pytest.mark.parametrize("query", ["kind=other", "verdict=maybe", "least_score=x", "least_score=-1", "user_id=0"])
def test_a_filter_nobody_has_is_refused(admin: Person, query: str) -> None:
    assert admin.get(f"/api/admin/signals?{query}").status_code == 422


def test_signals_are_for_administrators(app: Flask, anna: Person) -> None:
    moderator = sign_up(app, "moderator", role="moderator")
    for person in (anna, moderator):
        assert person.get("/api/admin/signals").status_code == 403
    assert Person(app).get("/api/admin/signals").status_code == 401


STRICT = """
step_up = 10
hold = 20

[[rule]]
reason = "a wrong password"
count = "failed_sign_in"
by = "user"
minutes = 60
at_least = 1
score = 10

[[rule]]
reason = "three from one address"
count = "failed_sign_in"
by = "address"
minutes = 60
at_least = 3
score = 10
"""


def test_other_rules_take_the_place_of_ours(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "strict.toml"
    file.write_text(STRICT)
    strict = make_app(app.config["DATABASE_URL"], SECURITY_RULES=str(file))
    sign_up(strict, "liga")
    assert "token" in log_in(strict, device="Other/1.0").json
    refused(strict, 1)
    assert outcome(log_in(strict)) == (200, "email")
    refused(strict, 2, "nobody")
    assert outcome(log_in(strict)) == (200, "email")
    assert outcome(log_in(strict, address=AWAY)) == (403, "sign_in_held")
    assert last(strict) == ("hold", 20, {"a wrong password", "three from one address"})
    assert "token" in log_in(app).json


COUNT = "count = 'sign_in'\nby = 'user'\nminutes = 1\nat_least = 1"
RULE = '[[rule]]\nreason = "x"\nscore = 1\n'
BAD = {
    "nothing": "",
    "no toml at all": "step_up = ",
    "no threshold": f"hold = 1\n{RULE}fact = 'new_device'",
    "no rule": "step_up = 1\nhold = 2",
    "a word for a number": f"step_up = 'many'\nhold = 2\n{RULE}fact = 'new_device'",
    "an unknown fact": f"step_up = 1\nhold = 2\n{RULE}fact = 'full_moon'",
    "an unknown count": f"step_up = 1\nhold = 2\n{RULE}count = 'moons'\nby = 'user'\nminutes = 1\nat_least = 1",
    "no window": f"step_up = 1\nhold = 2\n{RULE}count = 'sign_in'\nby = 'user'\nat_least = 1",
    "by the moon": f"step_up = 1\nhold = 2\n{RULE}count = 'sign_in'\nby = 'moon'\nminutes = 1\nat_least = 1",
    "both": f"step_up = 1\nhold = 2\n{RULE}fact = 'new_device'\n{COUNT}",
    "neither": f"step_up = 1\nhold = 2\n{RULE}",
    "a weight nobody has": f"step_up = 1\nhold = 2\n{RULE}{COUNT}\nunless = 'moons'",
    "a weight without a count": f"step_up = 1\nhold = 2\n{RULE}fact = 'new_device'\nunless = 'sign_in'",
    "a key too many": f"step_up = 1\nhold = 2\n{RULE}fact = 'new_device'\ncolour = 'red'",
}


@pytest.mark.parametrize("name", BAD)
def test_rules_nobody_could_mean_are_named(tmp_path: Path, name: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(BAD[name])
    with pytest.raises(rules.BadFile, match=r"bad\.toml"):
        rules.read(file)
    with pytest.raises(rules.BadFile, match=r"none\.toml"):
        rules.read(tmp_path / "none.toml")


def test_signals_are_forgotten_after_half_a_year(app: Flask, clock: Clock, anna: Person) -> None:
    refused(app, 2, "anna")
    clock.shift(timedelta(days=100))
    refused(app, 1, "anna")
    clock.shift(timedelta(days=100))
    with app.app_context():
        assert in_transaction(service.sweep) == 3
        db.session.remove()
    assert [row.kind for row in signals(app)] == ["failed_sign_in"]


@pytest.mark.parametrize("wish", ["", "0", "1"])
def test_a_challenge_is_no_success_to_a_client_that_does_not_ask_for_it(app: Flask, anna: Person, wish: str) -> None:
    refused(app, 5, "anna")
    headers = {"X-Accepts-Challenge": wish} if wish else {"X-Accepts-Challenge": "no"}
    answer = log_in(app, "anna", device="Phone/1.0", **headers)
    told = {"two_factor_required": True, "method": "email", "challenge_token": answer.json["challenge_token"]}
    assert told.items() <= answer.json.items()
    assert not {"token", "access_token", "refresh_token", "user"} & set(answer.json)
    if wish == "1":
        assert answer.status_code == 200
        return
    assert outcome(answer) == (401, "two_factor_required")
    assert answer.mimetype == "application/problem+json"
    assert answer.json["error"] == answer.json["detail"]
    with app.app_context():
        code = in_transaction(lambda: challenges.code_to_send(int(answer.json["challenge_token"].partition(".")[0])))
        db.session.remove()
    assert meet(app, answer.json["challenge_token"], str(code)).status_code == 200


SCHOOL = "198.51.100.9"


@pytest.fixture
def class_room(app: Flask) -> list[str]:
    """Twenty who registered and fifty who signed in from one address, most of them at the third try."""
    names = [f"pupil_{number}" for number in range(50)]
    moment = datetime.now(UTC)
    kinds = ["registered"] * 20 + ["sign_in"] * 50 + ["failed_sign_in"] * 90
    rows = [
        Signal(kind=kind, user_id=10_000 + number % 50, address=SCHOOL, device="Chromebook", created_at=moment)
        for number, kind in enumerate(kinds)
    ]
    with app.app_context():
        in_transaction(lambda: db.session.add_all(rows))
        db.session.remove()
    return names


def test_a_class_room_locks_nobody_out(app: Flask, class_room: list[str]) -> None:
    for name in class_room[:2]:
        sign_up(app, name)
        answer = log_in(app, name, address=SCHOOL, device="Chromebook")
        assert "token" in answer.json, answer.json
        assert last(app) == ("pass", 25, {NEW_DEVICE})


def test_somebody_who_guesses_in_a_class_room_is_seen(app: Flask, class_room: list[str], anna: Person) -> None:
    refused(app, 30, "nobody", SCHOOL)
    assert outcome(log_in(app, "anna", address=SCHOOL, device="Chromebook")) == (200, "email")
    assert "token" in log_in(app, "anna").json


def test_a_household_is_one_network_to_the_signals(app: Flask, anna: Person) -> None:
    for number in range(30):
        refused(app, 1, "nobody", f"2001:db8:1:2::{number + 1:x}")
    assert {row.address for row in signals(app, kind="failed_sign_in")} == {"2001:db8:1:2::/64"}
    assert outcome(log_in(app, "anna", address="2001:db8:1:2:aa::1", device="Phone/1.0")) == (200, "email")
    assert "token" in log_in(app, "anna", address="2001:db8:1:3::1", device="Phone/1.0").json


def test_who_is_known_is_so_at_every_address_of_the_household(app: Flask, anna: Person) -> None:
    log_in(app, "anna", address="2001:db8::1", device="Phone/1.0")
    with app.app_context():
        found = [service.is_known(anna.id, Place(f"2001:db8:0:{net}::9", "Phone/1.0")) for net in (0, 1)]
        db.session.remove()
    assert found == [True, False]


def test_staff_find_signals_by_any_address_of_the_network(app: Flask, admin: Person) -> None:
    refused(app, 1, "nobody", "2001:db8::1")
    for asked in ("2001:db8::2", "2001:db8::/64"):
        assert admin.get("/api/admin/signals", query_string={"address": asked}).json["total"] == 1
