"""nginx as it is shipped, in front of the application: what it keeps and for whom, what it says and what it logs."""

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import websocket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from marketplace.auth.models import SignIn
from marketplace.core.database.db import fetch
from marketplace.core.ops import readiness
from marketplace.kit.clock import now
from tests.conftest import make_app
from tests.factories import things
from tests.factories.people import PASSWORD, sign_up
from tests.factories.pictures import PDF
from tests.servers import nginx
from tests.servers.waiting import PATIENCE, free_port, until

OURS = ["https://shop.example.com", "https://admin.example.com"]
THEIRS = "https://stranger.example.net"


class Proxied(NamedTuple):
    """Where nginx is, in both ways, the application behind it, and nginx' folder."""

    address: str
    secure: str
    shop: Flask
    folder: Path

    def ask(self, path: str, **headers: str) -> requests.Response:
        """GET, as this browser asks."""
        return requests.get(self.address + path, headers=headers, timeout=PATIENCE)


@pytest.fixture(params=[False])
def proxied(app: Flask, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Proxied]:
    """The application behind a real nginx, configured as in deploy/; with TLS where the parameter says so."""
    if nginx.nginx() is None:
        pytest.skip("nginx is not installed")
    given = {"TRUSTED_PROXIES": "1", "PUBLIC_CACHE_SECONDS": "60", "CORS_ORIGINS": ",".join(OURS)}
    shop = make_app(app.config["DATABASE_URL"], **given)
    server = make_server("127.0.0.1", 0, shop, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    port, tls, behind = free_port(), free_port(), server.server_port
    certify(tmp_path)
    how: dict[str, Any] = {"api": behind, "sockets": (behind, behind), "tls": tls if request.param else None}
    process = subprocess.Popen(nginx.command(tmp_path, port, **how))
    plain, secure = f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls}"
    until("nginx", lambda: requests.get(f"{plain}/health", timeout=5, allow_redirects=False).status_code < 400)
    yield Proxied(plain, secure, shop, tmp_path)
    process.terminate()
    process.wait()
    server.shutdown()
    server.server_close()


