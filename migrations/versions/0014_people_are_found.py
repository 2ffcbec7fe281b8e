"""Search finds people who offer to help; the place of a listing is compared folded.

`flask reindex` fills both for the rows that were there.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LONG_ENOUGH = "length({word}) BETWEEN 3 AND 40"
DOCUMENT = "to_tsvector('simple'::regconfig, search_text)"


def upgrade() -> None:
    op.add_column("users", sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
    op.add_column("listings", sa.Column("location_key", sa.Text(), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "sqlite":
        for statement in _sqlite():
            op.execute(statement)
        return
    for statement in _postgres():
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("words_insert", "words_update", "search_insert", "search_update", "search_delete"):
            op.execute(f"DROP TRIGGER users_{name}")
        op.execute("DROP TABLE users_search")
    else:
        op.execute("DROP TRIGGER users_words ON users")
        op.execute("ALTER TABLE users DROP COLUMN search_vector")
    op.drop_column("listings", "location_key")
    op.drop_column("users", "search_text")


def _postgres() -> list[str]:
    return [
        f"ALTER TABLE users ADD COLUMN search_vector tsvector GENERATED ALWAYS AS ({DOCUMENT}) STORED",
        "CREATE INDEX ix_users_search ON users USING gin (search_vector) WITH (fastupdate = off)",
        "CREATE TRIGGER users_words AFTER INSERT OR UPDATE OF search_text ON users"
        " FOR EACH ROW EXECUTE FUNCTION learn_words()",
    ]


def _sqlite() -> list[str]:
    add = "INSERT INTO users_search(rowid, search_text) VALUES (new.id, new.search_text);"
    take = "INSERT INTO users_search(users_search, rowid, search_text) VALUES ('delete', old.id, old.search_text);"
    return [
        "CREATE VIRTUAL TABLE users_search USING fts5(search_text, content='users', content_rowid='id', prefix='2 3')",
        f"CREATE TRIGGER users_search_insert AFTER INSERT ON users BEGIN {add} END",
        f"CREATE TRIGGER users_search_delete AFTER DELETE ON users BEGIN {take} END",
        f"CREATE TRIGGER users_search_update AFTER UPDATE OF search_text ON users BEGIN {take} {add} END",
        f"CREATE TRIGGER users_words_insert AFTER INSERT ON users BEGIN {_learn()}; END",
        f"CREATE TRIGGER users_words_update AFTER UPDATE OF search_text ON users BEGIN {_learn()}; END",
        "INSERT INTO users_search(users_search) VALUES ('rebuild')",
    ]


def _learn() -> str:
    """The text is folded words with single spaces, so it becomes a JSON list by its spaces alone."""
    words = "json_each('[\"' || replace(new.search_text, ' ', '\",\"') || '\"]')"
    return (
        f"INSERT OR IGNORE INTO known_words (word) SELECT DISTINCT value FROM {words}"
        f" WHERE {LONG_ENOUGH.format(word='value')} AND value GLOB '*[^0-9]*'"
    )
