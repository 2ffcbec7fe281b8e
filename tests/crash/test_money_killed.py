"""Die at any commit or call to the payment provider, come back: no money is lost, none is moved twice."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import config
from tests.conftest import SETTINGS

ONCE = {"charges": 1, "refunds": 1, "payouts": 2, "releases": 3, "clawbacks": 1, "payees": 1}
# 40 less the 10 that went back, and two of three parts of a payment, 10 and 30; the first's receipt and note
ENDS = {"payments": 4, "not over": 0, "kept": 7000, "receipts": 2}


def how(url: str, folder: Path, every: int, **more: str) -> dict[str, Any]:
    """The process that dies."""
    (folder / "payouts.toml").write_text(RULES)
    settings = {**SETTINGS, "DATABASE_URL": url, "UPLOADS_DIR": str(folder / "files"), "THREADS": "4", **more}
    return {
        "args": [sys.executable, "-m", "tests.crash.money", str(every)],
        "cwd": config.ROOT,
        "env": {**os.environ, **settings, "PAYOUT_RULES": str(folder / "payouts.toml")},
        "text": True,
    }


def lives(url: str, folder: Path) -> list[dict[str, Any]]:
    """How it looked after each death."""
    every = int(os.environ.get("CRASH_EVERY", "20"))
    process = subprocess.run(**how(url, folder, every), capture_output=True, timeout=1800, check=False)
    assert process.returncode == 0, process.stderr[-3000:]
    told = [json.loads(line) for line in process.stdout.splitlines()]
    assert all(life["recovered"] for life in told), process.stderr[-3000:]
    return told


def test_killed_anywhere_no_money_is_lost_and_none_moves_twice(fresh_url: str, database: str, tmp_path: Path) -> None:
    began = time.monotonic()
    told = lives(fresh_url, tmp_path)
    print(f"{database}: {len(told)} deaths, the last at step {told[-1]['step']}, {time.monotonic() - began:.0f} s")
    assert len(told) > 10
    for life in told:
        step = life["step"]
        assert life["findings"] == [], (step, life)
        assert set(life["left"].values()) == {0}, (step, life)
        assert life["moved"] == {**ONCE, **ENDS}, (step, life)
        assert (life["unknown"], life["keys"], life["wallet"]) == ([], [], 0), (step, life)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # it is the provider that forgets
def test_control_a_provider_that_forgets_keys_is_paid_twice_by_whoever_dies(fresh_url: str, tmp_path: Path) -> None:
    process = subprocess.Popen(**how(fresh_url, tmp_path, 3, KEYS_FORGOTTEN="1"), stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert any(life["unknown"] or life["findings"] for life in map(json.loads, process.stdout))
    finally:
        process.kill()
        process.wait()


RULES = """hold = 1000
[[rule]]
reason = "new"
fact = "new_account"
days = 7
score = 30
"""