def certify(folder: Path) -> None:
    """A certificate for 127.0.0.1, signed by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = built.serial_number(1).not_valid_before(now()).not_valid_after(now() + timedelta(days=1))
    place = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = dated.add_extension(place, critical=False).sign(key, hashes.SHA256())
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))


def test_nginx_keeps_what_strangers_ask_and_nothing_else(proxied: Proxied) -> None:
    anna, ask = sign_up(proxied.shop, "anna"), proxied.ask
    things.listing(anna)
    paper = things.upload(anna, "document", PDF, "p.pdf")
    token = {"Authorization": f"Bearer {anna.token}"}

    assert [ask("/api/listings").headers["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]
    assert ask("/api/listings", **token).headers["X-Cache"] == "BYPASS"
    for mine in ({"X-API-Key": "mk_1_x"}, {"Cookie": "access_token=x"}):
        assert ask("/api/listings", **mine).headers["X-Cache"] == "BYPASS"
    assert "edit" in ask("/api/listings", **token).json()["listings"][0]["available_actions"]
    assert ask("/api/listings").json()["listings"][0]["available_actions"] == []

    private = ["/api/auth/profile", "/api/listings/my", "/api/notifications", "/api/uploads"]
    for path in private:
        assert ask(path, **token).status_code == 200
        assert ask(path).status_code == 401, path
    assert ask(paper["url"]).content == PDF
    assert ask(paper["url"]).headers["X-Cache"] == "MISS"
    assert ask(paper["url"].partition("?")[0]).status_code == 404


def test_each_front_end_gets_an_answer_of_its_own_and_strangers_fill_nothing(proxied: Proxied) -> None:
    picture = things.upload(sign_up(proxied.shop, "anna"))["url"].removeprefix("http://localhost:5000")
    for path in ("/api/listings", picture):
        told = []
        for _ in range(2):
            for origin in (THEIRS, *OURS, ""):
                answer = proxied.ask(path, **({"Origin": origin} if origin else {}))
                assert answer.status_code == 200
                assert "Origin" in answer.headers["Vary"]
                told.append((answer.headers.get("Access-Control-Allow-Origin"), answer.headers["X-Cache"]))
        first, again = told[:4], told[4:]
        assert first == [(None, "MISS"), (OURS[0], "MISS"), (OURS[1], "MISS"), (None, "MISS")], path
        assert again == [(None, "MISS"), (OURS[0], "HIT"), (OURS[1], "HIT"), (None, "HIT")], path


def test_whether_it_lives_is_asked_anew_each_time(proxied: Proxied) -> None:
    state = ["ok"]
    readiness.add(proxied.shop, "disk", lambda: state[0], seconds=0)
    assert proxied.ask("/readyz").status_code == 200
    state[0] = "broken"
    until("it to be told at once", lambda: proxied.ask("/readyz").status_code == 503)
    for path in ("/health", "/api/health", "/api/v1/health", "/readyz"):
        answers = [proxied.ask(path) for _ in range(2)]
        assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
        assert "HIT" not in {answer.headers["X-Cache"] for answer in answers}


def test_what_strangers_ask_is_compressed_and_nothing_that_is_somebodys(proxied: Proxied) -> None:
    anna = sign_up(proxied.shop, "anna")
    for number in range(5):
        things.listing(anna, title=f"Thing {number}")
    for _ in range(2):
        answer = proxied.ask("/api/listings", **{"Accept-Encoding": "gzip"})
        assert (answer.headers["Content-Encoding"], answer.json()["total"]) == ("gzip", 5)
        assert {"Accept-Encoding", "Origin"} <= {word.strip() for word in answer.headers["Vary"].split(",")}
    for mine in ({"Authorization": f"Bearer {anna.token}"}, {"Cookie": f"access_token={anna.token}"}):
        assert "Content-Encoding" not in proxied.ask("/api/listings", **{"Accept-Encoding": "gzip", **mine}).headers
    assert "Content-Encoding" not in proxied.ask("/api/listings", **{"Accept-Encoding": "identity"}).headers


def test_every_request_is_logged_without_what_is_secret_in_its_address(proxied: Proxied) -> None:
    answer = proxied.ask("/api/listings?token=canary-1&signature=canary-2", Referer="http://x/?canary-3")
    proxied.ask("/nowhere?canary-4")
    log = proxied.folder / "access.log"
    until("both lines", lambda: "/nowhere" in log.read_text())
    lines = {line["path"]: line for line in map(json.loads, log.read_text().splitlines())}
    line = lines["/api/listings"]
    assert (line["client"], line["method"], line["status"]) == ("127.0.0.1", "GET", 200)
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert (line["seconds"] >= 0, line["time"][:2], lines["/nowhere"]["status"]) == (True, "20", 404)
    assert "canary" not in log.read_text()


def test_nobody_says_which_address_they_come_from(proxied: Proxied) -> None:
    sign_up(proxied.shop, "anna")
    body = {"email": "anna@example.com", "password": PASSWORD}
    claimed = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    requests.post(f"{proxied.address}/api/auth/login", json=body, headers=claimed, timeout=PATIENCE).raise_for_status()
    with proxied.shop.app_context():
        assert {row.address for row in fetch(select(SignIn.address))} == {"127.0.0.1"}


@pytest.mark.parametrize("proxied", [True], indirect=True)
def test_tls_and_sockets_over_tls(proxied: Proxied) -> None:
    anna, trusted = sign_up(proxied.shop, "anna"), str(proxied.folder / "fullchain.pem")
    sent = requests.get(f"{proxied.address}/api/listings?page=2", timeout=PATIENCE, allow_redirects=False)
    assert (sent.status_code, sent.headers["Location"]) == (308, "https://127.0.0.1/api/listings?page=2")
    assert "Strict-Transport-Security" not in sent.headers
    answer = requests.get(f"{proxied.secure}/api/listings", timeout=PATIENCE, verify=trusted)
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{proxied.secure}/health", timeout=PATIENCE)  # nobody vouches for it

    address = proxied.secure.replace("https", "wss") + "/socket.io/?EIO=4&transport=websocket"
    options = {"ca_certs": trusted, "cert_reqs": ssl.CERT_REQUIRED, "check_hostname": True}
    with closing(websocket.create_connection(address, timeout=PATIENCE, sslopt=options)) as line:
        assert line.recv().startswith("0{")
        line.send("40" + json.dumps({"token": anna.token}))
        assert {"40", "42"} == {line.recv()[:2] for _ in range(2)}  # connected, and told so
