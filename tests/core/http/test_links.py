"""Which addresses a page may show pictures from."""

import pytest

from marketplace.core.http.fields import is_link

GOOD = ["https://example.com/a.jpg?x=1&y='2'", "http://x.lv/ā.png", "/uploads/a.png", "/"]
BAD = ["//evil.example/x.png", "/\\evil.example", "javascript:alert(1)", "data:text/html,x", "uploads/a.png", ""]
ENDING = ['https://x.lv/a.png"onerror=alert(1)', "/x><b>", "https://x.lv/a b.png", "https://x.lv/`", "https:\\\\x.lv"]


@pytest.mark.parametrize("address", GOOD)
def test_an_address_of_the_web_or_of_ours_is_one(address: str) -> None:
    assert is_link(address)


@pytest.mark.parametrize("address", [*BAD, *ENDING])
def test_what_leads_elsewhere_or_ends_an_attribute_is_none(address: str) -> None:
    assert not is_link(address)
