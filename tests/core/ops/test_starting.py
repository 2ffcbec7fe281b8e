"""What cannot be is said when a process starts, by whatever starts it, and never a 500 at the first log-in."""

import runpy
from pathlib import Path

import pytest
from flask import Flask

import config
from config import ConfigurationError
from marketplace.core.ops import rule_files
from tests.conftest import make_app
from tests.declared import RULES

SHIPPED = {
    "FEE_RULES": config.ROOT / "marketplace" / "payments" / "fees" / "fees.toml",
    "PAYOUT_RULES": config.ROOT / "marketplace" / "payments" / "payouts" / "risk.toml",
    "SECURITY_RULES": config.ROOT / "marketplace" / "auth" / "sign_in_risk" / "rules.toml",
    "CONTENT_RULES": config.ROOT / "marketplace" / "content_filter" / "rules.toml",
    "PLANS_FILE": config.ROOT / "marketplace" / "payments" / "subscriptions" / "plans.toml",
}
FILES = (*SHIPPED, "GEOIP_DATABASE")
SPOILT = {
    "nothing": b"",
    "no rules": b"# rule\n",
    "no TOML": b"[[rule]\nname = ",
    "no text": b"\xff\xfe\x00",
    "something else": b"[[rules]]\nname = 'x'\n[[plans]]\n",
    "rules that are no tables": b"rule = [1, 2]\nplan = [1, 2]\n",
    "a list of none": b"rule = []\nhold = 1\nstep_up = 1\nplan = 1\n",
}
WORDS = {
    "PAYOUT_RULES": [
        ("score = 40", "score = 'high'", "rule 4: score must be a whole number"),
        ("hold = ", "held = ", "hold"),
    ],
    "SECURITY_RULES": [
        ("score = ", "scores = ", "score must be there"),
        ("step_up = ", "step_up = 'a' #", "step_up must be a whole number"),
    ],
    "CONTENT_RULES": [("strikes = ", "strike = ", "there is no field strike")],
}


def refusal(app: Flask, setting: str, path: Path) -> str:
    """What is said at the start where the setting names this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(app.config, setting, str(path))
        with pytest.raises(ConfigurationError) as refused:
            rule_files.check(app, RULES)
    return str(refused.value)


@pytest.mark.parametrize("setting", FILES)
def test_a_file_that_is_not_there_is_named(apps: dict[str, Flask], tmp_path: Path, setting: str) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        said = refusal(apps["sqlite"], setting, path)
        assert said.startswith(f"{setting} names a file that cannot be used: {path}: ")


@pytest.mark.parametrize("setting", FILES)
@pytest.mark.parametrize("content", SPOILT)
def test_a_file_that_holds_no_rules_is_named(
    apps: dict[str, Flask], tmp_path: Path, setting: str, content: str
) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(SPOILT[content])
    said = refusal(apps["sqlite"], setting, path)
    assert said.startswith(f"{setting} names a file that cannot be used: {path}: ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(("setting", "right", "wrong", "said"), [(s, *words) for s in WORDS for words in WORDS[s]])
def test_a_rule_with_a_field_of_another_kind_is_named(
    apps: dict[str, Flask], tmp_path: Path, setting: str, right: str, wrong: str, said: str
) -> None:
    path, text = tmp_path / "rules.toml", SHIPPED[setting].read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    assert said in refusal(apps["sqlite"], setting, path)


def test_an_application_is_not_made_of_files_that_cannot_be_used_and_names_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        make_app(f"sqlite:///{tmp_path / 'x.db'}", **dict.fromkeys(FILES, "/nowhere"))
    assert sorted(sentence.split()[0] for sentence in str(refused.value).splitlines()) == sorted(FILES)


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="DATABASE_URL: the folder"):
        make_app(f"sqlite:///{tmp_path / 'file' / 'x.db'}")


@pytest.mark.parametrize(
    ("file", "status"), [("wsgi.py", 4), ("gunicorn.conf.py", "Error: PORT"), ("marketplace/worker.py", "Error: PORT")]
)
def test_every_process_ends_with_the_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: str, status: int | str
) -> None:
    monkeypatch.setenv("PORT", "99999")
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(config.ROOT / file))
    said = f"{ended.value.code}{capsys.readouterr().err}"
    assert said.startswith(str(status))
    assert "Error: PORT must be a whole number from 1 to 65,535, not '99999'." in said
