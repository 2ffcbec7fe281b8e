"""Rate limits per person, key, account or address; figures are settings, counted in Redis or in memory.

Windows slide, and a request is counted in the step that checks it: a burst finds the limit, not more.
"""

from datetime import timedelta
from functools import cache

from flask import Flask, g, request
from flask_limiter import HeaderNames, Limiter, RequestLimit
from flask_limiter.errors import RateLimitExceeded
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from marketplace.core.http.response_headers import LIMITERS_RETRY
from marketplace.core.ops import current_settings, security_log
from marketplace.kit.clock import now
from marketplace.kit.errors import TooMany
from marketplace.kit.network import network_of

UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))


def _where() -> str:
    return network_of(get_remote_address())


def _note(limit: RequestLimit) -> None:
    security_log.record("rate_limited", route=request.endpoint, limit=str(limit.limit))


def _who_asks() -> str:
    claims = g.get("claims")
    return f"user:{claims['sub']}" if claims else f"address:{_where()}"


class PatientLimiter(Limiter):
    """Many requests may be on their way when Redis is lost: each goes on in memory, not only the first."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        try:
            super()._check_request_limit(callable_name, in_middleware)
        except RedisError:
            self.context.seen_limits.clear()
            super()._check_request_limit(callable_name, in_middleware)


limiter = PatientLimiter(
    _who_asks,
    strategy="moving-window",
    headers_enabled=True,
    in_memory_fallback_enabled=True,
    header_name_mapping={
        HeaderNames.LIMIT: "RateLimit-Limit",
        HeaderNames.REMAINING: "RateLimit-Remaining",
        HeaderNames.RESET: "RateLimit-Reset",
        HeaderNames.RETRY_AFTER: LIMITERS_RETRY,  # never sent
    },
)
_memory = MovingWindowRateLimiter(MemoryStorage())


def init_app(app: Flask) -> None:
    """Read the figures; a lost Redis falls back to memory, it never opens the door."""
    app.config["RATELIMIT_STORAGE_URI"] = app.config["REDIS_URL"] or "memory://"
    app.config["RATELIMIT_DEFAULT"] = app.config["LIMIT_DEFAULT"]
    limiter.init_app(app)
    app.register_error_handler(RateLimitExceeded, lambda error: app.handle_user_exception(_refused(error)))


def spend(what: str, who: str, setting: str) -> None:
    """Count one use of a limit that is not the route's, such as an account's; raises TooMany (429)."""
    _spend(what, who, current_settings.text(setting))


def spend_of_day(what: str, who: str, amount: int) -> None:
    """As `spend`, but `amount` a calendar day (UTC), which begins anew at midnight; raises TooMany (429)."""
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    _spend(what, f"{who}/{today.date()}", f"{amount} per day", (today + timedelta(days=1)).timestamp())


@cache
def _parsed(figure: str) -> list[RateLimitItem]:
    return parse_many(figure)


def _spend(what: str, who: str, figure: str, reset_at: float | None = None) -> None:
    if not limiter.enabled:
        return
    try:
        _hit(limiter.limiter, what, who, figure, reset_at)
    except RedisError:
        _hit(_memory, what, who, figure, reset_at)


def _hit(strategy: object, what: str, who: str, figure: str, reset_at: float | None) -> None:
    assert isinstance(strategy, MovingWindowRateLimiter)
    for item in _parsed(figure):
        if not strategy.hit(item, what, who):
            raise too_many(item, reset_at or strategy.get_window_stats(item, what, who).reset_time)


def _refused(error: RateLimitExceeded) -> TooMany:
    """Flask-Limiter's error about a route as our TooMany."""
    hit = limiter.current_limit
    return too_many(error.limit.limit, hit.reset_at if hit else now().timestamp() + 60)


def too_many(item: RateLimitItem, reset_at: float) -> TooMany:
    """The error with the limit in words; `reset_at` in seconds since 1970."""
    seconds = max(int(reset_at - now().timestamp()) + 1, 1)
    span = item.GRANULARITY.name if item.multiples == 1 else f"{item.multiples} {item.GRANULARITY.name}s"
    return TooMany(
        f"Too many requests: at most {item.amount:,} per {span}. Try again in {in_words(seconds)}.",
        retry_after=seconds,
    )


def in_words(seconds: int) -> str:
    """Seconds → "2 minutes", rounded up so that there is room by then."""
    size, unit = next((size, unit) for size, unit in UNITS if seconds > size or size == 1)
    amount = -(-seconds // size)
    return f"{amount} {unit}{'s' if amount > 1 else ''}"


def sign_in_figure() -> str:
    """LIMIT_SIGN_IN, for routes that check a password."""
    return current_settings.text("LIMIT_SIGN_IN")


def sign_up_figure() -> str:
    """LIMIT_SIGN_UP, for new accounts: a household or a school class, but no factory."""
    return current_settings.text("LIMIT_SIGN_UP")


def code_figure() -> str:
    """LIMIT_CODES, for routes that send or check a code."""
    return current_settings.text("LIMIT_CODES")


def webhook_figure() -> str:
    """LIMIT_WEBHOOKS, for what providers send: all their customers' events come from a few addresses."""
    return current_settings.text("LIMIT_WEBHOOKS")


webhook_limit = limiter.limit(webhook_figure, key_func=_where)
sign_in_limit = limiter.limit(sign_in_figure, key_func=_where, on_breach=_note)
sign_up_limit = limiter.limit(sign_up_figure, key_func=_where, on_breach=_note)
code_limit = limiter.limit(code_figure, key_func=_where, on_breach=_note)
