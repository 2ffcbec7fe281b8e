"""A stored receipt as an HTTP response: an HTML page or a PDF, in the reader's language.

Apart from the rooms: it builds HTTP responses for the routes of two packages.
"""

from collections.abc import Iterator
from typing import Any

from flask import Response, request

from marketplace.auth import queries as auth_queries
from marketplace.auth.models import User
from marketplace.core.ops import current_settings
from marketplace.kit.clock import as_utc
from marketplace.payments.receipts.document import PAGE_POLICY, Line, Receipt, as_html, as_pdf
from marketplace.payments.receipts.service import StoredReceipt, number_of


def as_asked(row: StoredReceipt, reader: User, *, lang: str | None = None, format: str | None = None) -> Response:
    """The response in `lang` and `format`, else in the reader's language and by the Accept header."""
    wants_page = request.accept_mimetypes.best_match(["application/pdf", "text/html"]) == "text/html"
    form = format or ("html" if wants_page else "pdf")
    return printed(row, reader, language=lang or auth_queries.language_of(reader.id), form=form)


def printed(row: StoredReceipt, reader: User, *, language: str, form: str) -> Response:
    """The response as `pdf` (a download) or `html`."""
    receipt = _receipt(row, reader)
    if form == "html":
        page = Response(as_html(receipt, language), mimetype="text/html")
        page.headers["Content-Security-Policy"] = PAGE_POLICY
        return page
    paper = Response(as_pdf(receipt, language), mimetype="application/pdf")
    paper.headers["Content-Disposition"] = f'attachment; filename="receipt-{receipt.number}.pdf"'
    return paper


def _receipt(row: StoredReceipt, reader: User) -> Receipt:
    said = row.data
    is_refund = "corrects" in said
    for_payee = reader.id == said["payee_id"] and not is_refund
    return Receipt(
        number=number_of(row),
        kind="refund" if is_refund else "payment",
        issued_at=as_utc(row.issued_at),
        site_name=current_settings.text("SITE_NAME"),
        site_address=current_settings.text("SITE_ADDRESS"),
        payer_name=said["payer"],
        payee_name=said["payee"],
        reference=said["reference"],
        lines=tuple(_lines(said)),
        currency=said["currency"],
        total_minor=said["amount_minor"],
        tax_minor=said["tax_minor"] if for_payee else 0,
        fee_minor=said["fee_minor"] if for_payee else None,
        paid_with=said["provider"].title() if said["provider"] != "fake" else "Test provider (no money moved)",
        corrects=said.get("corrects", ""),
    )


def _lines(said: dict[str, Any]) -> Iterator[Line]:
    """One a share, with who gets it; a receipt of one share has one."""
    if "lines" not in said:
        yield Line(said["title"], said["amount_minor"])
    for one in said.get("lines", ()):
        yield Line(f"{one['title']} ({one['payee']})", one["amount_minor"])
