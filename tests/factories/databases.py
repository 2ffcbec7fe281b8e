"""A database of a test's own."""

from pathlib import Path

import psycopg


def empty_database(kind: str, urls: dict[str, str], folder: Path, name: str) -> str:
    """The address of an empty one of this kind; on Postgres one of this name is made anew."""
    if kind == "sqlite":
        return f"sqlite:///{folder / name}.db"
    server, _, ours = urls["postgres"].rpartition("/")
    with psycopg.connect(urls["postgres"], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{ours}_{name}"')
        connection.execute(f'CREATE DATABASE "{ours}_{name}"')
    return f"{server}/{ours}_{name}"
