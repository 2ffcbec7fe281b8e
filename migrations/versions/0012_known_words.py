"""Search: the vector is stored with its row on Postgres; every word that is written is known by itself.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("listings", "tasks", "offerings")
DOCUMENT = "to_tsvector('simple'::regconfig, search_text)"
LONG_ENOUGH = "length({word}) BETWEEN 3 AND 40"
LEARN = f"""
CREATE FUNCTION learn_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO known_words (word)
  SELECT w FROM (SELECT DISTINCT unnest(string_to_array(NEW.search_text, ' ')) AS w) AS said
  WHERE {LONG_ENOUGH.format(word="w")} AND w ~ '\\D' AND NOT EXISTS (SELECT 1 FROM known_words k WHERE k.word = w)
  ORDER BY w ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "known_words",
        sa.Column("id", BIG, nullable=False),
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_words")),
        sa.UniqueConstraint("word", name=op.f("uq_known_words_word")),
        sqlite_autoincrement=True,
    )
    statements = _sqlite() if op.get_bind().dialect.name == "sqlite" else _postgres()
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {table}_words_insert")
            op.execute(f"DROP TRIGGER {table}_words_update")
        else:
            op.execute(f"DROP TRIGGER {table}_words ON {table}")
            op.execute(f"ALTER TABLE {table} DROP COLUMN search_vector")
            op.execute(f"CREATE INDEX ix_{table}_search ON {table} USING gin ({DOCUMENT}) WITH (fastupdate = off)")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION learn_words()")
    op.drop_table("known_words")


def _postgres() -> list[str]:
    # Computed with each look at a row, the vector cost 16 to 127 ms a search; stored it costs 3.
    made = [LEARN]
    for table in TABLES:
        made += [
            f"DROP INDEX ix_{table}_search",
            f"ALTER TABLE {table} ADD COLUMN search_vector tsvector GENERATED ALWAYS AS ({DOCUMENT}) STORED",
            f"CREATE INDEX ix_{table}_search ON {table} USING gin (search_vector) WITH (fastupdate = off)",
            f"CREATE TRIGGER {table}_words AFTER INSERT OR UPDATE OF search_text ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION learn_words()",
            f"INSERT INTO known_words (word) SELECT DISTINCT w FROM {table}, unnest(string_to_array(search_text, ' ')) w"
            f" WHERE {LONG_ENOUGH.format(word='w')} AND w ~ '\\D' ON CONFLICT DO NOTHING",
        ]
    return made


def _sqlite() -> list[str]:
    made = []
    for table in TABLES:
        for moment in ("INSERT", "UPDATE OF search_text"):
            name = f"{table}_words_{moment.split()[0].lower()}"
            learn = _learn("new.search_text")
            made.append(f"CREATE TRIGGER {name} AFTER {moment} ON {table} BEGIN {learn}; END")
        made.append(_learn(f"(SELECT group_concat(search_text, ' ') FROM {table})"))
    return made


def _learn(text: str) -> str:
    """The text is folded words with single spaces, so it becomes a JSON list by its spaces alone."""
    words = f"json_each('[\"' || replace(COALESCE({text}, ''), ' ', '\",\"') || '\"]')"
    return (
        f"INSERT OR IGNORE INTO known_words (word) SELECT DISTINCT value FROM {words}"
        f" WHERE {LONG_ENOUGH.format(word='value')} AND value GLOB '*[^0-9]*'"
    )
