"""How passwords are kept: slow on purpose, so a few at a time, and never with a connection in hand."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app
from werkzeug.security import check_password_hash, generate_password_hash

from marketplace.core.bulkhead import Bulkhead
from marketplace.core.db import release_connection
from marketplace.kit.errors import Busy

PATIENCE = 20.0  # seconds in the queue; proxies wait for thirty
AT_ONCE = min(2 * (os.cpu_count() or 1), 16)  # two a processor, to get our share beside others; each takes 32 MB
_hashing = Bulkhead(AT_ONCE)


def make(password: str) -> str:
    """Salted, by the configured method; raises Busy (503)."""
    with _one_of_few():
        return generate_password_hash(password, method=current_app.config["PASSWORD_METHOD"])


def fits(password_hash: str, password: str) -> bool:
    """Whether it is the hash of this password; raises Busy (503)."""
    with _one_of_few():
        return check_password_hash(password_hash, password)


@contextmanager
def _one_of_few() -> Iterator[None]:
    release_connection()
    if not _hashing.enter(PATIENCE):
        raise Busy()
    try:
        yield
    finally:
        _hashing.leave()
