"""Password hashing, in the normal form of the text; slow on purpose, so few at a time and never while a database
connection is held.

Apart from the rooms: cryptography without tables.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.security import check_password_hash, generate_password_hash

from marketplace.core.database.bulkhead import Bulkhead
from marketplace.core.database.db import release_connection
from marketplace.core.ops import current_settings
from marketplace.kit import normalization
from marketplace.kit.errors import Busy

PATIENCE = 20.0  # seconds in the queue; proxies wait for thirty
AT_ONCE = min(2 * (os.cpu_count() or 1), 16)  # two a processor, to get our share beside others; each takes 32 MB
_hashing = Bulkhead(AT_ONCE)


def make(password: str) -> str:
    """A salted hash of the password's normal form, by the configured method; raises Busy (503)."""
    with _one_of_few():
        return generate_password_hash(normalization.password(password), method=current_settings.text("PASSWORD_METHOD"))


def matching_form(password_hash: str, password: str) -> str | None:
    """The form of the password that the hash is of: the normal one, or as typed where the hash is an old one; None
    where neither fits. How many hashes this takes depends on what was typed alone, never on whose account it is.
    Raises Busy (503)."""
    forms = dict.fromkeys((normalization.password(password), password))
    with _one_of_few():
        fitting = [form for form in forms if check_password_hash(password_hash, form)]
    return fitting[0] if fitting else None


def fits(password_hash: str, password: str) -> bool:
    """Whether it is the password; raises Busy (503)."""
    return matching_form(password_hash, password) is not None


@contextmanager
def _one_of_few() -> Iterator[None]:
    release_connection()
    if not _hashing.enter(PATIENCE):
        raise Busy()
    try:
        yield
    finally:
        _hashing.leave()
