"""News in three languages: complete, plural, and inert whatever people type."""

import tomllib
from collections.abc import Mapping
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest

from marketplace.notifications import renderer
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.renderer import LANGUAGES, Mail, MissingText, digest, kinds, mail, variables, words

TASK = {"task_title": "Move a sofa"}
AMOUNT = {"amount": "36.00 EUR"}
PAID = {"title": "Move a sofa", **AMOUNT}
DATA: dict[str, dict[str, Any]] = {
    "new_application": {**TASK, "applicant_name": "Anna"},
    "application_accepted": {**TASK, "owner_name": "Juris"},
    "application_rejected": TASK,
    "application_withdrawn": {**TASK, "applicant_name": "Anna"},
    "task_assigned": {**TASK, "owner_name": "Juris"},
    "task_declined": {**TASK, "worker_name": "Zane"},
    "task_started": {**TASK, "worker_name": "Zane"},
    "task_marked_done": {**TASK, "worker_name": "Zane"},
    "task_completed": {**TASK, "owner_name": "Juris"},
    "task_disputed": {**TASK, "other_name": "Juris"},
    "task_cancelled": {**TASK, "owner_name": "Juris"},
    "task_expired": TASK,
    "new_task_nearby": {**TASK, "distance_km": 2.345},
    "payment_held": {**PAID, "payer_name": "Juris"},
    "payment_secured": {**PAID, "payee_name": "Zane"},
    "payment_failed": {"title": "Move a sofa", "payee_name": "Zane"},
    "payment_missing": {"title": "Move a sofa", "payer_name": "Juris"},
    "payment_received": {**PAID, "payer_name": "Juris"},
    "payment_released": {**PAID, "payee_name": "Zane"},
    "refund_begun": PAID,
    "refund_failed": PAID,
    "payout_paid": AMOUNT,
    "payout_failed": AMOUNT,
    "payout_returned": AMOUNT,
    "payout_held": AMOUNT,
    "chargeback_opened": {"title": "Move a sofa", "payer_name": "Juris"},
    "chargeback_won": {"title": "Move a sofa"},
    "chargeback_lost": {"title": "Move a sofa"},
    "chargeback_to_answer": {**AMOUNT, "due": "2026-03-04"},
    "chargeback_answer_due": {**AMOUNT, "due": "2026-03-04"},
    "chargeback_was_won": AMOUNT,
    "chargeback_was_lost": AMOUNT,
    "listing_expiring": {"listing_title": "Bicycle", "days": 3},
    "listing_expired": {"listing_title": "Bicycle"},
    "saved_search_match": {"search_name": "Bicycles", "thing_title": "City bicycle"},
    "new_review": {"reviewer_name": "Anna", "rating": 5},
    "review_replied": {"other_name": "Juris"},
    "review_reminder": {**TASK, "other_name": "Juris"},
    "new_message": {"sender_name": "Anna", "count": 3},
    "welcome": {"first_name": "Anna"},
    "password_changed": {},
    "verify_email": {"username": "anna_k"},
    "reset_password": {},
    "change_email_old": {"new_email": "new@example.com"},
    "change_email_new": {"new_email": "new@example.com"},
    "sign_in_code": {"code": "123456"},
    "phone_code": {"code": "123456"},
    "new_sign_in": {"device": "Firefox", "address": "192.0.2.1"},
    "second_factor_on": {},
    "second_factor_off": {},
    "api_key_made": {"name": "Warehouse"},
    "account_suspended": {"reason": "Spam"},
    "account_warned": {"reason": "Say what you offer once."},
    "account_reinstated": {},
    "verification_approved": {},
    "verification_refused": {"reason": "The picture is blurred"},
    "export_ready": {},
    "account_exists": {},
    "test": {},
    # plans
    "plan_started": {"plan_name": "Premium"},
    "plan_renewed": {"plan_name": "Premium"},
    "announcement": {"headline": "A quiet Sunday", "text": "The marketplace rests."},
    "plan_refund_begun": {"plan_name": "Premium", "amount": "10.00 EUR"},
    "plan_refund_failed": {"plan_name": "Premium", "amount": "10.00 EUR"},
    "plan_past_due": {"plan_name": "Premium"},
    "plan_ended": {"plan_name": "Premium"},
    "dispute_opened": {**TASK, "other_name": "Juris"},
    "dispute_answered": {**TASK, "other_name": "Juris"},
    "dispute_offer": {**TASK, "other_name": "Juris"},
    "dispute_offer_declined": {**TASK, "other_name": "Juris"},
    "dispute_decided": TASK,
    "dispute_appealed": {**TASK, "other_name": "Juris"},
    "dispute_resolved": TASK,
    "dispute_withdrawn": {**TASK, "other_name": "Juris"},
}
ARGUMENTS = {
    "language": "en",
    "recipient": "Anna",
    "unsubscribe": "https://api.example.lv/u/1?a=1&b=2",
    "site": "https://example.lv/",
}
LINK = "https://example.lv/tasks/7"


