"""Links, mail addresses and names in messengers, however they are spelled.

Apart from the rooms: one detector of the filter, pure text in and spans out.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from marketplace.content_filter.text_normalization import LOOK_ALIKES, SPACED, WORD, Page, View
from marketplace.kit.unicode_fold import fold

Span = tuple[str, int, int]
LINK, EMAIL, HANDLE, ELSEWHERE = "link", "email", "handle", "elsewhere"


def _both_readings(words: str) -> list[str]:
    """The words folded, and once more with Latin look-alikes read as Latin; the longest first."""
    folded = set(fold(words).split())
    return sorted(folded | {word.translate(LOOK_ALIKES) for word in folded}, key=len, reverse=True)


FOUND = {
    name: _both_readings(words)
    for name, words in tomllib.loads(Path(__file__).with_name("addresses.toml").read_text(encoding="utf-8")).items()
}


def _any(name: str, extra: Iterable[str] = ()) -> str:
    return "(?:" + "|".join(re.escape(word) for word in [*FOUND[name], *extra]) + ")"


START, STOP = r"(?<![^\W_])", r"(?![^\W_])"
OPEN, SHUT = r"[(\[{<*_]\s?", r"\s?[)\]}>*_]"
SPOKEN, DOTS, ATS = _any("spoken"), _any("dots"), _any("ats")
PHRASE_ENDS = r"(?=\s*(?:$|[.,;:!?)/\n]))"
DOT_IN_WORDS = re.compile(
    rf"\s?{OPEN}(?:{DOTS}|d0t|\.|,){SHUT}\s?(?=[a-z0-9])"
    rf"|(?<=[a-z0-9])\s{{1,3}}{DOTS}\s{{1,3}}(?=(?:[a-z0-9\-]{{1,30}}\s{{1,3}}{DOTS}\s{{1,3}})?{SPOKEN}{STOP})"
    rf"|(?<=[a-z0-9])(?:\s{{1,2}}[.](?:\s{{1,2}}|(?!net))|\s?[.]\s(?=com{PHRASE_ENDS})|,(?=com)|\s?[•·∙。]\s?)(?={SPOKEN}{STOP}(?!-\d))"
)
AT_IN_SIGNS = re.compile(rf"{OPEN}(?:{ATS}|a|@){SHUT}(?=\s{{0,2}}[a-z0-9])")
HOST = r"(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)"
PATH = r"(?::\d{2,5})?(?:[/?#][^\s<>\"]*)?"
EMAIL_ADDRESS = re.compile(
    rf"(?<![\w.+%\-])[\w.+%\-]+\s{{0,2}}@\s{{0,2}}(?:[^\W_](?:[\w\-]*[^\W_])?\.)+[^\W\d_]{{2,24}}{STOP}"
)
PROVIDER, ONLY_PROVIDER = _any("providers"), _any("only_providers")
TLD = r"(?:com|lv|ru|net|org|de|uk|lt|ee|me)"
MAIL_IN_WORDS = re.compile(
    rf"(?<![\w.+%\-])[\w.+%\-]{{2,64}}\s{{0,2}}(?:@|\s{ATS}\s)\s{{0,2}}{PROVIDER}(?:\s?[., ]\s?{TLD})?{STOP}"
    rf"|{START}(?:[\w.+%\-]{{2,64}}\s{{1,2}})?{ONLY_PROVIDER}\s?[ ,]\s?{TLD}{STOP}"
    rf"|{START}(?=[^\s]{{0,40}}[\d._])[a-z][\w.\-]{{3,40}}\s{{1,2}}{ONLY_PROVIDER}{STOP}"
)
SCHEME = re.compile(rf"{START}(?:h[tx]{{2}}ps?|ftp|viber|tg|skype)\s?:\s?/\s?/\s?[^\s<>\"]+")
WWW = re.compile(
    r"(?<![^\W_])www\s?[.,]\s?[^\W_][^\s<>\"]*|(?<![^\W_])www\s[a-z0-9\-]{2,40}\s(?:com|lv|net|org|ru|lt|ee|eu)(?![^\W_])"
)
DOMAIN = re.compile(rf"(?<![\w@.\-]){HOST}+{_any('endings')}(?![\w\-]|\.\w){PATH}")
DOUBTFUL = re.compile(rf"(?<![\w@.\-'’]){HOST}+{_any('doubtful')}(?![\w\-]|\.\w)(?::\d{{2,5}})?/[^\s<>\"]+")
KNOWN = re.compile(rf"(?<![\w@\-'’])(?:{_any('hosts', FOUND['people'])}){STOP}{PATH}")
NO_DOT = re.compile(
    rf"{START}[a-z0-9][a-z0-9\-]{{2,40}}\scom{PHRASE_ENDS}"
    rf"|{START}(?:see|visit|at|on|site|to|check|out|open|google|lapa|saite|vietne|skaties|apskati|skat|ieks)"
    rf"\s{{1,2}}[a-z0-9][a-z0-9\-]{{2,40}}\scom{STOP}"
    rf"|(?<![\w'’])(?:t|wa|m)\s?[., ]\s?me\s?/\s?[+\w]+"
    rf"|(?<![\w'’])wa\s?[. ]\s?me{STOP}(?:\s?/?\s?\+?[\d ]{{7,15}})?"
)
CYRILLIC_DOMAIN = re.compile(
    r"(?<![\w@.\-])(?:[а-я0-9][а-я0-9\-]{1,40}\.)+(?:рф|рус|укр|бел|онлаин|саит|москва)(?![\w\-])[^\s<>\"]*"
)
# Asked first, because they are asked fast.
HAS_HOST = re.compile(r"[^\W_]\.[^\W\d_]{2}")
SPACES = (" ", "\n")
HAS_STRANGE_DOT = re.compile(r"\s\.|[•·∙。]|[.,]\s?com|[(\[{<*_]\s?[.,d]")
NAME = r"[a-z0-9][a-z0-9._]{2,31}"
MESSENGER = _any("messengers")
NAMED = re.compile(
    rf"(?<![^\W_])(?P<app>{MESSENGER}){STOP}(?:\s?(?:id|nick|name|username|vards|lietotajs|ник|handle|account))?"
    rf"(?:\s?(?::|=|->|\s[\-–—]\s)\s?@?|\s?[(]?\s?@)(?P<name>{NAME})"
    rf"|(?<![^\W_])(?:my|mans|mana|мои|moи|моя)\s{MESSENGER}\s(?:(?:is|ir|это|этo)\s)?@?(?P<own>{NAME})"
    rf"|(?<![^\W_])(?:{MESSENGER})\s(?:(?:is|ir|это|этo)\s)?(?=[a-z._]*[\d_])(?P<marked>[a-z]{NAME})"
    rf"|(?<![\w@])@?(?P<before>[a-z]{NAME})\s{{1,2}}(?:on|in|ieks|в|во|na|на|iekš|-)?\s?{START}(?:{MESSENGER}){STOP}"
)
AT_NAME = re.compile(r"(?<![\w.@/])@(?P<name>[a-z][a-z0-9._]{4,31})(?![\w@])")
INVITED = re.compile(
    rf"{START}{_any('invites')}{STOP}[^.;!?\n]{{0,28}}?\s(?:on|via|over|through|by|in|at|using|to|me|us|with)\s{MESSENGER}{STOP}"
    rf"|{START}{_any('invites_of_others')}{STOP}[^.;!?\n]{{0,28}}?{START}{MESSENGER}{STOP}"
)
NO_NAMES, MESSENGERS = frozenset(FOUND["no_names"]), frozenset(FOUND["messengers"])
LONG_MESSENGERS = frozenset(name for name in FOUND["messengers"] if len(name) > 5)
ONLY_PROVIDERS, PROVIDER_OR_APP = frozenset(FOUND["only_providers"]), NO_NAMES | MESSENGERS
PEOPLE = re.compile(rf"(?:^|[/.@]){_any('people')}{STOP}|^(?:viber|tg|skype)\s?:|^(?:t|wa|m)\W+me{STOP}")


def contacts(page: Page, allowed_hosts: frozenset[str] = frozenset()) -> Iterator[Span]:
    """Every link, address and messenger name of the page, as places in the original text."""
    latin, spoken = page.latin, _spoken(page)
    for view in (latin, spoken) if spoken.text != latin.text else (latin,):
        words = page.latin_vocabulary if view is latin else frozenset(WORD.findall(view.text))
        for kind, start, end in _in(view.text, words, allowed_hosts):
            yield (kind, *view.written(start, end))
    if page.has_spaced_letters:
        yield from _spelled_out(page)
    for match in CYRILLIC_DOMAIN.finditer(page.plain.text) if HAS_HOST.search(page.plain.text) else ():
        yield (LINK, *page.plain.written(*match.span()))


def _spoken(page: Page) -> View:
    """The text with spelled-out dots and ats ("dot", "(at)") as signs, and gaps between single letters closed."""
    view = page.closed.like(page.closed.text.translate(LOOK_ALIKES)) if page.has_spaced_letters else page.latin
    if not page.vocabulary.isdisjoint(FOUND["dots"]) or HAS_STRANGE_DOT.search(view.text):
        view = view.without(DOT_IN_WORDS, lambda _: ".")
    return view.without(AT_IN_SIGNS, lambda _: "@")


def _in(text: str, words: frozenset[str], allowed_hosts: frozenset[str]) -> Iterator[Span]:
    if "@" in text:
        yield from _all(EMAIL, EMAIL_ADDRESS, text)
        yield from _names_with_at(text)
    if not words.isdisjoint(FOUND["providers"]):
        yield from _all(EMAIL, MAIL_IN_WORDS, text)
    yield from _links(text, words, allowed_hosts)
    if not words.isdisjoint(MESSENGERS):
        yield from _names(text)
        yield from _all(ELSEWHERE, INVITED, text)


def _all(kind: str, pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    return ((kind, match.start(), match.end()) for match in pattern.finditer(text))


def _links(text: str, words: frozenset[str], allowed_hosts: frozenset[str]) -> Iterator[Span]:
    patterns = [NO_DOT] if "com" in words or ("me" in words and not words.isdisjoint({"wa", "t", "m"})) else []
    patterns += [SCHEME] if "/" in text else []
    patterns += [WWW] if "www" in text else []
    found = [match for pattern in patterns for match in pattern.finditer(text)]
    for start, end in _with_hosts(text):
        found += [match for pattern in (DOMAIN, DOUBTFUL, KNOWN) for match in pattern.finditer(text, start, end)]
    for match in found:
        link = match.group().rstrip(".,;:!?)]}'\"")
        if not _is_allowed(link, allowed_hosts):
            yield HANDLE if PEOPLE.search(link) else LINK, match.start(), match.start() + len(link)


def _with_hosts(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of the pieces between spaces that could hold a host name."""
    end = 0
    for match in HAS_HOST.finditer(text):
        if match.start() >= end:
            start = max(text.rfind(space, 0, match.start()) for space in SPACES) + 1
            end = min((place for space in SPACES if (place := text.find(space, match.end())) >= 0), default=len(text))
            yield start, end


