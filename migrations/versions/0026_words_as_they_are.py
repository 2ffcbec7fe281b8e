"""Search: both indexes hold the words that the application made, not what a parser of theirs takes for words.

Vowel signs of Devanagari and Thai were no letters to either parser. `flask reindex` writes the rows that were there
as they are folded now. On Postgres the four tables are rewritten.

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLES = ("listings", "tasks", "offerings", "users")
# Everything but spaces belongs to a word. (https://sqlite.org/fts5.html, 4.3.1)
WHOLE = " tokenize=\"unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'\","
# A word has at most 2,046 bytes and a position at most 16,383. (PostgreSQL manual, 12.11 Limitations)
AS_THEY_ARE = """
CREATE FUNCTION words_as_they_are(said text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(string_agg(
    '''' || replace(replace(left(word, 500), '\\', '\\\\'), '''', '''''') || ''':' || least(place, 16383), ' '
  ), '')::tsvector
  FROM unnest(string_to_array(said, ' ')) WITH ORDINALITY AS words(word, place) WHERE word <> ''
$$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _sqlite(WHOLE)
        return
    op.execute(AS_THEY_ARE)
    _postgres("words_as_they_are(search_text)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _sqlite("")
        return
    _postgres("to_tsvector('simple'::regconfig, search_text)")
    op.execute("DROP FUNCTION words_as_they_are(text)")


def _sqlite(tokenizer: str) -> None:
    for table in TABLES:
        index = f"{table}_search"
        kept = f"content='{table}', content_rowid='id',{tokenizer} prefix='2 3'"
        op.execute(f"DROP TABLE {index}")
        op.execute(f"CREATE VIRTUAL TABLE {index} USING fts5(search_text, {kept})")
        op.execute(f"INSERT INTO {index}({index}) VALUES ('rebuild')")


def _postgres(document: str) -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN search_vector")
        op.execute(f"ALTER TABLE {table} ADD COLUMN search_vector tsvector GENERATED ALWAYS AS ({document}) STORED")
        op.execute(f"CREATE INDEX ix_{table}_search ON {table} USING gin (search_vector) WITH (fastupdate = off)")