class Page(HTMLParser):
    """A page's tags, links, languages and text, as a mail client reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.languages: set[str | None] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag, and where it leads."""
        found = dict(attrs)
        self.tags.append(tag)
        self.links += [found[name] for name in ("href", "src") if name in found]
        self.languages |= {found["lang"]} if "lang" in found else set()

    def handle_data(self, data: str) -> None:
        """Gather what is read."""
        self.text += data


def a_mail(kind: str = "task_marked_done", data: Mapping[str, Any] | None = None, **given: str) -> Mail:
    return mail(**{**ARGUMENTS, "kind": kind, "data": data or DATA[kind], "link": LINK, **given})  # type: ignore[arg-type]


def a_task(title: str) -> dict[str, Any]:
    return {"task_title": title, "worker_name": "Zane"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", DATA)
def test_every_kind_has_words_in_every_language(kind: str, language: str) -> None:
    found = words(kind, language, DATA[kind])

    for line in (found.title, found.message, found.action):
        assert line
        assert "{" not in line
    told = f"{found.title} {found.message}"
    assert all(str(value) in told for name, value in DATA[kind].items() if name != "distance_km")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", DATA)
def test_every_kind_makes_a_mail_in_every_language(kind: str, language: str) -> None:
    found = a_mail(kind, language=language)

    said = words(kind, language, DATA[kind])
    page = Page(found.html)
    assert found.subject == said.title
    for line in (said.title, said.message, said.action):
        assert line in found.text
        assert line in page.text
    assert f"{said.action}: {LINK}" in found.text
    assert page.languages == {language}
    assert page.links == [LINK, "https://example.lv/notifications", ARGUMENTS["unsubscribe"]]
    assert "table" not in page.tags
    assert "{" not in found.text + page.text


def test_there_are_words_for_exactly_what_people_are_told_of() -> None:
    assert kinds() == set(KINDS) == set(DATA)


@pytest.mark.parametrize("table", [*DATA, "mail", "page"])
def test_all_languages_use_the_same_variables(table: str) -> None:
    used = {variables(language, table) for language in LANGUAGES}

    expected = {**DATA, "mail": {"recipient": "", "site": "", "count": 1}, "page": {}}[table]
    assert used == {frozenset(expected)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_have_the_same_texts(language: str) -> None:
    def keys(of: str) -> dict[str, set[str]]:
        path = renderer.HERE / "texts" / f"{of}.toml"
        return {name: set(table) for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items()}

    assert keys(language) == keys("en")
    assert all(keys(language)[kind] == {"title", "message", "action"} for kind in DATA)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", DATA)
def test_titles_are_short_without_their_values(kind: str, language: str) -> None:
    empty = {name: "" if isinstance(value, str) else value for name, value in DATA[kind].items()}

    assert len(words(kind, language, empty).title) <= 60


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, data in DATA.items() for name in data])
def test_a_missing_variable_is_named(kind: str, name: str, language: str) -> None:
    data = {key: value for key, value in DATA[kind].items() if key != name}

    with pytest.raises(MissingText, match=f"'{kind}' in '{language}' lacks {name}$"):
        words(kind, language, data)
    with pytest.raises(MissingText, match=name):
        words(kind, language, {**data, name: None})


@pytest.mark.parametrize("kind", ["gossip", "", "mail", "page", "../en"])
def test_an_unknown_kind_is_named(kind: str) -> None:
    with pytest.raises(MissingText, match=f"'{kind}'"):
        words(kind, "lv", {})


def test_a_language_without_its_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "LANGUAGES", (*LANGUAGES, "et"))

    with pytest.raises(MissingText, match="'et'"):
        words("test", "et", {})


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("lv", "lv"),
        ("lv-LV", "lv"),
        ("LV_lv", "lv"),
        ("RU", "ru"),
        ("en-GB", "en"),
        ("de", "en"),
        ("", "en"),
        ("../", "en"),
    ],
)
def test_an_unknown_language_falls_back_to_english(asked: str, given: str) -> None:
    assert words("test", asked, {}) == words("test", given, {})
    assert Page(a_mail(language=asked).html).languages == {given}


