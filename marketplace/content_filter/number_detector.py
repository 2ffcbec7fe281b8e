"""Telephone, card and account numbers in any spelling; prices, dates, times and sizes are left out.

Apart from the rooms: one detector of the filter, pure text in and spans out.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from marketplace.content_filter.digit_parser import Line, line
from marketplace.content_filter.text_normalization import LOOK_ALIKES, Page

Span = tuple[str, int, int]
PHONE, ACCOUNT = "phone", "account"

CODES = "eur|usd|gbp|rub|huf|pln|czk|sek|nok|dkk|isk|chf|uah|ron|bgn|rsd|try|jpy|cny|krw|inr|vnd|idr|kzt|uzs"
NAMES = (
    rf"{CODES}|euro|eiro|ls|lvl|руб\w*|р\.|dollars?|bucks|k\b|тыс\w*|tukst\w*|тысяч\w*|ft|zl|kc|kr|грн|тг|tl|lei|yen"
)
CURRENCY = rf"(?:[€$£₽¥₩₹₫₴₸]|{NAMES}|{NAMES.translate(LOOK_ALIKES)})"  # Cyrillic letters are read as Latin ones
UNIT = (
    r"(?:%|(?:km|км|m2|кв|kv|kg|кг|g|mm|мм|cm|см|m|м|l|л|ml|gb|tb|mb|гб|mah|kw|квт|w|v|zs|hp|л\.с|miles?|mi|sqft"
    r"|gab|шт|pcs|x)(?![^\W_]))"
)
# Money and measures up to seven digits; the marketplace knows no larger ones, so 29 123 456 € is a telephone.
# A larger one is a price where it is written as one: with its groups, in whole thousands.
LARGE = r"\d{2,3}[ .,']\d{3}(?:[ .,']\d{3}){0,2}[ .,']000"
ROUND = r"(?:\d{1,3}|\d{1,6}0)"
AMOUNT = r"(?:\d{1,7}|\d{1,3}[ .,']\d{3}|\d[ .,']\d{3}[ .,']\d{3})(?:[.,](?:\d\d?|-))?"
MONEY = (
    rf"(?<![\d+])(?<!\d[ .,'-]){AMOUNT}\s?(?:{CURRENCY}|{UNIT})"
    r"|[€$£]\s?\d{1,3}(?:[ .,']?\d{3}){0,2}(?:[.,]\d\d?)?(?!\d)"
    rf"|(?<![\d+])(?<!\d[ .,'-])(?:{LARGE}\s?[-–—‐]\s?)?{LARGE}\s?{CURRENCY}"
    rf"|(?:(?<=[€$£₽¥₩₹₫₴₸])|(?<=[€$£₽¥₩₹₫₴₸]\s)|(?<=(?:{CODES})\s)){LARGE}(?!\d)"
    rf"|(?<![\d+])(?<!\d[ .,'-]){ROUND}\s?[-–—‐]\s?{ROUND}\s?{CURRENCY}"
)
DAY, MONTH, YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19[5-9]\d|20[0-4]\d)"
ENDS = r"(?![.\-/ ]?\d)"
# With its day and month a year may be any that people write; what follows the code of a country is no date.
OF_DATE = r"(?:19\d\d|20\d\d|2100)"
BEGINS = r"(?<![\d.\-/])(?<!\+\d)(?<!\+\d\s)(?<!\+\d\d\s)(?<!\+\d\d\d\s)"
DATE = (
    rf"(?:{DAY}[.\-/]\s?{MONTH}[.\-/]\s?(?:{OF_DATE}|\d\d)|{OF_DATE}[.\-/]{MONTH}[.\-/]{DAY}"
    rf"|{MONTH}/{DAY}/{OF_DATE})(?!\d)\.?"
)
TO = r"(?:\s?[-–—‐/]\s?|\s)"
SHORT = rf"{DAY}[./]{MONTH}\.?"
COMPACT = rf"{YEAR}{MONTH.replace('0?', '0')}(?:0[1-9]|[12]\d|3[01])"
CLOCK = r"(?:[01]?\d|2[0-4])[:.h][0-5]\d"
INNOCENT = re.compile(
    r"(?=[\d€$£\-])(?:"
    + "|".join(
        (
            MONEY,
            rf"{BEGINS}{DATE}(?:{TO}{DATE}){{0,19}}{ENDS}",
            rf"{BEGINS}{SHORT}\s?[-–—‐]\s?(?:{DATE}|{SHORT}){ENDS}",
            rf"(?<![\d.\-]){COMPACT}(?:[-–—‐/]{COMPACT})?(?!\d)",
            rf"(?<![\d.:\-]){CLOCK}(?:\s?[-–—‐]\s?{CLOCK})?(?![.:\-]?\d)",
            rf"(?<!\d){YEAR}\s?[-–—‐/]\s?(?:{YEAR}|\d\d)(?![\-.]?\d)",
            rf"(?<!\d){YEAR}(?:[\s,]{{1,2}}{YEAR})+(?!\d)",
            r"(?<!\d)-?\d{1,3}\.\d{3,},\s?-?\d{1,3}\.\d{3,}",
            r"(?<!\d)\d{2,3}/\d{2}\s?r\s?\d\d",
            r"(?<![\d.])(?:\d\.\d[\s,/]{1,2}){2,}\d\.\d(?![\d.])",
            r"(?<!\d)(?:\d{1,2}(?:\.5)?,\s){2,}\d{1,2}\.5(?:,\s\d{1,2}(?:\.5)?)*",
        )
    )
    + ")"
)
CALLING = (
    r"371 ?[26](?: ?\d){7}|370 ?[3-8](?: ?\d){7}|372 ?[3-9](?: ?\d){6,7}|44 ?(?:0 ?)?[1-37](?: ?\d){9}"
    r"|49 ?1[5-7](?: ?\d){8,9}|380 ?[3-9](?: ?\d){8}|375 ?[1-4](?: ?\d){8}|48 ?[4-8](?: ?\d){8}"
    r"|[78] ?(?:[349] ?\d ?\d|800) ?\d ?\d ?\d ?\d ?\d ?\d ?\d"
)
NATIONAL = (
    r"[26]\d{7}|[26]\d \d{3} \d{3}|[26]\d \d{6}|[26]\d{2} \d{5}|[26]\d \d\d \d\d \d\d|[26]\d{2} \d{2} \d{3}"
    r"|(?<!\d\d\d\d )[26]\d{3} \d{4}(?! \d{4}(?!\d))|[26]\d{4} \d{3}"
    r"|86\d{7}|86\d ?\d{5}|8 6\d\d \d{5}"
    r"|(?:1 ?)?[2-9]\d\d [2-9]\d\d(?: ?\d){4}|[2-9]\d{9}|1[2-9]\d\d[2-9]\d{6}"
    r"|9\d\d \d{3} \d\d \d\d"
)
TRUNK = r"0[1-9](?: ?\d){7,9}"
ABROAD = r"\+ ?[1-9](?: ?\d){7,14}|0 ?0 ?[1-9](?: ?\d){8,13}"
# Three single digits and more beside each other, among other groups.
SPELLED = r"(?:\d{1,4} ){0,4}?\d(?: \d){2,}(?: \d{1,4}(?![^ |])){0,9}"
EDGE, END = r"(?<![^ |])", r"(?![^ |])"
NUMBER = re.compile(
    rf"{EDGE}(?:(?P<abroad>{ABROAD})|(?P<calling>{CALLING})|(?P<national>{NATIONAL})"
    rf"|(?P<trunk>{TRUNK})|(?P<spelled>{SPELLED})|(?P<worded>[26](?: ?\d){{7}})){END}"
)
SOME = re.compile(rf"{EDGE}\d[\d ]{{5,}}{END}")
CARD = re.compile(
    rf"{EDGE}(?<!\d\d\d\d )(?=((?:3[47]\d\d \d{{6}} \d{{5}}|3[47]\d{{13}}|3 [47](?: \d){{13}}"
    rf"|(?:4|5[0-8]|2[2-7]|6\d)\d{{14,15}}|(?:4\d|5[0-8]|2[2-7]|6\d)\d\d(?: \d{{4}}){{3}}"
    rf"|[2456](?: \d){{15}}){END}(?! \d{{4}}(?!\d))))"
)
CALL = re.compile(
    r"(?<![^\W_])(?:call|phone|contact|kontakt\w*|mob|mobile|mobilais|tel|talr\w*|cell|txt|text|sms|ring|whats ?app"
    r"|viber|telegram|telefon\w*|zvan\w*|pazvan\w*|тел|телефон\w*|звон\w*|позвон\w*|моб|набер\w*"
    r"|ватсап\w*|вотсап\w*|вайбер\w*)(?![^\W_])"
)
NUMBERED = re.compile(
    r"(?<![^\W_])(?:order|invoice|sku|art|artikul\w*|article|model\w*|imei|vin|serial|part|item|ref|reference|id|kods|code|код"
    r"|tracking|parcel|track|sutijum\w*|pasutijum\w*|rekin\w*|barcode|ean|isbn|upc|reg|заказ\w*|артикул\w*|счет\w*|трек\w*"
    r"|модел\w*|ticket|booking|version|build|lot|batch|sn|detal\w*|деталь)(?![^\W_])"
)
NUMBERED_WEAKLY = re.compile(r"(?:#|(?<![^\W_])(?:no|nr|n[o°]|number|numurs|номер))[\s.:]*$")
OWN = re.compile(r"(?<![^\W_])(?:my|mans|mana|manu|мои|moи|мой)(?![^\W_])")
TEXTING = frozenset({"text", "txt", "texting", "txting", "sms", "reply"})
TEXT_TO = re.compile(
    r"(?<![^\W_])(?:te?xt|te?xting|sms|reply)(?![^\W_])[^\n]{1,40}?(?<![^\W_])(?:to|on|2|uz|на)\s{1,2}(?:no\W{0,2})?(\d{5,6})(?!\d)"
)
IBAN = re.compile(r"(?:(?<=[a-z])|(?<=[a-z][ .\-])|(?<=[a-z][ .\-]{2}))\d[ .\-]?\d(?=[ .\-]{0,2}[^\W_])")
ROW = re.compile(r"(?<![^\W_])[a-z0-9](?:[ .\-]{0,2}[a-z0-9]){0,33}")
IBAN_LENGTHS = {
    pair[:2]: int(pair[3:])
    for pair in (
        "lv:21 lt:20 ee:20 de:22 fi:18 se:24 no:15 dk:18 pl:28 gb:22 ie:22 nl:18 be:16 fr:27 es:24 pt:25 it:27"
        " at:20 ch:21 cz:24 sk:24 hu:28 ro:24 bg:22 gr:27 cy:28 mt:31 lu:20 si:19 hr:21 ua:29 by:28 tr:26 il:23 ge:22"
        " md:24 rs:22 kz:20"
    ).split()
}
WALLET = re.compile(r"(?<![^\W_])(?:bc1[a-z0-9]{25,60}|0x[0-9a-f]{40})(?![^\W_])")
NEAR = 30
PROGRESSION = ("0123456789" * 3, "9876543210" * 3)


def numbers(page: Page) -> Iterator[Span]:
    """Every telephone, card and account number, as places in the plain reading of the page."""
    text = page.latin.text
    accounts = list(_accounts(text))
    yield from accounts
    innocent = [match.span() for match in INNOCENT.finditer(text)]
    digits = line(page, sorted([*innocent, *((start, end) for _, start, end in accounts)]))
    rest = digits.text
    for start, end in _cards(rest):
        yield (ACCOUNT, *digits.place(start, end))
        rest = f"{rest[:start]}{'|' * (end - start)}{rest[end:]}"
    yield from _phones(rest, digits, text)
    if not page.vocabulary.isdisjoint(TEXTING):
        yield from ((PHONE, match.start(1), match.end(1)) for match in TEXT_TO.finditer(text))


def _phones(rest: str, digits: Line, text: str) -> Iterator[Span]:
    left, done = [], 0
    for match in NUMBER.finditer(rest):
        start, end = digits.place(*match.span())
        if match.lastgroup == "worded" and not digits.has_words(*match.span()):
            continue
        if _is_phone(str(match.lastgroup), match.group(), text[max(0, start - NEAR) : start]):
            left.append((done, match.start()))
            done = match.end()
            yield PHONE, start, end
    for begins, ends in [*left, (done, len(rest))]:
        for match in SOME.finditer(rest, begins, ends):
            start, end = digits.place(match.start(), match.end())
            if _is_called(match.group(), text[max(0, start - NEAR) : start]):
                yield PHONE, start, end


def _is_phone(kind: str, written: str, before: str) -> bool:
    """Whether a number of a telephone's shape is one, by its digits and by what is said before it."""
    figures = "".join(filter(str.isdigit, written))
    if kind == "spelled":
        return len(figures) >= (7 if len(written) > len(figures) * 1.8 else 8) and not _is_counting(figures, written)
    if kind == "abroad":
        return len(set(figures)) > 2
    if _is_other_number(before) or len(set(figures)) < 3:
        return False
    groups = written.split()
    if kind == "national" and len(groups) == 2 and (any(map(_is_year, groups)) or written.endswith("00")):
        return CALL.search(before) is not None
    return not (kind == "national" and written.endswith("000 000"))


