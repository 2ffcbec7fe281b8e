"""How connections to Postgres run their statements."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

FINDS_WORDS = " @@ "


def prepare(engine: Engine) -> None:
    """Statements that look for words are planned anew each time, with the words.

    Psycopg prepares what is run often, and Postgres then settles for one plan for all words: a rare one costs what a
    common one does (200 ms for 3). What is not prepared is planned each time, whatever pool stands between."""

    @event.listens_for(engine, "do_execute")
    def _run_unprepared(cursor: Any, statement: str, parameters: Any, _context: object) -> bool:
        if FINDS_WORDS not in statement:
            return False
        cursor.execute(statement, parameters, prepare=False)
        return True
