"""An e-mail address is kept in the one spelling it is compared in.

Two accounts whose addresses turn out to be one mailbox both stay: the one that keeps its address as it is has it, and
the other is named, for somebody to decide; its owner signs in by the username.

Revision ID: 0024
Revises: 0023
"""

import click
import sqlalchemy as sa
from alembic import op

from marketplace.kit.normalization import email_address

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

USERS = sa.table("users", sa.column("id"), sa.column("email"))
TOKENS = sa.table("mail_tokens", sa.column("id"), sa.column("email"))


def upgrade() -> None:
    connection = op.get_bind()
    owners = {}
    odd = _odd(connection, USERS)
    for row in odd:
        found = connection.execute(sa.select(USERS.c.id).where(USERS.c.email == email_address(row.email))).first()
        owners[email_address(row.email)] = found.id if found else None
    for row in odd:
        _respell(connection, row, owners)
    for row in _odd(connection, TOKENS):
        connection.execute(sa.update(TOKENS).where(TOKENS.c.id == row.id).values(email=email_address(row.email)))


def downgrade() -> None:
    """The spelling somebody once typed is not known any more, and every version reads this one."""


def _respell(connection: sa.Connection, row: sa.Row, owners: dict[str, int | None]) -> None:
    spelling = email_address(row.email)
    owner_id = owners[spelling]
    if owner_id is not None:
        click.echo(
            f"User {row.id} has the same mailbox as user {owner_id}, spelt differently. Both stay; user {row.id} signs in"
            " by the username until one of them has another address."
        )
        return
    owners[spelling] = row.id
    connection.execute(sa.update(USERS).where(USERS.c.id == row.id).values(email=spelling))


def _odd(connection: sa.Connection, table: sa.TableClause) -> list[sa.Row]:
    """Rows whose spelling may be another than the normal one: letters beyond ASCII, capitals, punycode."""
    email = table.c.email
    octets = sa.func.octet_length(email)
    if connection.dialect.name == "sqlite":
        octets = sa.func.length(sa.cast(email, sa.LargeBinary))
    unusual = sa.or_(octets != sa.func.length(email), email != sa.func.lower(email), email.contains("xn--"))
    rows = connection.execute(sa.select(table.c.id, email).where(unusual).order_by(table.c.id)).all()
    return [row for row in rows if row.email != email_address(row.email)]
