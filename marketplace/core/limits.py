"""Rate limits per person or address; figures are settings, counted in Redis or in memory."""

from flask import Flask, current_app, g
from flask_limiter import HeaderNames, Limiter
from flask_limiter.util import get_remote_address


def _who_asks() -> str:
    claims = g.get("claims")
    return f"user:{claims['sub']}" if claims else f"address:{get_remote_address()}"


limiter = Limiter(
    _who_asks,
    strategy="moving-window",
    headers_enabled=True,
    in_memory_fallback_enabled=True,
    header_name_mapping={
        HeaderNames.LIMIT: "RateLimit-Limit",
        HeaderNames.REMAINING: "RateLimit-Remaining",
        HeaderNames.RESET: "RateLimit-Reset",
    },
)


def init_app(app: Flask) -> None:
    """Read the figures; a lost Redis falls back to memory, it never opens the door."""
    app.config["RATELIMIT_STORAGE_URI"] = app.config["REDIS_URL"] or "memory://"
    app.config["RATELIMIT_DEFAULT"] = app.config["LIMIT_DEFAULT"]
    limiter.init_app(app)


def sign_in_figure() -> str:
    """For routes that check a password."""
    return str(current_app.config["LIMIT_SIGN_IN"])


sign_in_limit = limiter.limit(sign_in_figure, key_func=get_remote_address)
