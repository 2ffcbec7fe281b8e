"""The running application's settings by the names of config.py, each as the type that it is declared with."""

from datetime import timedelta
from pathlib import Path

from flask import current_app


def text(name: str) -> str:
    """A text, a choice or a secret; empty where it is not set."""
    return str(current_app.config[name])


def words(name: str) -> list[str]:
    """Several."""
    return list(current_app.config[name])


def switch(name: str) -> bool:
    """On or off."""
    return bool(current_app.config[name])


def whole(name: str) -> int:
    """A whole number; sizes are bytes."""
    return int(current_app.config[name])


def days(name: str) -> timedelta:
    """A number of days."""
    return timedelta(days=whole(name))


def path(name: str, shipped: Path) -> Path:
    """The file that a setting names, else the one that comes with the code."""
    return Path(text(name) or shipped)
