"""Search on SQLite: what is deleted leaves the index at once, not when its segments happen to be merged.

"optimize" keeps the words of deleted rows in a single segment, and where deeper levels were emptied before. Where
SQLite is older than 3.42 the option does not exist; the index is rebuilt after each erasure instead.
(https://sqlite.org/fts5.html, 6.12 The 'secure-delete' Configuration Option)

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TABLES = ("listings", "tasks", "offerings", "users")


def upgrade() -> None:
    _delete_at_once(True)


def downgrade() -> None:
    _delete_at_once(False)


def _delete_at_once(wanted: bool) -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    if connection.dialect.dbapi.sqlite_version_info < (3, 42):
        return
    for table in TABLES:
        index = f"{table}_search"
        op.execute(sa.text(f"INSERT INTO {index}({index}, rank) VALUES ('secure-delete', {int(wanted)})"))
        op.execute(sa.text(f"INSERT INTO {index}({index}) VALUES ('rebuild')"))