@pytest.mark.parametrize(
    ("number", "english", "latvian", "russian"),
    [
        (0, "days", "dienām", "дней"),
        (1, "day", "dienas", "день"),
        (2, "days", "dienām", "дня"),
        (5, "days", "dienām", "дней"),
        (11, "days", "dienām", "дней"),
        (21, "days", "dienas", "день"),
        (22, "days", "dienām", "дня"),
        (25, "days", "dienām", "дней"),
        (101, "days", "dienas", "день"),
        (111, "days", "dienām", "дней"),
    ],
)
def test_days_are_counted_as_people_count_them(number: int, english: str, latvian: str, russian: str) -> None:
    for language, day in zip(LANGUAGES, (english, latvian, russian), strict=True):
        title = words("listing_expiring", language, {"listing_title": "X", "days": number}).title
        assert f" {number} {day}" in title


@pytest.mark.parametrize(
    ("number", "english", "latvian", "russian"),
    [
        (0, "other", "zero", "many"),
        (1, "one", "one", "one"),
        (2, "other", "other", "few"),
        (5, "other", "other", "many"),
        (11, "other", "zero", "many"),
        (21, "other", "one", "one"),
        (22, "other", "other", "few"),
        (25, "other", "other", "many"),
        (101, "other", "one", "one"),
        (111, "other", "zero", "many"),
    ],
)
def test_plural_categories_are_those_of_the_cldr(number: int, english: str, latvian: str, russian: str) -> None:
    assert [renderer.plural_category(language, number) for language in LANGUAGES] == [english, latvian, russian]


@pytest.mark.parametrize(
    ("language", "titles"),
    [
        ("en", ["1 new message from Anna", "3 new messages from Anna", "10 new messages from Anna"]),
        ("lv", ["Anna: 1 jauna ziņa", "Anna: 3 jaunas ziņas", "Anna: 10 jaunu ziņu"]),
        ("ru", ["Anna: 1 новое сообщение", "Anna: 3 новых сообщения", "Anna: 10 новых сообщений"]),
    ],
)
def test_messages_are_counted(language: str, titles: list[str]) -> None:
    counts = (1, 3, 10)

    assert [words("new_message", language, {"sender_name": "Anna", "count": n}).title for n in counts] == titles


@pytest.mark.parametrize(("language", "distance"), [("en", "2.3 km"), ("lv", "2,3 km"), ("ru", "2,3 км")])
def test_distances_have_the_decimal_sign_of_the_language(language: str, distance: str) -> None:
    assert distance in words("new_task_nearby", language, DATA["new_task_nearby"]).message


def test_markup_in_values_is_escaped_in_html_and_untouched_in_text() -> None:
    nasty = "<img src=x onerror=alert(1)> & \"quoted\" 'too'"

    found = a_mail(data={"task_title": nasty, "worker_name": nasty}, recipient=nasty)

    page = Page(found.html)
    assert "img" not in page.tags
    assert nasty in page.text
    assert found.text.count(nasty) == 3
    assert nasty in found.subject


def test_markup_in_a_digest_is_escaped_in_attributes_too() -> None:
    nasty = '"><script>alert(1)</script>'

    found = digest(items=[("task_marked_done", a_task(nasty), LINK)], **ARGUMENTS)

    assert "script" not in Page(found.html).tags
    assert nasty in found.text


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1e", "\x85", "\u2028", "\u2029", "\x00"])
def test_a_title_stays_one_line(line_end: str) -> None:
    found = a_mail(data=a_task(f"Sofa{line_end}Bcc: all@example.lv"))

    assert found.subject == "Please confirm: “Sofa Bcc: all@example.lv”"
    assert not any(line.startswith("Bcc") for line in found.text.splitlines())


def test_a_subject_travels_as_a_header() -> None:
    message = EmailMessage()

    message["Subject"] = a_mail(data=a_task("Dīvāns\r\nBcc: x@example.lv 👩‍👩‍👧 \ud800")).subject

    assert message.keys() == ["Subject"]
    assert b"\nBcc" not in message.as_bytes()


def test_a_long_title_is_cut() -> None:
    title = words("task_expired", "en", {"task_title": "a" * 500}).title

    assert len(title) == 150
    assert title.endswith("a…")
    assert len(words("task_expired", "en", {"task_title": "a" * 136}).title) == 150
    assert not words("task_expired", "en", {"task_title": "a" * 136}).title.endswith("…")


