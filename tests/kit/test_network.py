"""One client is one address, and a household one network."""

import pytest

from marketplace.kit.network import client_address, network_of


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7:40000", "192.0.2.7"),
        ("192.0.2.7:_port", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:0207", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:443", "192.0.2.7"),
        ("64:ff9b::192.0.2.7", "192.0.2.7"),
        ("64:ff9b:1::192.0.2.7", "192.0.2.7"),
        ("64:ff9b:1:fffe::c000:207", "192.0.2.7"),
        ("64:ff9b:1:c000:2:700::", "192.0.2.7"),
        ("::ffff:0:192.0.2.7", "192.0.2.7"),
        ("[192.0.2.7]:80", "192.0.2.7"),
        ("[192.0.2.7]", "192.0.2.7"),
        ("::ffff:192.0.2.7:80", "192.0.2.7"),
        ("2002:c000:207::1", "192.0.2.7"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45"),
        ('"[2001:DB8:0::1]:443"', "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::1", "::1"),
    ],
)
def test_an_address_is_read_however_it_is_written(written: str, address: str) -> None:
    assert client_address(written) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "_hidden",
        "_x:80",
        "256.1.1.1",
        "[::1]x",
        "192.0.2.7:80:90",
        "::1:80:90:100:200:300:400:500:600",
        "a" * 9999,
        "1.2.3.4, 5.6.7.8",
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert client_address(text) is None


def test_a_household_is_one_network_and_a_translator_is_none() -> None:
    assert len({network_of(f"2001:db8::{n:x}") for n in range(40)}) == 1
    assert len({network_of(f"::ffff:192.0.2.{n}") for n in range(40)}) == 40
    assert len({network_of(f"64:ff9b::192.0.2.{n}") for n in range(40)}) == 40
    assert network_of("unix:") == "unix:"
