"""What is done with what is found, by the rules."""

from pathlib import Path

import pytest

from marketplace.content_filter.detector import KINDS
from marketplace.content_filter.rules import PLACES, SHIPPED, BadFile, read_rules
from tests.content_filter.screen import screen

IBAN = "LV80 BANK 0000 4351 9500 1"


def test_an_ordinary_text_is_left_as_it_is() -> None:
    verdict = screen("Is it still available?", "message")

    assert (verdict.action, verdict.text, verdict.hits, verdict.sentence) == ("allow", "Is it still available?", (), "")


def test_contacts_are_hidden_letter_by_letter() -> None:
    verdict = screen("Call 29123456 or write to anna@example.com!", "message")

    assert verdict.action == "mask"
    assert verdict.text == "Call ••••••••" + " or write to " + "•" * 16 + "!"
    assert [hit.rule for hit in verdict.hits] == ["telephone number", "e-mail address"]
    assert verdict.sentence == "Telephone numbers are hidden until a deal is paid."


def test_contacts_pass_between_two_with_a_paid_deal_and_links_do_not() -> None:
    verdict = screen("Call 29123456, see https://example.com/x", "message", trusted=True)

    assert verdict.text == "Call 29123456, see " + "•" * len("https://example.com/x")
    assert verdict.broken == [("link", "mask")]


@pytest.mark.parametrize("trusted", [False, True])
def test_accounts_are_hidden_also_between_two_with_a_paid_deal(trusted: bool) -> None:
    verdict = screen(f"Pay to {IBAN}", "message", trusted=trusted)
    assert IBAN not in verdict.text
    verdict = screen(f"Pay to {IBAN}", "listing", trusted=trusted)

    assert (verdict.action, verdict.text) == ("hold", f"Pay to {IBAN}")


@pytest.mark.parametrize(("where", "action"), [("message", "refuse"), ("listing", "refuse"), ("review", "hold")])
def test_what_is_done_depends_on_the_place(where: str, action: str) -> None:
    assert screen("What an asshole.", where).action == action


def test_the_hardest_action_counts_and_its_sentence_is_told() -> None:
    verdict = screen(f"Call 29123456, pay to {IBAN}, you bitch", "message")

    assert verdict.action == "refuse"
    assert verdict.sentence == "This is rude. Write it without the insult."
    assert len(verdict.broken) == 3


def test_one_rule_broken_often_is_broken_once() -> None:
    assert screen("29123456, 26123456, 29654321", "message").broken == [("telephone number", "mask")]


def test_the_marketplaces_own_hosts_may_be_linked_to(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    shipped = SHIPPED.read_text(encoding="utf-8")
    rules.write_text(shipped.replace('"asp.net"', '"market.example.lv"'), encoding="utf-8")

    linked = "https://market.example.lv/listings/7 and www.market.example.lv but not example.lv"
    assert [linked[hit.start : hit.end] for hit in screen(linked, "message", rules=read_rules(rules)).hits] == [
        "example.lv"
    ]


def test_every_kind_has_a_rule_for_every_place() -> None:
    shipped = read_rules()

    assert set(shipped.by_kind) == set(KINDS)
    assert all(rule.sentence for rule in shipped.by_kind.values())
    assert {rule.looks_for for rule in shipped.by_kind.values() if rule.contact} == {
        *("phone", "email", "handle", "elsewhere"),
    }
    assert all(rule.action(place, trusted=False) != "allow" for rule in shipped.by_kind.values() for place in PLACES)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('message = "hide"', "message"),
        ('looks_for = "smell"', "looks_for"),
        ('strikes = "many"', "strikes"),
        ("strikes = -1", "strikes"),
        ("contact = 1", "contact"),
        (f'name = "{"x" * 41}"', "name"),
        ("colour = 1", "colour"),
    ],
)
def test_a_rule_nobody_could_mean_is_named(tmp_path: Path, line: str, wrong: str) -> None:
    rule = {
        **{"name": '"x"', "looks_for": '"phone"', "sentence": '"No."', "message": '"mask"'},
        **{"listing": '"mask"', "review": '"mask"', line.partition(" = ")[0]: line.partition(" = ")[2]},
    }
    file = tmp_path / f"{wrong}.toml"
    file.write_text("[[rule]]\n" + "\n".join(f"{name} = {value}" for name, value in rule.items()), encoding="utf-8")

    with pytest.raises(BadFile, match=wrong):
        read_rules(file)


@pytest.mark.parametrize("text", ["", "[[rule]]\nname = 1", "rule = ["])
def test_a_file_of_no_rules_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(BadFile, match=r"rules\.toml"):
        read_rules(file)


def test_two_rules_do_not_look_for_the_same(tmp_path: Path) -> None:
    file = tmp_path / "twice.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    file.write_text(text + text[text.index("[[rule]]") :].replace('name = "', 'name = "other '), encoding="utf-8")

    with pytest.raises(BadFile, match="looks_for"):
        read_rules(file)
