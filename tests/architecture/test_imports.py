"""What a start loads: libraries that one gateway or one command needs are imported where they are used."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace.kit.lazy_module import lazy_module, not_installed

ROOT = Path(__file__).parents[2]
# Imported where they are used, by the one module named here; anything else is imported at the top.
LATE = {
    "alembic": "core/database/migrations.py",
    "boto3": "uploads/gateways/s3.py",
    "botocore": "uploads/gateways/s3.py",
    "celery": "core/queues/background.py",
    "email_validator": "auth/schemas.py",
    "flask_migrate": "core/database/migrations.py",
    "kombu": "core/queues/background.py",
    "markdown_it": "core/http/docs/guides.py",
    "phonenumbers": "auth/phone_numbers.py",
    "pywebpush": "notifications/gateways/push.py",
    "rapidfuzz": "core/lists/spelling_index.py",
    "requests": "notifications/gateways/sms.py",
    "twilio": "notifications/gateways/sms.py",
    "urllib3": "core/http/outgoing_requests.py",
    "zxcvbn": "auth/schemas.py",
}
ALSO = {("flask_migrate", "cli/database.py"), ("urllib3", "uploads/gateways/s3.py")}
NEVER_AT_START = {*LATE, "aiohttp", "fpdf", "stripe"}
COMMAND = "from flask.cli import cli\ncli.main(['--help'], standalone_mode=False)"
PRINT = "import sys\nprint('LOADED', *{name.partition('.')[0] for name in sys.modules})"


@pytest.mark.parametrize(
    "starting", ["import wsgi", COMMAND, "import marketplace.cli.audit"], ids=["wsgi", "flask", "cli"]
)
def test_a_start_loads_no_library_of_a_gateway(starting: str, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}", "FLASK_APP": "marketplace.app:create_app"}
    answer = subprocess.run(
        [sys.executable, "-c", f"{starting}\n{PRINT}"],
        cwd=ROOT,
        env={**os.environ, **settings, "JOBS": "embedded"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(answer.stdout.rpartition("LOADED")[2].split())
    assert "flask" in loaded
    assert loaded & NEVER_AT_START == set()


def test_what_is_imported_late_is_listed() -> None:
    late = {
        (str(call.args[0].value).partition(".")[0], str(path.relative_to(ROOT / "marketplace")))
        for path in (ROOT / "marketplace").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "lazy_module"
        if isinstance(call.args[0], ast.Constant)
    }
    assert late == {*LATE.items(), *ALSO}


def test_a_late_import_of_what_is_not_installed_fails_at_once() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        lazy_module("no_such_library.client")


def test_a_late_import_happens_when_something_of_it_is_asked_for() -> None:
    late = lazy_module("colorsys")
    sys.modules.pop("colorsys", None)
    assert late.hls_to_rgb(0, 0, 0) == (0, 0, 0)
    assert "colorsys" in sys.modules


def test_a_hidden_library_is_there_again_afterwards() -> None:
    sys.modules.pop("colorsys", None)
    with not_installed("colorsys", "json"), pytest.raises(ModuleNotFoundError):
        lazy_module("colorsys").hls_to_rgb(0, 0, 0)
    assert lazy_module("colorsys").hls_to_rgb(0, 0, 0) == (0, 0, 0)
    assert sys.modules["json"] is not None  # it was loaded before: that cannot be undone


def test_garbage_is_not_looked_for_while_the_application_loads() -> None:
    loading = "import gc, marketplace.cli.audit\nprint(gc.get_threshold()[0], gc.get_freeze_count())"
    loaded = "import gc, wsgi\nprint(gc.get_threshold()[0], gc.get_freeze_count() > 100_000)"
    said = [
        subprocess.run([sys.executable, "-c", one], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
        for one in (loading, loaded)
    ]
    assert said == [["1000000", "0"], ["700", "True"]]
