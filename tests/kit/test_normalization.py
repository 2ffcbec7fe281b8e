"""What people type or paste has one form; what shows nothing is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kit import normalization
from marketplace.kit.text import is_storable

INVISIBLE = {
    "blanks": " \t\u00a0\u3000",
    "zero width": "\u200b\u200d\ufeff\u2060",
    "Hangul fillers": "\u3164\u115f\u1160\uffa0",
    "an empty Braille cell": "\u2800",
    "variation selectors": "\ufe0f\U000e0100",
    "tags": "\U000e0041\U000e007f",
    "soft hyphens": "\u00ad",
    "direction marks": "\u200e\u202a\u202c\u2068\u2069\u061c",
    "combining marks alone": "\u0301\u0903\u20dd\u034f",
    "a musical null": "\U0001d159",
    "noncharacters": "\ufdd0\ufffe\U0010ffff",
    "private use": "\ue000\U000f0000",
}
MAILBOX = "änna@bücher.example"
SPELLINGS = [
    MAILBOX,
    "ÄNNA@BÜCHER.EXAMPLE",
    "a\u0308nna@bu\u0308cher.example",
    "änna@xn--bcher-kva.example",
    "Änna@XN--BCHER-KVA.example",
    "änna\uff20bücher\uff0eexample",
    "ä\uff4e\uff4e\uff41@\uff42ücher\u3002example",
    "\u00a0\u202aänna@bücher.example\u202c\u3000",
    "\u200bän\u00adna @ bücher.example\ufeff",
    "ä\ufe0fn\u034fn\u3164a\u2800\u17b4\U000e0100@bücher.example",
]


@pytest.mark.parametrize("name", INVISIBLE)
def test_what_shows_nothing_is_blank(name: str) -> None:
    assert normalization.is_blank(INVISIBLE[name])
    assert not normalization.is_blank(INVISIBLE[name] + "x")


@pytest.mark.parametrize("text", ["x", "❤️", "☕", "あ", "👩‍👩‍👧", "0", ".", "क्", "한"])
def test_what_shows_something_is_not(text: str) -> None:
    assert not normalization.is_blank(text)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_mailbox_has_one_spelling(spelling: str) -> None:
    assert normalization.email_address(spelling) == MAILBOX
    assert normalization.ascii_domain(MAILBOX) == "änna@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [("x²@example.com", "x2@example.com"), ("fa@faß.example", "fa@fass.example"), ("a.b@x.example", "ab@x.example")],
)
def test_two_mailboxes_stay_two(one: str, other: str) -> None:
    assert normalization.email_address(one) != normalization.email_address(other)


@given(st.text().filter(is_storable))
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    for form in (normalization.email_address, normalization.password, normalization.phone_number, normalization.token):
        assert form(form(text)) == form(text)


@pytest.mark.parametrize(
    ("pasted", "number"),
    [
        ("\u202a+371 20000001\u202c", "+371 20000001"),
        ("+371\u00a020\u202f000\u2009001", "+371 20 000 001"),
        ("+371\u201120\u2013000\u2212001", "+371-20-000-001"),
        ("\u2068\uff0b٣٧١ ۲۰००০০01\u2069", "+371 20000001"),
    ],
)
def test_a_telephone_number_survives_copying(pasted: str, number: str) -> None:
    assert normalization.phone_number(pasted) == number


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("\u200e492 039\u200f", "492039"),
        ("492\u2011039", "492039"),
        ("492\u2014039\ufeff", "492039"),
        ("٤٩٢٠٣٩", "492039"),
        ("\uff14\uff19\uff12\u3000\uff10\uff13\uff19", "492039"),
        ("“k7mwd\u2010p2x9a”", "k7mwdp2x9a"),
    ],
)
def test_a_code_survives_copying(pasted: str, code: str) -> None:
    assert normalization.one_time_code(pasted) == code


@pytest.mark.parametrize(
    "pasted", ["<17.mM_\u2011x>", " 17.mM\u00ad_-\nx\u200b", '"17.mM_-x"', "\u2066‘17.mM_\u2010x’\u2069"]
)
def test_a_token_survives_copying(pasted: str) -> None:
    assert normalization.token(pasted) == "17.mM_-x"


@pytest.mark.parametrize(
    "header", ["Bearer a.b-c", "bearer a.b-c", "BEARER   a.b-c ", "bEaReR \xe2\x80\x8ba.b\xe2\x80\x91c"]
)
def test_a_scheme_has_no_case(header: str) -> None:
    assert normalization.bearer(header) == "a.b-c"


def test_another_scheme_is_another() -> None:
    assert normalization.bearer("Basic a.b-c") is None
    assert normalization.bearer("a.b-c") is None


def test_a_token_of_plain_characters_is_read_as_if_each_were_looked_at() -> None:
    printable = "".join(map(chr, range(0x20, 0x7F)))
    assert normalization.header_token(f" {printable} ") == normalization.header_token(f"\u200b{printable}")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Bike\r\nX: y", "Bike X: y"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf", "a b c d e f"),
        ("y\u202egnp.exe\u202c", "ygnp.exe"),
        ("\u2067x\u2069", "x"),
        ("שלום\u200f, Rīga", "שלום\u200f, Rīga"),
    ],
)
def test_a_line_is_one_line_and_runs_its_own_way(typed: str, kept: str) -> None:
    assert normalization.one_line(typed) == kept