def _is_called(written: str, before: str) -> bool:
    """Whether digits of no telephone's shape are one, because somebody is to call them."""
    figures = "".join(filter(str.isdigit, written))
    if not 7 <= len(figures) <= 15 or written.endswith(" 000") or _is_counting(figures, written):
        return False
    return CALL.search(before) is not None and not _is_other_number(before)


def _is_other_number(before: str) -> bool:
    """Whether the nearest word before says it is an order, model or part number."""
    called = [match.start() for match in CALL.finditer(before)]
    numbered = [match.start() for match in NUMBERED.finditer(before)]
    if called or numbered:
        return max(numbered, default=-1) > max(called, default=-1)
    return NUMBERED_WEAKLY.search(before) is not None and OWN.search(before) is None


def _is_year(group: str) -> bool:
    return len(group) == 4 and group[:2] in {"19", "20"}


def _is_counting(figures: str, written: str) -> bool:
    """Whether these digits count (1, 2, 3 …), are rising sizes, or repeat one figure."""
    groups = [int(group) for group in written.split()]
    goes_up = len(groups) > 4 and all(before < after for before, after in pairwise(groups))
    return goes_up or (len(figures) <= 12 and any(figures[:7] in row for row in PROGRESSION)) or len(set(figures)) <= 2


def _cards(rest: str) -> Iterator[tuple[int, int]]:
    done = 0
    for match in CARD.finditer(rest):
        figures = match.group(1).replace(" ", "")
        fits = len(figures) == (15 if figures[0] == "3" else 16)
        if match.start() >= done and fits and len(set(figures)) > 1 and _luhn(figures):
            done = match.end(1)
            yield match.start(), done


