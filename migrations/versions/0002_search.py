"""Full text: FTS5 tables kept by triggers on SQLite, GIN indexes on Postgres.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("listings", "tasks", "offerings")


def upgrade() -> None:
    for table in TABLES:
        make = _fts5 if op.get_bind().dialect.name == "sqlite" else _gin
        for statement in make(table):
            op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        if op.get_bind().dialect.name == "sqlite":
            for moment in ("insert", "delete", "update"):
                op.execute(f"DROP TRIGGER {table}_search_{moment}")
            op.execute(f"DROP TABLE {table}_search")
        else:
            op.execute(f"DROP INDEX ix_{table}_search")


def _gin(table: str) -> list[str]:
    # fastupdate: a pending list of some thousand inserts tripled the median of a search
    document = "to_tsvector('simple'::regconfig, search_text)"
    return [f"CREATE INDEX ix_{table}_search ON {table} USING gin ({document}) WITH (fastupdate = off)"]


def _fts5(table: str) -> list[str]:
    index = f"{table}_search"
    add = f"INSERT INTO {index}(rowid, search_text) VALUES (new.id, new.search_text);"
    take = f"INSERT INTO {index}({index}, rowid, search_text) VALUES ('delete', old.id, old.search_text);"
    return [
        f"CREATE VIRTUAL TABLE {index} USING fts5(search_text, content='{table}', content_rowid='id', prefix='2 3')",
        f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN {add} END",
        f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN {take} END",
        f"CREATE TRIGGER {index}_update AFTER UPDATE OF search_text ON {table} BEGIN {take} {add} END",
    ]
