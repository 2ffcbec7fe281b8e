"""What a receipt shows, whatever it is shown on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What stands on the paper, every text ready to be read."""

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