def _is_allowed(link: str, hosts: frozenset[str]) -> bool:
    host = re.split(r"[/?#:\s]", re.sub(r"^[a-z]+://", "", link), maxsplit=1)[0].rstrip(".")
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def _names_with_at(text: str) -> Iterator[Span]:
    for match in AT_NAME.finditer(text):
        if match["name"] not in NO_NAMES:
            yield HANDLE, match.start(), match.end()


def _names(text: str) -> Iterator[Span]:
    for match in NAMED.finditer(text):
        group = next(name for name in ("name", "own", "marked", "before") if match[name])
        name = match[group].strip("._")
        if name in PROVIDER_OR_APP or name.isdigit():
            continue
        if group != "before" or match.group().startswith("@") or re.search(r"[\d_.]", name):
            yield HANDLE, match.start(), match.end()


def _spelled_out(page: Page) -> Iterator[Span]:
    """Names of mail providers and messengers spelled letter by letter, which is only done to hide them."""
    for match in SPACED.finditer(page.plain.text):
        letters = re.sub(r"[\W_]+", "", match.group()).translate(LOOK_ALIKES)
        if any(name in letters for name in ONLY_PROVIDERS):
            yield (EMAIL, *page.plain.written(*match.span()))
        elif any(name in letters for name in LONG_MESSENGERS):
            yield (ELSEWHERE, *page.plain.written(*match.span()))
