"""Passwords at rest: hashed in their normal form, compared in it."""

from flask import current_app
from werkzeug.security import check_password_hash, generate_password_hash

from marketplace.kit import normalization


def make(password: str) -> str:
    """Salted, by the configured method, of the normal form."""
    return generate_password_hash(normalization.password(password), method=current_app.config["PASSWORD_METHOD"])


def matching_form(password_hash: str, password: str) -> str | None:
    """The form of the password that the hash is of: the normal one, or as typed where the hash is an old one; None
    where neither fits. How many hashes this takes depends on what was typed alone, never on whose account it is."""
    forms = dict.fromkeys((normalization.password(password), password))
    fitting = [form for form in forms if check_password_hash(password_hash, form)]
    return fitting[0] if fitting else None


def fits(password_hash: str, password: str) -> bool:
    """Whether it is the password."""
    return matching_form(password_hash, password) is not None
