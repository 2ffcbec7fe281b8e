"""/docs/ in a real browser: every operation is found, the token stays, locks are right, the guides lead on."""

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from marketplace.core.http.docs.guides import FOLDER, guides
from tests.conftest import disconnect, make_app
from tests.servers.chromium import Browser, chromium

SEARCH = """(() => { const box = document.getElementById("search"); box.value = %r;
    document.getElementById("found").textContent = "…";
    box.dispatchEvent(new Event("input", {bubbles: true})); return true })()"""
FOUND = 'document.getElementById("found").textContent'
MEANT = (
    'ui.specSelectors.taggedOperations().valueSeq().toArray().flatMap((group) => group.get("operations").toArray())'
    '.map((one) => one.getIn(["operation", "operationId"]))'
)
SHOWN = '[...document.querySelectorAll(".opblock-summary-operation-id")].map((one) => one.textContent)'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str]]:
    """The application on a port."""
    app = make_app(f"sqlite:///{tmp_path_factory.mktemp('docs') / 'docs.db'}")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield app, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    disconnect()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all of these."""
    program = chromium()
    if program is None:
        pytest.skip("THE DOCS PAGE IS NOT TESTED IN A BROWSER: there is no chromium, and apt-get cannot install it")
    made = Browser(program, tmp_path_factory.mktemp("browser"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def page(site: tuple[Flask, str], browser: Browser) -> Browser:
    """All operations, drawn."""
    browser.resize(1280, 900)
    _draw(browser, site[1])
    return browser


def _draw(browser: Browser, address: str) -> None:
    browser.open(f"{address}/docs/")
    browser.until('window.ui && document.querySelectorAll(".opblock").length > 0')


def search(page: Browser, words: str, result: str) -> list[str]:
    """The names of what is shown once the page says so."""
    page.run(SEARCH % words)
    page.until(f"{FOUND} === '{result}'")
    page.until(f"{SHOWN}.join() === {MEANT}.join()")  # drawn a moment after it is counted
    shown: list[str] = page.run(SHOWN)
    return shown


def test_the_search_finds_by_name_path_and_words(page: Browser) -> None:
    assert search(page, "listListings", "1 operation") == ["listListings"]
    assert search(page, "POST /api/payments/tasks pay", "3 operations")
    assert search(page, "refresh token", "1 operation") == ["refreshTokens"]
    assert search(page, "no such thing at all", "no operations") == []
    counted = """(() => { const all = ui.specSelectors.taggedOperations(); const missed = [];
        for (const one of all.valueSeq().toArray().flatMap((group) => group.get("operations").toArray())) {
            const name = one.getIn(["operation", "operationId"]);
            const named = (hit) => hit.getIn(["operation", "operationId"]) === name;
            const hits = ui.getSystem().fn.opsFilter(all, name);
            if (!hits.some((group) => group.get("operations").some(named))) missed.push(name);
        } return [all.reduce((sum, group) => sum + group.get("operations").size, 0), missed] })()"""
    page.run(SEARCH % "")
    page.until(f"{FOUND} === ''")
    count, missed = page.run(counted)
    assert count >= 240
    assert missed == []


def test_locks_tell_who_may(page: Browser) -> None:
    assert search(page, "getHealth", "1 operation")
    assert page.run('document.querySelectorAll(".opblock .authorization__btn").length') == 0
    assert search(page, "listListings", "1 operation")
    assert page.run('document.querySelectorAll(".access-optional .authorization__btn .unlocked").length') == 1
    assert search(page, "createListing", "1 operation")
    assert page.run('document.querySelectorAll(".access-required .authorization__btn .unlocked").length') == 1


def test_nothing_comes_from_elsewhere_and_nothing_is_refused(site: tuple[Flask, str], page: Browser) -> None:
    loaded = {address for address in page.asked_for() if not address.startswith(("data:", site[1]))}
    assert (loaded, page.complaints()) == (set(), [])


def test_the_token_outlives_a_reload(site: tuple[Flask, str], page: Browser) -> None:
    held = '{bearer: {name: "bearer", schema: {type: "http", scheme: "bearer"}, value: "a-token"}}'
    page.run(f"ui.authActions.authorizeWithPersistOption({held})")
    _draw(page, site[1])
    page.until("ui.authSelectors.authorized().size === 1")
    assert search(page, "listListings", "1 operation")
    assert page.run('document.querySelectorAll(".access-optional .authorization__btn .locked").length') == 1
    page.run("localStorage.clear()")


@pytest.mark.parametrize("address", ["/docs/", "/docs/guides/", "/docs/guides/payments"])
def test_a_telephone_shows_it_without_scrolling_sideways(
    site: tuple[Flask, str], browser: Browser, address: str
) -> None:
    browser.resize(390, 844)
    browser.open(site[1] + address)
    browser.until("document.readyState === 'complete' && document.querySelector('main').innerText.length > 100")
    if address == "/docs/":
        browser.until('document.querySelectorAll(".opblock").length > 0')
        assert search(browser, "createListing", "1 operation")
        browser.run('document.querySelector(".opblock-summary-control").click()')
        browser.until('document.querySelector(".responses-table") !== null')
    assert browser.run("document.documentElement.scrollWidth") <= 390


def test_every_link_of_every_guide_leads_somewhere(site: tuple[Flask, str]) -> None:
    client = site[0].test_client()
    pages: dict[str, Any] = {f"/docs/guides/{name}": client.get(f"/docs/guides/{name}") for name in guides()}
    pages |= {"/docs/guides/": client.get("/docs/guides/")}
    assert {name for name, answer in pages.items() if answer.status_code != 200} == set()
    links = {
        link for answer in pages.values() for link in re.findall(r'href="([^"]+)"', answer.text) if "://" not in link
    }
    links |= set(re.findall(r"\]\((/docs/[^)]+)\)", client.get("/openapi.json").json["info"]["description"]))
    broken = [link for link in links if link[0] != "#" and client.get(link.partition("#")[0]).status_code >= 400]
    assert broken == []
    assert len(guides()) == len(list(FOLDER.rglob("*.md"))) > 20


@pytest.mark.parametrize(
    "name", ["..%2fconfig", "../config", "settings.md", "decisions", "%2e%2e/%2e%2e/etc/passwd", "api/"]
)
def test_what_is_no_guide_is_not_there(site: tuple[Flask, str], name: str) -> None:
    answer = site[0].test_client().get(f"/docs/guides/{name}")
    assert answer.status_code == 404
    assert site[0].test_client().get("/docs/assets/../../../config.py").status_code == 404


def test_html_in_a_guide_is_shown_and_never_run(site: tuple[Flask, str]) -> None:
    answer = site[0].test_client().get("/docs/guides/api")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"].partition("style-src")[0]
    assert "<task" not in answer.text
    assert '<h1 id="api-conventions">' in answer.text
