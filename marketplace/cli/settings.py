"""`flask settings`: what is in force and what is wrong with it; the pages that are written from the same table."""

import re
from typing import Any

import click
from rich.console import Console
from rich.table import Table

import config
from marketplace.core.ops.settings import SAME, Choice, ConfigurationError, Setting

HEAD = """# Settings

Written by `flask handbook` from the table in `config.py`.

Read once from the environment (and from `.env` beside `config.py`). Only settings differ between a laptop and
production; no code asks where it runs. An empty setting counts as not set. What cannot be is refused at the start,
a sentence for each setting, and so is in production what is unsafe. `flask settings` shows what is given, and what
is wrong with it.
"""
EXAMPLE_TAIL = """
## docker compose alone
# The password of its Postgres, the ports of its nginx, and a folder with fullchain.pem and privkey.pem for TLS
# POSTGRES_PASSWORD=
# HTTP_PORT=5000
# HTTPS_PORT=5443
# TLS_FOLDER=./deploy/tls
"""
EXAMPLE_HEAD = """# Every setting, with its default. Copy to .env, or set them in the environment; what is empty
# is not set. docs/settings.md says more. Written by `flask handbook` from the table in config.py.
"""


@click.command("settings")
def settings_command() -> None:
    """Show each setting that is given, and what is wrong."""
    given = config.environment_of_process()
    table = Table("setting", "value", "what it does")
    for setting in config.SETTINGS:
        if value := given.get(setting.name, "").strip():
            table.add_row(setting.name, "***" if setting.is_secret else value, _plain(setting.about))
    if table.row_count:
        Console().print(table)
    else:
        click.echo("Nothing is set: every setting has its default (docs/settings.md).")
    for sentence in config.warnings(given):
        click.echo(f"Warning: {sentence}", err=True)
    try:
        config.load(given)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from None


def settings_page() -> str:
    """docs/settings.md."""
    return HEAD + "".join(_section(group.title, group.settings) for group in config.GROUPS)


def settings_example() -> str:
    """.env.example: what differs in production stays empty, so that a copy is right there too."""
    return (
        EXAMPLE_HEAD
        + "".join(
            f"\n## {group.title}\n" + "".join(_example(setting) for setting in group.settings)
            for group in config.GROUPS
        )
        + EXAMPLE_TAIL
    )


def _section(title: str, settings: tuple[Setting, ...]) -> str:
    rows = (f"| `{one.name}` | {_default(one)} | {one.about}{_bounds(one)} |\n" for one in settings)
    return f"\n## {title}\n\n| setting | default | what it does |\n| --- | --- | --- |\n" + "".join(rows)


def _default(setting: Setting) -> str:
    if setting.shown:
        return setting.shown
    text = _cell(setting.default)
    if setting.production is SAME or setting.production == setting.default:
        return text
    return f"{text} ({_cell(setting.production)} in production)"


def _cell(value: Any) -> str:
    text = _written(value)
    return text if text.isdecimal() else f"`{text}`" if text else "none"


def _bounds(setting: Setting) -> str:
    """Choices and ranges, where the form says them."""
    if isinstance(setting.validate, Choice):
        return f"; {', '.join(f'`{word}`' for word in setting.validate.among)}"
    return f"; from {setting.must_be.partition(' from ')[2]}" if setting.kind in {"int", "float"} else ""


def _example(setting: Setting) -> str:
    differs = setting.production is not SAME or setting.is_secret
    return f"{_comment(setting)}{setting.name}={'' if differs else _written(setting.default)}\n"


def _comment(setting: Setting) -> str:
    default = f" (unless set: {_plain(_default(setting))})" if setting.shown or setting.production is not SAME else ""
    return f"# {_plain(setting.about)[:1].upper()}{_plain(setting.about)[1:]}{default}\n"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return ",".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)


def _plain(markdown: str) -> str:
    return re.sub(r"\[[\w -]+\]\(([\w.-]+)\)", r"docs/\1", markdown)