@pytest.mark.parametrize(
    "value", ["{{7*7}}", "{% raw %}", "{{ self }}", "{# gone #}", "{{ ''.__class__ }}", "%s %(x)s"]
)
def test_template_syntax_in_values_is_inert(value: str) -> None:
    found = a_mail(data={"task_title": value, "worker_name": value}, recipient=value)

    assert found.subject == f"Please confirm: “{value}”"
    assert found.text.count(value) == 3
    assert value in Page(found.html).text


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "//example.lv/x",
        "/tasks/7",
        "mailto:a@example.lv",
        "https://",
        "https://example.lv/\r\nBcc: x",
        'https://example.lv/"onclick=x',
        "",
    ],
)
def test_links_that_are_not_of_the_web_are_left_out(link: str) -> None:
    single = a_mail(link=link, unsubscribe=link, site=link)
    many = digest(items=[("test", {}, link)], **{**ARGUMENTS, "unsubscribe": link, "site": link})

    for found in (single, many):
        assert Page(found.html).links == []
        assert "Unsubscribe" not in found.text
    assert "Check and confirm" not in single.text


def test_a_mail_says_why_and_how_to_stop_it() -> None:
    found = a_mail()

    assert found.text.startswith("Hello Anna,\n\nPlease confirm: “Move a sofa”\n\nZane says")
    assert found.text.endswith(f"Unsubscribe from mails like this: {ARGUMENTS['unsubscribe']}\n")
    assert "because you have an account at example.lv and" in found.text
    assert 'content="light dark"' in found.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_behind_the_way_out_says_what_the_mail_said(language: str) -> None:
    texts = renderer.page_texts(language)

    assert set(texts) == {"unsubscribe", "unsubscribed"}
    assert texts["unsubscribe"] in a_mail(language=language).text


def test_somebody_without_a_name_is_greeted_all_the_same() -> None:
    assert a_mail("welcome", {"first_name": ""}, recipient="").text.startswith("Hello,\n\nWelcome!\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_digest_lists_everything_in_order(language: str) -> None:
    items = [(kind, data, f"https://example.lv/{kind}") for kind, data in DATA.items()]

    found = digest(items=items, **{**ARGUMENTS, "language": language})

    page = Page(found.html)
    titles = [words(kind, language, data).title for kind, data in DATA.items()]
    assert [line[2:] for line in found.text.splitlines() if line.startswith("* ")] == titles
    assert page.links[: len(items)] == [link for _, _, link in items]
    assert page.links[-1] == ARGUMENTS["unsubscribe"]
    assert page.tags.count("li") == len(items)
    assert all(title in page.text for title in titles)
    assert str(len(items)) in found.subject


@pytest.mark.parametrize(
    ("language", "subjects"),
    [
        ("en", ["1 update for you", "2 updates for you", "10 updates for you"]),
        ("lv", ["Jums ir 1 jaunums", "Jums ir 2 jaunumi", "Jums ir 10 jaunumu"]),
        ("ru", ["Для вас 1 новость", "Для вас 2 новости", "Для вас 10 новостей"]),
    ],
)
def test_a_digest_counts_in_its_subject(language: str, subjects: list[str]) -> None:
    arguments = {**ARGUMENTS, "language": language}

    assert [digest(items=[("test", {}, LINK)] * n, **arguments).subject for n in (1, 2, 10)] == subjects


def test_a_digest_names_what_is_missing() -> None:
    with pytest.raises(MissingText, match="worker_name"):
        digest(items=[("test", {}, LINK), ("task_started", TASK, LINK)], **ARGUMENTS)


@pytest.mark.parametrize("title", ["Dīvāns 👩‍👩‍👧‍👦🏳️‍🌈", "העברת ספה", "نقل أريكة", "沙发", "a\u200fb", "é"])
def test_every_script_arrives_whole(title: str) -> None:
    found = a_mail(data=a_task(title), language="lv")

    assert f"„{title}”" in found.subject
    assert title in found.text
    assert title in Page(found.html).text


def test_a_value_cannot_turn_our_sentence_around() -> None:
    assert words("task_expired", "en", {"task_title": "\u202egpj.exe\u2066"}).title == "Time is up: “gpj.exe”"


def test_words_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    words("test", "lv", {})
    monkeypatch.setattr(renderer, "HERE", renderer.HERE / "nowhere")

    assert words("test", "lv", {}).title == "Izmēģinājuma paziņojums"
