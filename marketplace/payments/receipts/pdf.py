"""A receipt on A4 as a PDF, with letters for every language of Europe that is written in Latin, Greek or Cyrillic.

Apart from the rooms: rendering, from values alone.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue
from fpdf.fonts import TTFFont

from marketplace.payments.receipts.receipt_view import Sheet

FONT = "opensans"
FACES = {"": "OpenSans-Regular.ttf", "B": "OpenSans-Bold.ttf"}
MISSING = "\ufffd"
MARGIN, WIDTH = 20.0, 170.0
LABEL, AMOUNT = 52.0, 58.0
LONGEST_FOOT = 40
GREY, BLACK = 110, 0


@dataclass(frozen=True, slots=True)
class _Cell:
    """A text in a column, its width in millimetres."""

    width: float
    text: str
    align: Align = Align.L


class _Paper(FPDF):
    """An A4 document with a footer."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(format="A4")
        self.foot = f"{sheet.number[:LONGEST_FOOT]} · {sheet.page}"
        self.alias_nb_pages("")  # or a title of "{nb}" would be counted
        self.set_margin(MARGIN)
        self.set_auto_page_break(True, margin=MARGIN)
        for style, path in _faces().items():
            self.add_font(FONT, style, path)
        self.letters = {code for font in self.fonts.values() if isinstance(font, TTFFont) for code in font.cmap}

    def footer(self) -> None:
        """Receipt number and page number, called by fpdf2."""
        self.set_y(-MARGIN + 5)
        self.write_in("", 8, GREY)
        self.cell(WIDTH, 5, self.readable(f"{self.foot} {self.page_no()}"), align=Align.R)

    def write_in(self, style: str, size: float, grey: int = BLACK) -> None:
        """Set style, size in points and grey level of what follows."""
        self.set_font(FONT, style, size)
        self.set_text_color(grey)

    def readable(self, text: str) -> str:
        """The text in letters the font has; a replacement sign for others."""
        return "".join(c if ord(c) in self.letters else self._nearest(c) for c in unicodedata.normalize("NFC", text))

    def row(self, height: float, *cells: _Cell) -> None:
        """Cells side by side, on a new page where one does not fit."""
        cells = tuple(_Cell(cell.width, self.readable(cell.text), cell.align) for cell in cells)
        tallest = max(self._height(cell, height) for cell in cells)
        if self.will_page_break(tallest):
            self.add_page()
        top, left = self.y, self.l_margin
        for cell in cells:
            self.set_xy(left, top)
            self.multi_cell(cell.width, height, cell.text, align=cell.align)
            left += cell.width
        self.set_xy(self.l_margin, top + tallest)

    def rule(self) -> None:
        """A thin horizontal line."""
        self.set_draw_color(190)
        self.line(MARGIN + self.c_margin, self.y + 1, MARGIN + WIDTH - self.c_margin, self.y + 1)
        self.set_y(self.y + 2)

    def _nearest(self, letter: str) -> str:
        plain = "".join(c for c in unicodedata.normalize("NFKD", letter) if ord(c) in self.letters)
        return plain or ("" if unicodedata.category(letter) in {"Mn", "Me", "Cf"} else MISSING)

    def _height(self, cell: _Cell, height: float) -> float:
        found = self.multi_cell(
            cell.width, height, cell.text, align=cell.align, dry_run=True, output=MethodReturnValue.HEIGHT
        )
        return float(found) if isinstance(found, int | float) else height


def draw(sheet: Sheet, made_at: datetime) -> bytes:
    """The bytes of the PDF, the same for the same sheet and moment."""
    paper = _Paper(sheet)
    paper.set_creation_date(made_at)
    paper.set_lang(sheet.language)
    paper.set_title(f"{sheet.title} {sheet.number}")
    paper.set_author(sheet.site_name)
    paper.add_page()
    _head(paper, sheet)
    _facts(paper, sheet.facts)
    _lines(paper, sheet)
    _totals(paper, sheet)
    return bytes(paper.output())


def _head(paper: _Paper, sheet: Sheet) -> None:
    paper.write_in("B", 11)
    paper.row(6, _Cell(WIDTH, sheet.site_name))
    if sheet.site_address:
        paper.write_in("", 9, GREY)
        paper.row(5, _Cell(WIDTH, sheet.site_address))
    paper.set_y(paper.y + 8)
    paper.write_in("B", 20)
    paper.row(10, _Cell(WIDTH, sheet.title))
    paper.set_y(paper.y + 4)


def _facts(paper: _Paper, facts: Sequence[tuple[str, str]]) -> None:
    paper.write_in("", 10)
    for label, value in facts:
        paper.row(5.5, _Cell(LABEL, label), _Cell(WIDTH - LABEL, value))
    paper.set_y(paper.y + 6)


def _lines(paper: _Paper, sheet: Sheet) -> None:
    paper.write_in("B", 10)
    _amount_row(paper, *sheet.columns)
    paper.rule()
    paper.write_in("", 10)
    for text, amount in sheet.lines:
        _amount_row(paper, text, amount)
    paper.rule()


def _totals(paper: _Paper, sheet: Sheet) -> None:
    paper.write_in("B", 11)
    _amount_row(paper, *sheet.total)
    paper.write_in("", 10, GREY)
    for label, amount in sheet.shares:
        _amount_row(paper, label, amount)
    paper.set_y(paper.y + 8)
    paper.write_in("", 8, GREY)
    paper.row(4, _Cell(WIDTH, sheet.note))


def _amount_row(paper: _Paper, text: str, amount: str) -> None:
    paper.row(6, _Cell(WIDTH - AMOUNT, text), _Cell(AMOUNT, amount, Align.R))


@cache
def _faces() -> dict[str, Path]:
    folder = Path(str(files("ttf_opensans"))) / "ttf"
    return {style: folder / name for style, name in FACES.items()}
