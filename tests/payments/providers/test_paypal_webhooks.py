"""Webhooks of PayPal are checked here, by the certificate it signs them with."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import certifi
import pytest
import time_machine
from cryptography.x509 import Certificate

from marketplace.payments.providers.paypal.certificates import KEPT, Certificates, addresses
from marketplace.payments.providers.provider import Forged, ResourceType, Unreachable
from tests.payments.shops import PayPalShop
from tests.servers.paypal import CERTIFICATE, CERTIFICATES
from tests.servers.paypal_certificates import SIGNER, certificate, pem
from tests.servers.paypal_store import stamp
from tests.servers.web import Reply, WebServer

DAY = timedelta(days=1)
EVENT = {"id": "WH-1", "create_time": stamp(), "event_type": "CHECKOUT.ORDER.APPROVED", "resource": {"id": "O1"}}
BODY = json.dumps(EVENT).encode()
ROOT, BETWEEN = "Root", "Between"


@pytest.fixture
def shop(paypal: PayPalShop) -> PayPalShop:
    return paypal


@pytest.fixture
def canary() -> Iterator[WebServer]:
    """Somebody else's server, which would hand out the certificate."""
    server = WebServer(lambda request: Reply(200, pem([certificate()])))
    yield server
    assert server.seen == []
    server.stop()


@pytest.fixture
def roots(tmp_path: Path) -> str:
    """Whom we trust: one root, and one nobody can read."""
    path = tmp_path / "roots.pem"
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + pem(chain()[2:]))
    return str(path)


def chain(issuer: str = BETWEEN, host: str = SIGNER) -> list[Certificate]:
    """Who signs, who issued that, and who issued those."""
    return [
        certificate(names=(host,), issuer=issuer),
        certificate(BETWEEN, issuer=ROOT, authority=True),
        certificate(ROOT, issuer=ROOT, authority=True),
    ]


def test_what_paypal_signed_is_read_without_asking_it(shop: PayPalShop):
    notice = shop.provider.read_notice(*shop.sign(BODY))

    assert (notice.event_id, notice.about, notice.object_id) == ("WH-1", ResourceType.PAYMENT, "O1")
    assert [request.path for request in shop.server.server.seen] == [f"/{CERTIFICATES}{CERTIFICATE}"]


def test_the_second_webhook_makes_no_request(shop: PayPalShop):
    shop.provider.read_notice(*shop.sign(BODY))
    shop.server.mood = "down"

    assert shop.provider.read_notice(*shop.sign(BODY)).event_id == "WH-1"
    assert shop.requests() == 1


def test_a_webhook_of_something_we_do_not_know_is_about_something_else(shop: PayPalShop):
    event = {**EVENT, "event_type": "CUSTOMER.DISPUTE.CREATED", "resource": {"id": "D1"}}

    assert shop.provider.read_notice(*shop.sign(json.dumps(event).encode())).about is ResourceType.OTHER


@pytest.mark.parametrize("mood", ["down", "busy", "reset", "slow"])
def test_a_webhook_is_not_judged_while_paypal_is_down(shop: PayPalShop, mood: str):
    webhook = shop.sign(BODY)
    with shop.in_mood(mood), pytest.raises(Unreachable):
        shop.provider.read_notice(*webhook)

    assert shop.provider.read_notice(*webhook).event_id == "WH-1"


def test_a_page_where_the_certificate_should_be_judges_nothing(shop: PayPalShop):
    good = shop.server.certificates[CERTIFICATE]
    for other in (b"", b"<html>We will be right back</html>", good[:500], good * 100):
        shop.server.certificates[CERTIFICATE] = other
        with pytest.raises(Unreachable):
            shop.provider.read_notice(*shop.sign(BODY))
    shop.server.certificates[CERTIFICATE] = good

    assert shop.provider.read_notice(*shop.sign(BODY)).event_id == "WH-1"


def _blotted(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "PAYPAL-TRANSMISSION-SIG": "!!!!" + headers["PAYPAL-TRANSMISSION-SIG"]}


