"""Die at any commit or call to the outside, come back: nothing is lost, nothing a person notices is repeated."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import config
from tests.conftest import SETTINGS
from tests.servers.mail import MailServer


def lives(url: str, mail: MailServer, folder: Path) -> list[dict[str, Any]]:
    """How it looked after each death."""
    settings = {**SETTINGS, **mail.settings, "DATABASE_URL": url, "UPLOADS_DIR": str(folder / "files")}
    process = subprocess.run(
        [sys.executable, "-m", "tests.crash.lives", os.environ.get("CRASH_EVERY", "5")],
        cwd=config.ROOT,
        env={**os.environ, **settings, "THREADS": "4"},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return [json.loads(line) for line in process.stdout.splitlines()]


def test_killed_anywhere_nothing_is_lost_and_nothing_repeated(fresh_url: str, tmp_path: Path) -> None:
    mail = MailServer()
    try:
        told = lives(fresh_url, mail, tmp_path)
    finally:
        mail.stop()
    assert len(told) > 12
    for life in told:
        assert life.pop("recovered"), life
        step = life.pop("step")
        assert life["errors"] == [], (step, life)
        assert life["findings"] == [], (step, life)
        assert set(life["left"].values()) == {0}, (step, life)
        assert life["told"] == ["new_application", "welcome"], (step, life)
        assert (life["tasks"], life["thumbnails"]) == (1, ["image/webp"]), (step, life)
    letters = Counter((str(one["To"]), str(one["Subject"])) for one in mail.mailbox.letters.values())
    assert set(letters.values()) == {1}
    assert len(letters) == 3 * len(told) + 3
