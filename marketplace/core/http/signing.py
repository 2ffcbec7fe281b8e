"""What is made of SECRET_KEY: signatures and digests, each for one purpose, so that none can stand for another."""

import hashlib
import hmac

from itsdangerous import Signer, URLSafeSerializer

from marketplace.core.ops import current_settings


def signer(purpose: str) -> Signer:
    """Signs bytes; checks with `verify_signature`."""
    return Signer(current_settings.text("SECRET_KEY"), salt=purpose)


def serializer(purpose: str) -> URLSafeSerializer:
    """Signs values into a text for addresses; `loads` raises BadSignature."""
    return URLSafeSerializer(current_settings.text("SECRET_KEY"), salt=purpose)


def digest(purpose: str, said: str) -> bytes:
    """32 bytes by which something secret is found again; whoever has only the table cannot try them all."""
    return hmac.digest(current_settings.text("SECRET_KEY").encode(), f"{purpose}:{said}".encode(), "sha256")


def derived_key(purpose: str) -> bytes:
    """32 bytes for a keyed digest of one's own."""
    return hashlib.sha256(f"{purpose}:{current_settings.text('SECRET_KEY')}".encode()).digest()
