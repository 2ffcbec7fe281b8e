"""Signed in by cookies: no script sees a token, no foreign page writes, and without the setting nothing changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.http import parse_cookie
from werkzeug.test import TestResponse

from tests.conftest import make_app
from tests.factories import things
from tests.factories.people import PASSWORD, Person, sign_up
from tests.races.burst import burst

WISH = {"X-Sign-In": "cookie"}
LISTING = {"title": "City bicycle", "description": "Seven gears.", "price": 120, "category": "bicycles", **things.RIGA}
REFRESH = "/api/auth/refresh"
TOKENS = {"token", "access_token", "refresh_token"}
Clock = time_machine.Traveller


@dataclass
class Browser:
    """A client that keeps cookies."""

    client: FlaskClient

    def cookie(self, name: str, path: str = "/") -> str:
        """The value of one; empty where there is none."""
        found = self.client.get_cookie(name, path=path)
        return found.value if found else ""

    def send(self, method: str, path: str, csrf: str | None = None, **kwargs: Any) -> TestResponse:
        """A request of a page, with this value in the header."""
        headers = {**({} if csrf is None else {"X-CSRF-Token": csrf}), **kwargs.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """A page reads."""
        return self.send("GET", path, **kwargs)

    def write(self, method: str, path: str, json: Any = None) -> TestResponse:
        """Our own page writes: it reads the csrf cookie."""
        return self.send(method, path, self.cookie("csrf"), json={} if json is None else json)

    def refresh(self) -> TestResponse:
        """Our own page trades the tokens."""
        return self.send("POST", REFRESH, self.cookie("csrf_refresh"))


@pytest.fixture
def clock(app: Flask) -> Iterator[Clock]:
    """Time that can be moved on."""
    with time_machine.travel(datetime.now(UTC)) as traveller:
        yield traveller


@pytest.fixture
def site(app: Flask) -> Flask:
    """The application with cookies allowed."""
    return make_app(app.config["DATABASE_URL"], COOKIE_SIGN_IN="1")


@pytest.fixture
def liga(site: Flask) -> Person:
    """Somebody with tokens of the other kind too."""
    return sign_up(site, "liga")


@pytest.fixture
def browser(site: Flask, liga: Person) -> Browser:
    """Somebody signed in by cookies."""
    made = Browser(site.test_client())
    assert log_in(made).status_code == 200
    return made


def log_in(browser: Browser, name: str = "liga", headers: dict[str, str] | None = None) -> TestResponse:
    """Sign in; with the wish for cookies unless told."""
    body = {"username": name, "password": PASSWORD}
    return browser.send("POST", "/api/auth/login", json=body, headers=WISH if headers is None else headers)


def outcome(answer: TestResponse) -> tuple[int, str | None]:
    """The status, and the code of a problem."""
    return answer.status_code, answer.json.get("code")


def attributes(answer: TestResponse) -> dict[tuple[str, str], dict[str, str]]:
    """What was said of each cookie, by its name and path."""
    found = {}
    for header in answer.headers.getlist("Set-Cookie"):
        said = {key.lower(): value for key, value in parse_cookie(header).items()}
        said["flags"] = header.lower()
        found[header.partition("=")[0], said["path"]] = said
    return found


def test_signing_in_sets_cookies_and_shows_no_token(site: Flask, liga: Person) -> None:
    answer = log_in(Browser(site.test_client()))
    assert answer.json["user"]["username"] == "liga"
    assert not TOKENS & set(answer.json)
    cookies = attributes(answer)
    token = cookies["access_token", "/"]["access_token"]
    assert token.count(".") == 2
    assert token not in answer.get_data(as_text=True)
    assert answer.json["csrf_token"] == cookies["csrf", "/"]["csrf"]
    assert {said["samesite"] for said in cookies.values()} == {"Lax"}
    hidden = {name for (name, _), said in cookies.items() if "httponly" in said["flags"]}
    assert hidden == {"access_token", "refresh_token"}
    assert not any("secure" in said["flags"] for said in cookies.values())
    assert not any("domain" in said["flags"] for said in cookies.values())


def test_the_refresh_token_travels_to_one_address(browser: Browser, site: Flask) -> None:
    cookies = attributes(log_in(Browser(site.test_client())))
    paths = {path for name, path in cookies if name == "refresh_token"}
    assert REFRESH in paths
    assert all(path.endswith("/auth/refresh") for path in paths)


def test_cookies_last_as_long_as_their_tokens(site: Flask, liga: Person) -> None:
    cookies = attributes(log_in(Browser(site.test_client())))
    assert cookies["access_token", "/"]["max-age"] == "3600"
    assert cookies["refresh_token", REFRESH]["max-age"] == str(30 * 86_400)


def test_in_production_cookies_are_secure(app: Flask, liga: Person) -> None:
    url = app.config["DATABASE_URL"]
    site = make_app(url, COOKIE_SIGN_IN="1", COOKIE_SECURE="1", COOKIE_SAME_SITE="Strict")
    cookies = attributes(log_in(Browser(site.test_client())))
    assert all("secure" in said["flags"] for said in cookies.values())
    assert {said["samesite"] for said in cookies.values()} == {"Strict"}


def test_a_new_account_may_have_cookies_too(site: Flask) -> None:
    browser = Browser(site.test_client())
    body = {"username": "newcomer", "email": "newcomer@example.com", "password": PASSWORD}
    answer = browser.send("POST", "/api/auth/register", json=body, headers=WISH)
    assert answer.status_code == 201
    assert not TOKENS & set(answer.json)
    assert browser.get("/api/auth/profile").json["username"] == "newcomer"


def test_without_the_wish_tokens_are_in_the_body(site: Flask, liga: Person) -> None:
    browser = Browser(site.test_client())
    for headers in ({}, {"X-Sign-In": "body"}):
        answer = log_in(browser, headers=headers)
        assert set(answer.json) >= TOKENS
        assert answer.headers.getlist("Set-Cookie") == []


def test_a_page_reads_by_cookie(browser: Browser) -> None:
    answer = browser.get("/api/auth/profile")
    assert answer.json["username"] == "liga"
    assert "private" in answer.headers["Cache-Control"]
    assert "private" in browser.get("/api/listings").headers["Cache-Control"]


def test_a_write_without_the_header_is_refused(browser: Browser, liga: Person) -> None:
    assert outcome(browser.send("POST", "/api/listings", json=LISTING)) == (403, "csrf")
    assert outcome(browser.send("PUT", "/api/auth/profile", json={"city": "Rīga"})) == (403, "csrf")
    assert liga.get("/api/auth/profile").json["city"] == ""
    assert liga.get("/api/listings/my").json["listings"] == []


def test_a_write_with_the_header_is_done(browser: Browser, liga: Person) -> None:
    made = browser.write("POST", "/api/listings", LISTING)
    assert made.status_code == 201
    path = f"/api/listings/{made.json['id']}"
    assert browser.write("PUT", path, {**LISTING, "price": 90}).status_code == 200
    assert browser.write("DELETE", path).status_code in {200, 204}
    assert liga.get("/api/auth/sessions").json["total"] == 2


def test_another_value_is_refused(site: Flask, browser: Browser) -> None:
    sign_up(site, "other")
    other = Browser(site.test_client())
    log_in(other, "other")
    mine = browser.cookie("csrf")
    values = {
        "somebody else's": other.cookie("csrf"),
        "that for refreshing": browser.cookie("csrf_refresh"),
        "nothing": "",
        "cut": mine[:-1],
        "longer": mine + "x",
        "the token": browser.cookie("access_token"),
        "not a text": "é",
    }
    for name, value in values.items():
        assert outcome(browser.send("POST", "/api/listings", value, json=LISTING)) == (403, "csrf"), name
    assert browser.write("POST", "/api/listings", LISTING).status_code == 201


def test_a_planted_csrf_cookie_helps_nobody(browser: Browser) -> None:
    browser.client.set_cookie("csrf", "planted")
    assert outcome(browser.write("POST", "/api/listings", LISTING)) == (403, "csrf")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_no_write_is_taken_from_another_page(browser: Browser, method: str) -> None:
    for rule in browser.client.application.url_map.iter_rules():
        guard = getattr(browser.client.application.view_functions[rule.endpoint], "guard", None)
        if guard is None or guard.access.token != "access" or method not in (rule.methods or set()):
            continue
        values = {**dict.fromkeys(rule.arguments, 1), "queue": "jobs", "item_type": "listing"}
        path = browser.client.application.url_map.bind("").build(rule.endpoint, values, method=method)
        assert outcome(browser.send(method, path, json={})) == (403, "csrf"), (method, path)
    assert browser.get("/api/auth/profile").status_code == 200


def test_refreshing_by_cookie_gives_the_next_cookies(browser: Browser) -> None:
    before = browser.cookie("access_token"), browser.cookie("refresh_token", REFRESH), browser.cookie("csrf")
    answer = browser.refresh()
    assert answer.status_code == 200
    assert not TOKENS & set(answer.json)
    after = browser.cookie("access_token"), browser.cookie("refresh_token", REFRESH), browser.cookie("csrf")
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert answer.json["csrf_token"] == browser.cookie("csrf")
    assert browser.write("POST", "/api/listings", LISTING).status_code == 201


def test_refreshing_needs_its_own_header(browser: Browser) -> None:
    for value in (None, "", browser.cookie("csrf"), "x"):
        assert outcome(browser.send("POST", REFRESH, value)) == (403, "csrf")
    assert browser.refresh().status_code == 200


def test_who_comes_back_after_an_hour_refreshes(browser: Browser, clock: Clock) -> None:
    clock.shift(timedelta(minutes=61))
    assert browser.get("/api/auth/profile").status_code == 401
    assert browser.refresh().status_code == 200
    assert browser.get("/api/auth/profile").status_code == 200


def test_an_old_refresh_cookie_ends_the_family(browser: Browser, clock: Clock) -> None:
    old, csrf = browser.cookie("refresh_token", REFRESH), browser.cookie("csrf_refresh")
    assert browser.refresh().status_code == 200
    clock.shift(timedelta(seconds=11))
    thief = Browser(browser.client.application.test_client())
    thief.client.set_cookie("refresh_token", old, path=REFRESH)
    assert outcome(thief.send("POST", REFRESH, csrf)) == (401, "refresh_reused")
    assert browser.get("/api/auth/profile").status_code == 401


def test_many_windows_of_a_browser_get_one_pair(browser: Browser) -> None:
    token, csrf = browser.cookie("refresh_token", REFRESH), browser.cookie("csrf_refresh")
    windows = [Browser(browser.client.application.test_client()) for _ in range(12)]
    for window in windows:
        window.client.set_cookie("refresh_token", token, path=REFRESH)
    answers = burst([partial(window.send, "POST", REFRESH, csrf) for window in windows])
    assert {answer.status_code for answer in answers} == {200}
    assert len({window.cookie("access_token") for window in windows}) == 1
    assert len({window.cookie("refresh_token", REFRESH) for window in windows}) == 1


def test_signing_out_takes_the_cookies_away(browser: Browser) -> None:
    token, csrf = browser.cookie("access_token"), browser.cookie("csrf")
    assert outcome(browser.send("POST", "/api/auth/logout")) == (403, "csrf")
    assert browser.write("POST", "/api/auth/logout").status_code == 200
    names = ("access_token", "csrf", "csrf_refresh")
    assert [browser.cookie(name) for name in names] == ["", "", ""]
    assert browser.cookie("refresh_token", REFRESH) == ""
    assert browser.get("/api/auth/profile").status_code == 401
    browser.client.set_cookie("access_token", token)
    assert browser.send("GET", "/api/auth/profile", csrf).status_code == 401


def test_one_can_sign_in_again_beside_a_cookie_that_counts_no_more(browser: Browser, clock: Clock) -> None:
    clock.shift(timedelta(days=31))
    assert browser.get("/api/auth/profile").status_code == 401
    assert log_in(browser).status_code == 200
    assert browser.get("/api/auth/profile").status_code == 200


def test_a_token_in_the_header_counts_before_the_cookie(site: Flask, browser: Browser) -> None:
    other = sign_up(site, "other")
    header = {"Authorization": f"Bearer {other.token}"}
    assert browser.get("/api/auth/profile", headers=header).json["username"] == "other"
    assert browser.send("POST", "/api/listings", json=LISTING, headers=header).json["listing"]["user_id"] == other.id
    assert browser.get("/api/auth/profile", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_key_counts_before_the_cookie(site: Flask, browser: Browser) -> None:
    other = sign_up(site, "other")
    body = {"name": "robot", "scopes": ["profile:read"]}
    key = other.post("/api/auth/api-keys", json=body).json["key"]
    assert browser.get("/api/auth/profile", headers={"X-API-Key": key}).json["username"] == "other"


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "é", "x" * 3000])
def test_what_is_no_token_is_refused(browser: Browser, value: str) -> None:
    browser.client.set_cookie("access_token", value)
    assert browser.get("/api/auth/profile").status_code == 401


def test_cookies_of_the_wrong_kind_open_nothing(browser: Browser) -> None:
    access, refresh = browser.cookie("access_token"), browser.cookie("refresh_token", REFRESH)
    swapped = Browser(browser.client.application.test_client())
    swapped.client.set_cookie("access_token", refresh)
    swapped.client.set_cookie("refresh_token", access, path=REFRESH)
    assert swapped.get("/api/auth/profile").status_code == 401
    assert swapped.send("POST", REFRESH, browser.cookie("csrf")).status_code == 401


def test_a_challenge_sets_no_cookie_before_it_is_met(site: Flask, app: Flask, liga: Person) -> None:
    browser = Browser(site.test_client())
    for _ in range(5):
        browser.send("POST", "/api/auth/login", json={"username": "liga", "password": "not this one 17"})
    answer = log_in(browser, headers={**WISH, "User-Agent": "Phone/1.0"})
    assert answer.json["two_factor_required"] is True
    assert answer.headers.getlist("Set-Cookie") == []


def test_credentials_are_for_our_own_pages(browser: Browser) -> None:
    ours = browser.get("/api/auth/profile", headers={"Origin": "http://localhost:5173"})
    assert ours.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert ours.headers["Access-Control-Allow-Credentials"] == "true"
    for origin in ("https://evil.example.com", "http://localhost:5173.evil.example.com", "null"):
        theirs = browser.get("/api/auth/profile", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in theirs.headers
        assert "Access-Control-Allow-Credentials" not in theirs.headers


def test_without_the_setting_no_cookie_is_set(app: Flask, anna: Person) -> None:
    answer = log_in(Browser(app.test_client()), "anna")
    assert set(answer.json) >= TOKENS
    assert answer.headers.getlist("Set-Cookie") == []


def test_without_the_setting_cookies_are_ignored(app: Flask, anna: Person) -> None:
    browser = Browser(app.test_client())
    browser.client.set_cookie("access_token", anna.token)
    browser.client.set_cookie("refresh_token", anna.refresh_token, path=REFRESH)
    assert browser.get("/api/auth/profile").status_code == 401
    assert browser.send("POST", REFRESH, "x").status_code == 401
    assert browser.send("POST", "/api/listings", json=LISTING).status_code == 401
    assert browser.get("/api/listings").status_code == 200
