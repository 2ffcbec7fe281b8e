"""A receipt or a credit note, as a page to print and as a PDF, in the reader's language.

Apart from the rooms: rendering, from values alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from marketplace.kit.clock import as_utc
from marketplace.payments.receipts.i18n import amount, harmless, labels, moment, spoken
from marketplace.payments.receipts.receipt_view import Sheet

# The page has its style inside and nothing else; to be sent with it.
PAPER = "marketplace.payments.receipts.pdf:draw"  # its library takes 30 MB, and most processes never draw
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Line:
    """One position of a receipt; a discount is below zero."""

    text: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was paid or given back; a refund's is a credit note that `corrects` a receipt.

    The payer of a refund is who paid, so who is given back. Tax and fee are contained in the total; the fee is
    None unless the reader is the payee.
    """

    number: str
    kind: Literal["payment", "refund"]
    issued_at: datetime
    site_name: str
    site_address: str = ""
    payer_name: str
    payee_name: str
    reference: str
    lines: tuple[Line, ...]
    currency: str
    total_minor: int
    tax_minor: int = 0
    fee_minor: int | None = None
    paid_with: str = ""
    corrects: str = ""


def as_html(receipt: Receipt, language: str) -> str:
    """A self-contained HTML page to print; send it with PAGE_POLICY as its Content-Security-Policy."""
    sheet = _sheet(receipt, spoken(language))
    return _template().render({field.name: getattr(sheet, field.name) for field in fields(sheet)})


def as_pdf(receipt: Receipt, language: str) -> bytes:
    """The same bytes for the same receipt; letters the font lacks become a sign that says so."""
    draw: Callable[..., bytes] = resolve_name(PAPER)
    return draw(_sheet(receipt, spoken(language)), as_utc(receipt.issued_at))


def _sheet(receipt: Receipt, language: str) -> Sheet:
    said = labels(language, receipt.kind)
    total = amount(language, receipt.total_minor, receipt.currency)
    return Sheet(
        language=language,
        title=said["title"],
        number=harmless(receipt.number),
        site_name=harmless(receipt.site_name),
        site_address=harmless(receipt.site_address),
        facts=tuple(_facts(receipt, language, said)),
        columns=(said["text"], said["amount"]),
        lines=tuple(
            (harmless(line.text), amount(language, line.amount_minor, receipt.currency)) for line in receipt.lines
        ),
        total=(said["total"], total),
        shares=tuple(_shares(receipt, language, said)),
        note=said["note"],
        page=said["page"],
    )


def _facts(receipt: Receipt, language: str, said: dict[str, str]) -> Iterator[tuple[str, str]]:
    yield said["number"], harmless(receipt.number)
    yield said["date"], moment(language, receipt.issued_at)
    people = {"corrects": receipt.corrects, "payer": receipt.payer_name, "payee": receipt.payee_name}
    for name, value in {**people, "reference": receipt.reference, "paid_with": receipt.paid_with}.items():
        if shown := harmless(value):
            yield said[name], shown


def _shares(receipt: Receipt, language: str, said: dict[str, str]) -> Iterator[tuple[str, str]]:
    if receipt.tax_minor:
        yield said["tax"], amount(language, receipt.tax_minor, receipt.currency)
    if receipt.fee_minor is not None:
        yield said["fee"], amount(language, receipt.fee_minor, receipt.currency)


@cache
def _template() -> Template:
    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, auto_reload=False)
    return environment.get_template("receipt.html.j2")
