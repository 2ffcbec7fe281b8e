"""Texts of notifications in the reader's language: title, mail, digest.

Apart from the rooms: texts from TOML and templates, without tables.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from jinja2.meta import find_undeclared_variables

LANGUAGES = ("en", "lv", "ru")
DEFAULT = "en"
LONGEST_TITLE = 150
PREFERENCES = "/notifications"
HERE = Path(__file__).parent
FRAME, PAGE = "mail", "page"  # tables that are no kind: what stands around the news, and the way out
WEB_LINK = re.compile(r"https?://[^\s\x00-\x1f\x7f\ud800-\udfff<>\"]+", re.IGNORECASE)
BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Overrides and embeddings left open by a value would turn the rest of our sentence around.
TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


class MissingText(Exception):
    """A kind, a language or a variable has no text."""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one notification, one line each; `action` is the label of its button."""

    title: str
    message: str
    action: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Item:
    """A notification in a digest; its link is empty where it leads nowhere on the web."""

    words: Words
    link: str


def kinds() -> frozenset[str]:
    """The kinds of news there are words for."""
    return frozenset(_texts(DEFAULT)) - {FRAME, PAGE}


def words(kind: str, language: str, data: Mapping[str, Any]) -> Words:
    """The texts in this language, English where there are none; values are never taken for templates."""
    if kind not in kinds():
        raise MissingText(f"there are no words for the kind {kind!r}")
    lines = _lines(spoken(language), kind, data)
    return Words(title=_cut(lines["title"]), message=lines["message"], action=lines["action"])


def mail(
    *,
    kind: str,
    language: str,
    data: Mapping[str, Any],
    recipient: str,
    link: str,
    unsubscribe: str,
    site: str,
    site_name: str = "",
) -> Mail:
    """The mail of one notification; `recipient` is the name to greet, `site` the client's URL, `site_name` signs."""
    item = _Item(words(kind, language, data), web_link(link))
    who = {"recipient": recipient, "site_name": site_name}
    frame = _frame(language=language, unsubscribe=unsubscribe, site=site, count=1, **who)
    return _written("mail", item.words.title, [item], frame)


def digest(
    *,
    items: Sequence[tuple[str, Mapping[str, Any], str]],
    language: str,
    recipient: str,
    unsubscribe: str,
    site: str,
    site_name: str = "",
) -> Mail:
    """The mail of gathered (kind, data, link)."""
    found = [_Item(words(kind, language, data), web_link(link)) for kind, data, link in items]
    who = {"recipient": recipient, "site_name": site_name}
    frame = _frame(language=language, unsubscribe=unsubscribe, site=site, count=len(found), **who)
    return _written("digest", frame["lines"]["digest_subject"], found, frame)


def page_texts(language: str) -> dict[str, str]:
    """The texts of the unsubscribe page."""
    return _lines(spoken(language), PAGE, {})


def spoken(language: str) -> str:
    """`lv-LV` and `LV` → `lv`; `en` for a language without texts."""
    short = re.split("[-_]", language.lower())[0]
    return short if short in LANGUAGES else DEFAULT


def web_link(link: str) -> str:
    """The link itself where it is http(s), else nothing: no javascript:, no data:."""
    return link if WEB_LINK.fullmatch(link) else ""


def plural_category(language: str, number: int) -> str:
    """The CLDR category of a whole number."""
    return PLURALS[language](number)


def _plural_en(number: int) -> str:
    return "one" if number == 1 else "other"


def _plural_lv(number: int) -> str:
    if number % 10 == 0 or 11 <= number % 100 <= 19:
        return "zero"
    return "one" if number % 10 == 1 else "other"


def _plural_ru(number: int) -> str:
    if 11 <= number % 100 <= 14:
        return "many"
    return {1: "one", 2: "few", 3: "few", 4: "few"}.get(number % 10, "many")


PLURALS = {"en": _plural_en, "lv": _plural_lv, "ru": _plural_ru}


def _plural(language: str, number: int, **forms: str) -> str:
    return forms[plural_category(language, number)]


def _decimal(language: str, number: float) -> str:
    return f"{number:.1f}".replace(".", "." if language == "en" else ",")


def _written(name: str, subject: str, items: Sequence[_Item], frame: Mapping[str, Any]) -> Mail:
    values = {**frame, "subject": subject, "items": items}
    text, html = (_environment(frame["language"]).get_template(f"{name}.{form}.j2") for form in ("txt", "html"))
    return Mail(subject=subject, text=text.render(values), html=html.render(values))


class _Frame(TypedDict):
    language: str
    lines: dict[str, str]
    preferences: str
    unsubscribe: str


def _frame(*, language: str, recipient: str, unsubscribe: str, site: str, site_name: str, count: int) -> _Frame:
    ours, home = spoken(language), web_link(site).rstrip("/")
    name = site_name or re.sub("^https?://", "", site, flags=re.IGNORECASE).rstrip("/")
    return {
        "language": ours,
        "lines": _lines(ours, FRAME, {"recipient": recipient, "site": name, "count": count}),
        "preferences": home and home + PREFERENCES,
        "unsubscribe": web_link(unsubscribe),
    }


def _lines(language: str, table: str, data: Mapping[str, Any]) -> dict[str, str]:
    missing = sorted(name for name in variables(language, table) if data.get(name) is None)
    if missing:
        raise MissingText(f"{table!r} in {language!r} lacks {', '.join(missing)}")
    return {key: _one_line(template.render(data)) for key, template in _templates(language, table).items()}


def _one_line(text: str) -> str:
    return TURNS.sub("", BREAKS.sub(" ", text)).strip()


def _cut(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + "…"


@cache
def variables(language: str, table: str) -> frozenset[str]:
    """Names of the variables that texts of this table use."""
    parse = _environment(language).parse
    return frozenset(
        name for text in _table(language, table).values() for name in find_undeclared_variables(parse(text))
    )


@cache
def _templates(language: str, table: str) -> dict[str, Template]:
    compiled = _environment(language).from_string
    return {key: compiled(text) for key, text in _table(language, table).items()}


def _table(language: str, table: str) -> dict[str, str]:
    try:
        return _texts(language)[table]
    except KeyError:
        raise MissingText(f"there are no words for {table!r} in {language!r}") from None


@cache
def _texts(language: str) -> dict[str, dict[str, str]]:
    path = HERE / "texts" / f"{language}.toml"
    if not path.is_file():
        raise MissingText(f"there are no words in the language {language!r}")
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(["html.j2"], default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters |= {"plural": partial(_plural, language), "decimal": partial(_decimal, language)}
    return environment