FORGERIES: dict[str, Callable[[PayPalShop], tuple[dict[str, str], bytes]]] = {
    "another body": lambda shop: (shop.sign(BODY)[0], BODY.replace(b"O1", b"O2")),
    "a webhook of somebody else at PayPal": lambda shop: shop.server.sign(BODY, webhook_id="ANOTHER"),
    "a webhook without a name": lambda shop: shop.server.sign(BODY, webhook_id=""),
    "another key": lambda shop: shop.server.sign(BODY, name="mallory.test"),
    "a certificate PayPal does not have": lambda shop: shop.server.sign(BODY, certificate_id="CERT-2"),
    "more than four days ago": lambda shop: shop.sign(BODY, age=timedelta(days=4, seconds=1)),
    "something between the letters of the signature": lambda shop: (_blotted(shop.sign(BODY)[0]), BODY),
    "no body": lambda shop: (shop.sign(BODY)[0], b""),
    **{
        f"{name} {value[:12]!r}": lambda shop, name=name, value=value: ({**shop.sign(BODY)[0], name: value}, BODY)
        for name, value in (
            ("PAYPAL-TRANSMISSION-ID", "1"),
            ("PAYPAL-TRANSMISSION-TIME", stamp(timedelta(seconds=-5))),
            ("PAYPAL-TRANSMISSION-TIME", "yesterday"),
            ("PAYPAL-TRANSMISSION-TIME", "2026-01-01T00:00:00"),
            ("PAYPAL-TRANSMISSION-SIG", ""),
            ("PAYPAL-TRANSMISSION-SIG", "é"),
            ("PAYPAL-TRANSMISSION-SIG", "QUJD" * 86),
            ("PAYPAL-AUTH-ALGO", "SHA1withRSA"),
            ("PAYPAL-AUTH-ALGO", "none"),
        )
    },
}


@pytest.mark.parametrize("how", FORGERIES)
def test_what_paypal_did_not_sign_for_us_is_forged(shop: PayPalShop, how: str):
    with pytest.raises(Forged):
        shop.provider.read_notice(*FORGERIES[how](shop))

    assert shop.provider.read_notice(*shop.sign(BODY)).event_id == "WH-1"


@pytest.mark.parametrize(
    "missing", ["AUTH-ALGO", "CERT-URL", "TRANSMISSION-ID", "TRANSMISSION-SIG", "TRANSMISSION-TIME"]
)
def test_what_is_not_signed_is_forged_and_nobody_is_asked(shop: PayPalShop, missing: str):
    headers, body = shop.sign(BODY)
    del headers[f"PAYPAL-{missing}"]

    with pytest.raises(Forged):
        shop.provider.read_notice(headers, body)
    assert shop.requests() == 0


def test_a_certificate_elsewhere_is_never_fetched(shop: PayPalShop, canary: WebServer):
    own, path = shop.server.server.address, f"/{CERTIFICATES}{CERTIFICATE}"
    for url in (
        f"http://{canary.address}{path}",
        f"https://{canary.address}{path}",
        f"http://{own}@{canary.address}{path}",
        f"http://{canary.address}#@{own}{path}",
        f"http://{canary.address}\\@{own}{path}",
        f"http://{canary.address}?http://{own}{path}",
        f"http://{own}.localhost:{canary.address.partition(':')[2]}{path}",
        f"http://{own}{path}/../../../../v1/oauth2/token",
        f"http://{own}{path}?next=http://{canary.address}",
        f"http://{own}/v1/notifications/webhooks",
        f"http://{own}{path}\n",
        f" http://{own}{path}",
        f"https://{own}{path}",
        f"HTTP://{own}{path}",
        f"file://{own}{certifi.where()}",
        certifi.where(),
        "https://api.paypal.com/v1/notifications/certs/CERT-1",  # not for an account on this machine
        "",
    ):
        headers, body = shop.sign(BODY)
        with pytest.raises(Forged):
            shop.provider.read_notice({**headers, "PAYPAL-CERT-URL": url}, body)
    assert shop.requests() == 0


def test_paypal_does_not_lead_elsewhere(shop: PayPalShop, canary: WebServer, monkeypatch: pytest.MonkeyPatch):
    away = Reply(302, b"", {"Location": f"http://{canary.address}/{CERTIFICATES}{CERTIFICATE}"})
    monkeypatch.setattr(shop.server, "_certificate", lambda *_: away)

    with pytest.raises(Unreachable):
        shop.provider.read_notice(*shop.sign(BODY))


