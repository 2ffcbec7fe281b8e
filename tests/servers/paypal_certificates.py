"""Certificates as PayPal signs its webhooks with, and others."""

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from zlib import crc32

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    Certificate,
    CertificateBuilder,
    DNSName,
    KeyUsage,
    Name,
    NameAttribute,
    SubjectAlternativeName,
    SubjectKeyIdentifier,
    random_serial_number,
)
from cryptography.x509.oid import NameOID

SIGNER = "messageverificationcerts.paypal.com"
LONG = timedelta(days=3650)  # either way: some tests travel
USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


@cache
def key_of(name: str) -> RSAPrivateKey:
    """One for each name and test run: making them takes a while."""
    return generate_private_key(65537, 2048)


@cache
def certificate(
    name: str = SIGNER,
    *,
    names: tuple[str, ...] | None = None,
    issuer: str = "PayPal of the tests",
    begins: timedelta = -LONG,
    ends: timedelta = LONG,
    authority: bool = False,
) -> Certificate:
    """For the common name `name` and the hosts `names` (None: that one), valid from and until so long after now."""
    key, by, today = key_of(name).public_key(), key_of(issuer), datetime.now(UTC)
    uses = {"key_cert_sign", "crl_sign"} if authority else {"digital_signature"}
    hosts = (() if authority else (name,)) if names is None else names
    made = (
        CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key)
        .serial_number(random_serial_number())
        .not_valid_before(today + begins)
        .not_valid_after(today + ends)
        .add_extension(BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(KeyUsage(**{use: use in uses for use in USES}), critical=True)
        .add_extension(SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if hosts:
        made = made.add_extension(SubjectAlternativeName([DNSName(host) for host in hosts]), critical=False)
    return made.sign(by, SHA256())


def pem(certificates: Iterable[Certificate]) -> bytes:
    """As PayPal hands them out, who signs first."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def signature(number: str, sent: str, webhook_id: str, body: bytes, *, name: str = SIGNER) -> str:
    """By the key that belongs to this name."""
    signed = f"{number}|{sent}|{webhook_id}|{crc32(body)}".encode()
    return b64encode(key_of(name).sign(signed, PKCS1v15(), SHA256())).decode()


def _named(name: str) -> Name:
    return Name([NameAttribute(NameOID.COMMON_NAME, name)])