def _luhn(figures: str) -> bool:
    doubled = [int(figure) * 2 for figure in figures[-2::-2]]
    return (sum(map(int, figures[-1::-2])) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


def _accounts(text: str) -> Iterator[Span]:
    if "0x" in text or "bc1" in text:
        yield from ((ACCOUNT, match.start(), match.end()) for match in WALLET.finditer(text))
    done = 0
    for match in IBAN.finditer(text):
        country = [place for place in range(max(done, match.start() - 5), match.start()) if text[place].isalpha()][-2:]
        if "".join(text[place] for place in country) in IBAN_LENGTHS and (end := _end_of_iban(text, country[0])):
            done = end
            yield ACCOUNT, country[0], end


def _end_of_iban(text: str, start: int) -> int:
    """End of the IBAN that starts here; 0 where its check digits are wrong."""
    row = ROW.match(text, start)
    letters = [(m.group(), m.end()) for m in re.finditer(r"[a-z0-9]", row.group())] if row else []
    length = IBAN_LENGTHS.get("".join(letter for letter, _ in letters[:2]), 0)
    if not 0 < length <= len(letters):
        return 0
    number = "".join(letter for letter, _ in letters[:length])
    if sum(letter.isdigit() for letter in number) < length * 0.6:
        return 0
    value = int("".join(str(int(letter, 36)) for letter in number[4:] + number[:4]))
    return start + letters[length - 1][1] if value % 97 == 1 else 0