@pytest.mark.parametrize(
    "api_url", ["", "https://api-m.paypal.com", "https://api-m.sandbox.paypal.com", "https://proxy.test"]
)
def test_certificates_are_at_paypal(api_url: str):
    ours = addresses(api_url)
    for host in ("api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com"):
        assert ours.fullmatch(f"https://{host}/v1/notifications/certs/CERT-360caa42-fca2a594-ab66f33d")
    for origin in (
        "http://api.paypal.com",
        "https://www.paypal.com",
        "https://api-paypal.com",
        "https://apixpaypal.com",
        "https://api.paypal.com.shop.test",
        "https://api.paypal.com:8443",
        "https://api.paypal.com@shop.test",
        "https://127.0.0.1",
        "https://proxy.test",
    ):
        assert not ours.fullmatch(f"{origin}/v1/notifications/certs/CERT-1"), origin


NOT_PAYPALS: dict[str, dict[str, Any]] = {
    "expired": {"begins": -2 * DAY, "ends": -DAY},
    "not valid yet": {"begins": DAY, "ends": 2 * DAY},
    "somebody else's": {"name": "mallory.test"},
    "with an ending that looks alike": {"name": "notpaypal.com"},
    "with PayPal's name in front": {"name": "paypal.com.mallory.test"},
    "that names PayPal, but is for another host": {"names": ("mallory.test",)},
}


@pytest.mark.parametrize("kind", NOT_PAYPALS)
def test_a_certificate_that_is_not_paypals_or_not_valid_counts_for_nothing(shop: PayPalShop, kind: str):
    shop.server.certificates[CERTIFICATE] = pem([certificate(**NOT_PAYPALS[kind])])

    with pytest.raises(Forged, match="not PayPal's"):
        shop.provider.read_notice(*shop.server.sign(BODY, name=NOT_PAYPALS[kind].get("name", SIGNER)))


@pytest.mark.parametrize("names", [("paypal.com",), ("shop.test", "API.PayPal.com"), ("*.paypal.com",), ()])
def test_a_certificate_is_paypals_by_any_of_its_names(shop: PayPalShop, names: tuple[str, ...]):
    shop.server.certificates[CERTIFICATE] = pem([certificate(names=names)])

    assert shop.provider.read_notice(*shop.sign(BODY)).event_id == "WH-1"


def test_a_certificate_that_ended_meanwhile_is_fetched_anew(shop: PayPalShop):
    shop.server.certificates[CERTIFICATE] = pem([certificate(ends=DAY)])
    shop.provider.read_notice(*shop.sign(BODY))

    with time_machine.travel(datetime.now(UTC) + 2 * DAY):
        with pytest.raises(Forged, match="not valid now"):
            shop.provider.read_notice(*shop.sign(BODY))
        shop.server.certificates[CERTIFICATE] = pem([certificate()])
        assert shop.provider.read_notice(*shop.sign(BODY)).event_id == "WH-1"
    assert shop.requests() == 3


def test_no_more_certificates_are_kept_than_paypal_needs(shop: PayPalShop):
    for number in range(KEPT + 5):
        shop.server.certificates[f"C-{number}"] = pem([certificate()])
        shop.provider.read_notice(*shop.server.sign(BODY, certificate_id=f"C-{number}"))

    assert shop.provider._certificates._kept.cache_info().currsize == KEPT


def test_who_comes_with_its_issuers_has_to_lead_to_somebody_we_trust(shop: PayPalShop):
    shop.server.certificates[CERTIFICATE] = pem(chain()[:2])
    with pytest.raises(Forged, match="Nobody we trust"):
        shop.provider.read_notice(*shop.sign(BODY))


@pytest.mark.parametrize("host", [SIGNER, "*.paypal.com"])
def test_issuers_that_lead_to_a_root_are_believed(shop: PayPalShop, roots: str, host: str):
    shop.server.certificates[CERTIFICATE] = pem(chain(host=host)[:2])
    shop.provider._certificates = Certificates(shop.provider._api, roots)

    assert shop.provider.read_notice(*shop.sign(BODY)).event_id == "WH-1"


def test_issuers_that_did_not_issue_it_prove_nothing(shop: PayPalShop, roots: str):
    shop.server.certificates[CERTIFICATE] = pem(chain("Mallory")[:2])
    shop.provider._certificates = Certificates(shop.provider._api, roots)

    with pytest.raises(Forged, match="Nobody we trust"):
        shop.provider.read_notice(*shop.sign(BODY))
