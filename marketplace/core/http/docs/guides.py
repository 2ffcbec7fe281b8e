"""The guides of docs/ as pages: Markdown without HTML, links between them working, headings that can be linked to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import config
from marketplace.kit.lazy_module import lazy_module

if TYPE_CHECKING:
    import markdown_it
    from markdown_it.token import Token
else:
    markdown_it = lazy_module("markdown_it")

FOLDER = config.ROOT / "docs"
# What somebody who writes a client reads, in this order; the rest is for those who run or change the marketplace.
FOR_CLIENTS = (
    *("getting-started", "api", "accounts", "payments", "disputes", "chat", "search", "files"),
    *("notifications", "plans", "caching", "lifecycles", "content-filter"),
)
TABLE = '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>'


@dataclass(frozen=True, slots=True)
class Guide:
    """A page: its address under /docs/guides/, its title, and its file."""

    name: str
    title: str
    path: Path

    def html(self) -> str:
        """The text; code and HTML in it are shown, never run."""
        return _rendered(self.path)


@cache
def guides() -> dict[str, Guide]:
    """Every guide by name, those for clients first; empty where the folder was not installed."""
    found = {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in sorted(FOLDER.rglob("*.md"))}
    names = [*(name for name in FOR_CLIENTS if name in found), *(name for name in found if name not in FOR_CLIENTS)]
    return {name: Guide(name, _title(found[name]), found[name]) for name in names}


def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ").strip() or path.stem


@cache
def _rendered(path: Path) -> str:
    markdown = markdown_it.MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text(encoding="utf-8"))
    _name_headings(tokens)
    for token in tokens:
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrs["href"] = _address(str(inner.attrs["href"]), path)
    html = str(markdown.renderer.render(tokens, markdown.options, {}))
    html = html.replace("<table>", TABLE).replace("</table>", "</table></div>")
    return html.replace("<pre>", '<pre tabindex="0">')


def _name_headings(tokens: "Sequence[Token]") -> None:
    for heading, text in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrs["id"] = re.sub(r"[^\w-]", "", text.content.lower().replace(" ", "-"))


def _address(link: str, path: Path) -> str:
    """Where a link of this file leads on the page; into the repository where it leaves the guides, as it is."""
    target, mark, heading = link.partition("#")
    if not target or ":" in target or target.startswith("/"):
        return link
    file = (path.parent / target).resolve()
    if not file.is_relative_to(FOLDER):
        return link
    name = file.relative_to(FOLDER).with_suffix("").as_posix()
    return f"/docs/guides/{name if file.suffix == '.md' else ''}{mark}{heading}"
