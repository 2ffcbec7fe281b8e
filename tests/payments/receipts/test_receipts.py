"""Receipts: everything that was paid stands on them, in the reader's language, whatever people are called."""

import logging
import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from marketplace.kit.money import CURRENCIES, LARGEST_MINOR, Money, exponent
from marketplace.payments.receipts.document import Line, Receipt, as_html, as_pdf
from marketplace.payments.receipts.i18n import LANGUAGES, LONGEST, amount, harmless, labels, moment

RECEIPT = Receipt(
    number="R-2026-000123",
    kind="payment",
    issued_at=datetime(2026, 3, 4, 14, 5, tzinfo=UTC),
    site_name="Tirgus",
    site_address="Brīvības iela 1, Rīga, LV-1010",
    payer_name="Jānis Bērziņš",
    payee_name="Фёдор Щукин",
    reference="task:7",
    lines=(Line("Dīvāna pārvešana", 12_050), Line("Скидка", -2_050)),
    currency="EUR",
    total_minor=10_000,
    tax_minor=210,
    paid_with="Visa •••• 4242",
)
OVERRIDE, ISOLATE, MARK = "\u202e", "\u2067", "\u200f"


class _Page(HTMLParser):
    """What a browser would make of it: the elements, their attributes and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _pdf(receipt: Receipt, language: str = "en") -> PdfReader:
    return PdfReader(BytesIO(as_pdf(receipt, language)))


def _pdf_text(receipt: Receipt, language: str = "en") -> str:
    return " ".join(" ".join(page.extract_text() for page in _pdf(receipt, language).pages).split())


def _html_text(receipt: Receipt, language: str = "en") -> str:
    return " ".join(" ".join(_Page(as_html(receipt, language)).texts).split())


READERS = pytest.mark.parametrize("text_of", [_pdf_text, _html_text], ids=["pdf", "html"])
EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
TextOf = Callable[..., str]


@READERS
@EVERY_LANGUAGE
def test_number_names_and_amounts_stand_on_it(text_of: TextOf, language: str) -> None:
    text = text_of(replace(RECEIPT, total_minor=123_456_789), language)

    for expected in (
        "R-2026-000123",
        "Tirgus",
        "Brīvības iela 1",
        "Jānis Bērziņš",
        "Фёдор Щукин",
        "task:7",
        "•••• 4242",
    ):
        assert expected in text
    total = {"en": "1,234,567.89 EUR", "lv": "1 234 567,89 EUR", "ru": "1 234 567,89 EUR"}[language]
    assert total in text
    assert ("120.50 EUR" if language == "en" else "120,50 EUR") in text
    assert ("−20.50 EUR" if language == "en" else "−20,50 EUR") in text


@READERS
@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", ["Receipt", "4 March 2026, 14:05 UTC", "Paid by Jānis", "Total paid", "Including tax 2.10 EUR"]),
        ("lv", ["Kvīts", "2026. gada 4. marts, 14:05 UTC", "Maksātājs Jānis", "Kopā samaksāts", "nodoklis 2,10 EUR"]),
        ("ru", ["Квитанция", "4 марта 2026 г., 14:05 UTC", "Плательщик Jānis", "Итого оплачено", "налог 2,10 EUR"]),
        ("lv-LV", ["Kvīts"]),
        ("RU", ["Квитанция"]),
        ("de", ["Receipt"]),
        ("", ["Receipt"]),
    ],
)
def test_it_speaks_the_readers_language(text_of: TextOf, language: str, says: list[str]) -> None:
    text = text_of(RECEIPT, language)

    assert [words for words in says if words not in text] == []


@READERS
@pytest.mark.parametrize(("language", "title"), [("en", "Credit note"), ("lv", "Kredītrēķins"), ("ru", "Кредит-нота")])
def test_a_refund_is_a_credit_note_that_names_its_receipt(text_of: TextOf, language: str, title: str) -> None:
    text = text_of(replace(RECEIPT, kind="refund", number="C-2026-000001", corrects="R-2026-000123"), language)

    assert title in text
    assert "C-2026-000001" in text
    assert "R-2026-000123" in text


@READERS
def test_only_the_payee_sees_the_fee(text_of: TextOf) -> None:
    assert "fee" not in text_of(RECEIPT)
    assert "Including the marketplace fee 10.00 EUR" in text_of(replace(RECEIPT, fee_minor=1_000))
    assert "Including the marketplace fee 0.00 EUR" in text_of(replace(RECEIPT, fee_minor=0))


@READERS
def test_what_is_not_known_has_no_label(text_of: TextOf) -> None:
    text = text_of(replace(RECEIPT, site_address="", paid_with="", tax_minor=0))

    assert [word for word in ("Brīvības", "Paid with", "tax", "Corrects") if word in text] == []


@pytest.mark.parametrize(
    ("language", "minor", "currency", "said"),
    [
        ("en", 0, "EUR", "0.00 EUR"),
        ("en", 1, "EUR", "0.01 EUR"),
        ("lv", 99, "EUR", "0,99 EUR"),
        ("en", 1_234, "JPY", "1,234 JPY"),
        ("ru", 1_234, "JPY", "1\u00a0234 JPY"),
        ("en", 1, "KWD", "0.001 KWD"),
        ("lv", 1_234_567, "KWD", "1\u00a0234,567 KWD"),
        ("en", -5, "EUR", "−0.05 EUR"),
        ("en", 10**14, "EUR", "1,000,000,000,000.00 EUR"),
    ],
)
def test_amounts_are_written_as_the_language_does(language: str, minor: int, currency: str, said: str) -> None:
    assert amount(language, minor, currency) == said


@given(st.sampled_from(LANGUAGES), st.integers(0, LARGEST_MINOR), st.sampled_from(sorted(CURRENCIES)))
def test_every_amount_reads_back_as_itself(language: str, minor: int, currency: str) -> None:
    said, code = amount(language, minor, currency).rsplit(" ", 1)

    plain = said.replace("," if language == "en" else "\u00a0", "").replace(",", ".")
    assert Money.of(plain, code) == Money(minor, currency)
    assert len(plain.partition(".")[2]) == exponent(currency)


@READERS
@pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD"])
def test_the_largest_amount_stays_on_one_line(text_of: TextOf, currency: str) -> None:
    huge = replace(RECEIPT, currency=currency, total_minor=LARGEST_MINOR, lines=(Line("W" * 300, -LARGEST_MINOR),))

    for language in LANGUAGES:
        expected = amount(language, LARGEST_MINOR, currency).replace("\u00a0", " ")
        assert text_of(huge, language).count(expected) == 2


@EVERY_LANGUAGE
def test_every_language_says_everything(language: str) -> None:
    for kind in ("payment", "refund"):
        assert labels(language, kind).keys() == labels("en", kind).keys()
        assert all(labels(language, kind)[key] for key in ("title", "payer", "payee", "paid_with", "total", "note"))
    months = {moment(language, datetime(2026, month, 1, tzinfo=UTC)) for month in range(1, 13)}
    assert len(months) == 12


def test_moments_are_told_in_utc() -> None:
    late = datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert moment("en", late) == "31 December 2025, 23:30 UTC"
    assert as_pdf(replace(RECEIPT, issued_at=late), "en") == as_pdf(
        replace(RECEIPT, issued_at=late.astimezone(UTC)), "en"
    )


def test_the_same_receipt_is_the_same_file(monkeypatch: pytest.MonkeyPatch) -> None:
    first = as_pdf(RECEIPT, "lv")
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)

    assert as_pdf(RECEIPT, "lv") == first
    assert as_pdf(replace(RECEIPT, total_minor=1), "lv") != first
    about = _pdf(RECEIPT, "lv").metadata
    assert about is not None
    assert about.creation_date == RECEIPT.issued_at
    assert about.title == "Kvīts R-2026-000123"


def test_another_process_makes_the_same_file() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests/payments/receipts'); import hashlib, test_receipts as t;"
        "print(hashlib.sha256(t.as_pdf(t.RECEIPT, 'ru')).hexdigest())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = as_html(RECEIPT, "lv")
    parsed = _Page(page)

    assert parsed.elements[0] == ("html", {"lang": "lv"})
    assert {tag for tag, _ in parsed.elements} & {"script", "link", "img", "iframe", "object", "a", "form"} == set()
    assert not any(name in {"src", "href", "style"} for _, found in parsed.elements for name in found)
    assert re.search(r"https?:|//|url\(|@import", page) is None


NAMES = [
    "Ķirsis Ģēģeris Ļņšžčāēīū",
    "Ёжиков Єва Їжак Ґалаґан Ў",
    "Łukasz Żółć Őrült Ștefan Țînțar Ğül Ñandú Øre Ångström",
    "Αλέξανδρος",
    "Nguyễn Thị Hồng",
]


@pytest.mark.parametrize("name", NAMES)
@READERS
def test_names_of_europe_are_written_as_they_are(text_of: TextOf, name: str) -> None:
    for given_form in ("NFC", "NFD"):
        text = text_of(replace(RECEIPT, payee_name=unicodedata.normalize(given_form, name)))
        assert name in unicodedata.normalize("NFC", text)


STRANGE = [
    "😀👨‍👩‍👧🇱🇻❤️",
    "سلام دوست",
    "שלום",
    "王小明",
    "गोविन्द",
    "გიორგი",
    "\U0010ffff\ufffe\U000e0041\ue000",
    "a" + "\u0301" * 5_000,
    "́́́",
]


@pytest.mark.parametrize("name", STRANGE, ids=range(len(STRANGE)))
def test_letters_the_font_lacks_become_a_sign_and_no_warning(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        text = _pdf_text(replace(RECEIPT, payee_name=name, site_name=name, number=name, lines=(Line(name, 1),)))

    assert "Jānis Bērziņš" in text
    assert caplog.records == []


def test_ornate_letters_become_plain_and_lost_ones_are_shown() -> None:
    text = _pdf_text(replace(RECEIPT, payee_name="𝓐𝓷𝓷𝓪 Ⅷ 王"))

    assert "Paid to Anna VIII \ufffd" in text
    assert "王小明" in _html_text(replace(RECEIPT, payee_name="王小明"))


HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    '"><style>*{display:none}</style><!--',
    "</title></style></body>{{ 7*7 }}{% raw %}${7*7}",
    f"safe{OVERRIDE}gpj.exe{ISOLATE}{MARK}\u2069",
    "zero\x00null\x1b[31mred\x07\r\nSet-Cookie: a=b\u2028next\x85line\ud800",
    "(unbalanced \\ ) endstream endobj trailer <</Root 1 0 R>> %%EOF",
    "**bold** {nb} {page} --- \\n",
    "W" * 5_000,
    "long words " * 500,
    "\u00ad\u200b" * 5_000,
    "",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_inert(text: str) -> None:
    texts = {field.name: text for field in fields(Receipt) if field.type in {str, "str"} and field.name != "currency"}
    clean, dirty = as_html(RECEIPT, "en"), replace(RECEIPT, **texts, lines=(Line(text, 1),) * 3)
    page, paper = as_html(dirty, "en"), _pdf(dirty)

    assert {tag for tag, _ in _Page(page).elements} == {tag for tag, _ in _Page(clean).elements}
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs"} for c in page.replace("\n", ""))
    assert len(paper.pages) <= 4
    assert "Made electronically" in " ".join(page.extract_text() for page in paper.pages)


def test_what_looks_like_a_command_stays_a_text() -> None:
    text = _pdf_text(replace(RECEIPT, payee_name="**A** {nb} (B) \\ endobj"))

    assert "**A** {nb} (B) \\ endobj" in text


def test_a_text_is_one_line_and_not_endless() -> None:
    assert harmless("  a\tb\r\nc\u2029d ") == "a b c d"
    assert harmless("x" * 5_000) == "x" * (LONGEST - 1) + "…"
    assert harmless("x" * LONGEST) == "x" * LONGEST
    assert harmless("e" + "\u0301" * 50) == "e" + "\u0301" * 4


def test_many_lines_go_on_over_the_page() -> None:
    paper = _pdf(replace(RECEIPT, lines=tuple(Line(f"Thing {number:03} " + "long " * 20, 1) for number in range(150))))

    pages = [page.extract_text() for page in paper.pages]
    assert len(pages) > 3
    assert all(f"R-2026-000123 · Page {place}" in text for place, text in enumerate(pages, 1))
    found = re.findall(r"Thing (\d{3})", " ".join(pages))
    assert found == [f"{number:03}" for number in range(150)]


ANYTHING = st.text(st.characters(exclude_categories=()), max_size=80)


@settings(max_examples=60, deadline=None)
@given(name=ANYTHING, text=ANYTHING, language=st.sampled_from(LANGUAGES))
def test_no_text_breaks_the_file_or_the_page(name: str, text: str, language: str) -> None:
    receipt = replace(RECEIPT, payer_name=name, site_name=text, number=name, lines=(Line(text, 1),))

    assert "10" in _pdf_text(receipt, language)
    as_html(receipt, language).encode("utf-8")


def test_the_font_is_not_read_before_it_is_needed() -> None:
    code = "import sys, marketplace.payments.receipts.document; print('ttf_opensans' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"


def test_a_warm_file_is_quick() -> None:
    as_pdf(RECEIPT, "lv")

    def once() -> float:
        begun = time.thread_time()
        as_pdf(RECEIPT, "lv")
        return time.thread_time() - begun

    assert min(once() for _ in range(5)) < 0.150
