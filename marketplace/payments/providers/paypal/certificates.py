"""The certificates PayPal signs its webhooks with.

https://developer.paypal.com/api/rest/webhooks/rest/ tells how to verify a webhook by oneself: the certificate's address
comes along, so whoever forges a webhook names it. It is only ever fetched from PayPal itself.

Apart from the rooms: a gateway's part: whose signature it is.
"""

import re
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from urllib.parse import urlsplit

import certifi
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import (
    Certificate,
    DNSName,
    ExtensionNotFound,
    SubjectAlternativeName,
    load_der_x509_certificate,
    load_pem_x509_certificates,
)
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from marketplace.kit.clock import now
from marketplace.payments.providers.paypal.client import Client
from marketplace.payments.providers.provider import Forged, Unreachable

HOSTS = ("api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com")
PATH = r"/v1/notifications/certs/[\w-]{1,200}"
LARGEST = 64 * 1024
KEPT = 16  # PayPal uses one or two at a time
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Certificates:
    """Fetched once, kept by their address; `roots` is a file of those who may have issued them."""

    def __init__(self, api: Client, roots: str = "") -> None:
        self._api = api
        self._roots = roots or certifi.where()
        self._addresses = addresses(api.api_url)
        self._kept = lru_cache(KEPT)(self._fetch)

    def key(self, url: str) -> RSAPublicKey:
        """What the signatures of the certificate at this address fit to; raises Forged for one that is not PayPal's or
        not valid now, Unreachable where PayPal does not hand it out."""
        if not self._addresses.fullmatch(url):
            raise Forged("Its certificate is not at PayPal.")
        certificate, key = self._kept(url)
        if not _is_valid_now(certificate):
            self._kept.cache_clear()  # PayPal may have another at the same address
            _, key = self._kept(url)
        return key

    def _fetch(self, url: str) -> tuple[Certificate, RSAPublicKey]:
        status, pem = self._api.download(url, largest=LARGEST)
        if status == 404:
            raise Forged("PayPal has no such certificate.")
        if status != 200:
            raise Unreachable(f"{status}: PayPal does not hand out its certificate.")
        return self._demand_paypal(_certificates(pem))

    def _demand_paypal(self, found: list[Certificate]) -> tuple[Certificate, RSAPublicKey]:
        """The first of them is who signs, the others, if there are any, lead to a root."""
        signer, key = found[0], found[0].public_key()
        name = next(filter(_is_paypals, _names(signer)), "")
        if not (name and isinstance(key, RSAPublicKey) and _is_valid_now(signer)):
            raise Forged("Its certificate is not PayPal's, or not valid now.")
        if found[1:]:
            self._demand_root(name, found)
        return signer, key

    def _demand_root(self, name: str, found: list[Certificate]) -> None:
        roots = _roots(self._roots, {one.issuer.public_bytes() for one in found})
        host = DNSName(name.replace("*", "api"))  # a certificate for *.paypal.com is one for api.paypal.com
        try:
            PolicyBuilder().store(Store(roots)).time(now()).build_server_verifier(host).verify(found[0], found[1:])
        except (VerificationError, ValueError):  # a store without roots is a ValueError
            raise Forged("Nobody we trust issued its certificate.") from None


def addresses(api_url: str) -> re.Pattern[str]:
    """Where certificates are: at PayPal, or at this address where it is on this machine, as in tests."""
    parts = urlsplit(api_url)
    origins = (
        [f"{parts.scheme}://{parts.netloc}"] if _is_here(parts.hostname or "") else [f"https://{h}" for h in HOSTS]
    )
    return re.compile(f"(?:{'|'.join(map(re.escape, origins))}){PATH}", re.ASCII)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _certificates(pem: bytes) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(pem)
    except ValueError:
        raise Unreachable("What PayPal hands out is no certificate.") from None


def _names(certificate: Certificate) -> list[str]:
    common = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    with suppress(ExtensionNotFound):
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName)
        return names.value.get_values_for_type(DNSName) or common
    return common


def _is_paypals(name: str) -> bool:
    return f".{name.lower()}".endswith(".paypal.com")


def _is_valid_now(certificate: Certificate) -> bool:
    return certificate.not_valid_before_utc <= now() <= certificate.not_valid_after_utc


def _roots(path: str, issuers: set[bytes]) -> list[Certificate]:
    """Those with these names; the others are not even read: some have serial numbers the library warns of."""
    found = (PEM_cert_to_DER_cert(pem) for pem in PEM.findall(Path(path).read_text(encoding="utf-8")))
    return [load_der_x509_certificate(der) for der in found if any(name in der for name in issuers)]
