"""What an HTML page and a PDF of a receipt have in common: every text, ready to be shown.

Apart from the rooms: the type that document.py hands to pdf.py.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All texts of a receipt in the reader's language."""

    language: str
    title: str
    number: str
    site_name: str
    site_address: str
    facts: tuple[tuple[str, str], ...]
    columns: tuple[str, str]
    lines: tuple[tuple[str, str], ...]
    total: tuple[str, str]
    shares: tuple[tuple[str, str], ...]
    note: str
    page: str
