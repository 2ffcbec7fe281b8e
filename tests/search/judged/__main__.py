"""`python -m tests.search.judged`: how well the search finds what was meant, as a table, and where it does worst.

On SQLite; on Postgres with `python -m tests.servers postgres -- python -m tests.search.judged`."""

import os
import tempfile

import flask_migrate
from flask import Flask
from rich.console import Console
from rich.table import Table

import config
from tests.conftest import make_app
from tests.search.judged.measuring import Answer, mean, measure_set_a, measure_town

WORST, SHOWN = 10, 3


def main() -> None:
    """Measure each set and print."""
    console = Console(width=160, highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(os.environ.get("TEST_DATABASE_URL", f"sqlite:///{folder}/judged.db"))
        with app.app_context():
            flask_migrate.upgrade()
        answers = _measured(app)
    table = Table("set", "queries", "nDCG@10", title=app.config["SQLALCHEMY_DATABASE_URI"].partition(":")[0])
    for name, some in {**answers, "all": [one for each in answers.values() for one in each]}.items():
        table.add_row(name, str(len(some)), f"{mean(some):.3f}")
    console.print(table)
    for name, some in answers.items():
        console.print(_worst(name, some))


def _measured(app: Flask) -> dict[str, list[Answer]]:
    data = config.ROOT.parent / "shared" / "data" / "A"
    return {"town": measure_town(app), **({"set A": measure_set_a(app, data)} if data.is_dir() else {})}


def _worst(name: str, answers: list[Answer]) -> Table:
    table = Table("query", "nDCG", "came first", "was wanted", title=f"The worst of {name}", show_lines=True)
    for answer in sorted(answers, key=lambda one: one.score)[:WORST]:
        table.add_row(str(answer.query), f"{answer.score:.2f}", _told(answer.came), _told(answer.wanted))
    return table


def _told(titles: list[tuple[int, str]]) -> str:
    return "\n".join(f"{grade}  {title[:50]}" for grade, title in titles[:SHOWN])


if __name__ == "__main__":
    main()
