"""One form for what people type or paste: addresses, passwords, numbers, codes and tokens are compared in it."""

import re
import unicodedata
from collections.abc import Iterable

import idna

# Letters and signs by their category that show nothing: Hangul fillers, the empty Braille cell, a musical null.
FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\ufffc\U0001d159")
# Default_Ignorable_Code_Point that is unassigned or a mark: variation selectors, the grapheme joiner, Khmer vowels.
IGNORABLE = (
    *((0x034F, 0x034F), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065), (0xFE00, 0xFE0F), (0xFFF0, 0xFFF8)),
    (0xE0000, 0xE0FFF),
)
NONCHARACTERS = ((0xFDD0, 0xFDEF), *((plane | 0xFFFE, plane | 0xFFFF) for plane in range(0, 0x110000, 0x10000)))
JOINERS = frozenset("\u200c\u200d")  # letters of a domain name may need them (RFC 5892, A.1 and A.2)
QUOTES = "\"'`<>«»“”„‟‘’‚‛‹›"
BREAKS = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # embeddings, overrides and isolates (UAX 9)
SCHEME = "bearer"


def one_line(text: str) -> str:
    """Without breaks, and without what would turn the text after it around: a title, a name or a place is one line."""
    if text.isascii() and text.isprintable():
        return text
    return TURNS.sub("", BREAKS.sub(" ", text))


def is_blank(text: str) -> bool:
    """Whether a reader sees nothing: blanks, controls, fillers, or marks without a letter to stand on."""
    return not any(_is_visible(char) for char in text)


def email_address(text: str) -> str:
    """One mailbox in one spelling; a text that is no address (such as a username) comes back folded all the same.

    The local part as the UsernameCaseMapped profile has it (RFC 8265, 3.3.1): width, lower case, NFC. NFKC would make
    one mailbox of x² and x2. The domain as its Unicode labels (UTS 46, non-transitional), so that punycode is the same.
    """
    local, sign, domain = _folded(_without_invisible(text)).rpartition("@")
    return local.strip() + sign + _unicode_domain(domain.strip()) if sign else domain.strip()


def ascii_domain(address: str) -> str:
    """The address with its domain in punycode, which every mail server understands (RFC 5891)."""
    local, sign, domain = address.rpartition("@")
    return local + sign + (_ascii_domain(domain) or domain)


def password(text: str) -> str:
    """NFKC before hashing, so that every keyboard makes the same password (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", text)


def phone_number(text: str) -> str:
    """Plain digits, blanks and hyphens, however it was copied; what is no number stays recognisable."""
    return " ".join("".join(_plain(char, dash="-") for char in text).split())


def one_time_code(text: str) -> str:
    """Digits and letters alone: how a code was grouped, by which script or which hyphen, is no part of it."""
    return "".join(char for char in (_plain(char, dash="") for char in text) if not char.isspace()).strip(QUOTES)


def token(text: str) -> str:
    """A token or a key as it was made, which is without blanks: not what a letter or a shell put around it."""
    return "".join("".join(_plain(char, dash="-") for char in text).split()).strip(QUOTES)


def bearer(header: str) -> str | None:
    """The token of an Authorization header; the scheme's case does not matter (RFC 9110, 11.1). None for another."""
    scheme, _, rest = header.strip().partition(" ")
    return header_token(rest) if scheme.lower() == SCHEME else None


def header_token(value: str) -> str:
    """A token in a header, without the marks and blanks around it. What no copying makes (quotes, a blank inside,
    a NUL) stays and makes it another token."""
    if value.isascii() and value.isprintable():  # every request asks, and a token is long
        return value.strip(" ")
    return "".join(_plain(char, dash="-") for char in _as_sent(value)).strip(" ")


def _as_sent(value: str) -> str:
    """WSGI hands a header over as Latin-1 (PEP 3333), whatever its bytes were."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _plain(char: str, *, dash: str) -> str:
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(char)
    if category == "Pd" or char == "\u2212":
        return dash
    if category in {"Zs", "Zl", "Zp"} or char in "\t\r\n":
        return " "
    return "" if not _is_visible(char) and category != "Cc" else _width_mapped(char)


def _is_visible(char: str) -> bool:
    if "!" <= char <= "~":
        return True
    if _is_ignorable(char) or _is_in(NONCHARACTERS, char):
        return False
    return unicodedata.category(char)[0] not in "ZM" and unicodedata.category(char) not in {"Cc", "Cs", "Co"}


def _is_ignorable(char: str) -> bool:
    """Shows nothing wherever it stands, and changes at most how its neighbour looks."""
    return char in FILLERS or unicodedata.category(char) == "Cf" or _is_in(IGNORABLE, char)


def _is_in(ranges: Iterable[tuple[int, int]], char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in ranges)


def _without_invisible(text: str) -> str:
    if text.isascii():
        return text
    return "".join(char for char in text if not _is_ignorable(char) or char in JOINERS)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", "".join(map(_width_mapped, text)).lower())


def _width_mapped(char: str) -> str:
    """Full and half width are spellings of one letter (RFC 8264, 5.2.1)."""
    is_wide = unicodedata.decomposition(char).startswith(("<wide>", "<narrow>"))
    return unicodedata.normalize("NFKC", char) if is_wide else char


def _unicode_domain(domain: str) -> str:
    ascii_form = _ascii_domain(domain)
    if ascii_form is None or "xn--" not in ascii_form:
        return ascii_form or domain
    return idna.decode(ascii_form)


def _ascii_domain(domain: str) -> str | None:
    """The domain in punycode; None where it is no domain name."""
    if domain.isascii() and "xn--" not in domain:
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None
