"""What settings may not be together, what production refuses, and what is hardly meant; a sentence each."""

from collections.abc import Container, Iterator, Mapping
from typing import Any

from marketplace.core.ops import setting_forms

INSECURE_SECRET = "only-for-development-change-me-0123456789"
PROVIDER_KEYS = {
    "fake": (),
    "stripe": ("STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET"),
    "paypal": ("PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET", "PAYPAL_WEBHOOK_ID"),
}
SIGNS_IN = {"STRIPE_SECRET_KEY", "PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET"}  # without these nothing can be tried
TOGETHER = (  # where one of them is set, the others have to be
    ("SMTP_USER", "SMTP_PASSWORD"),
    ("S3_ACCESS_KEY", "S3_SECRET_KEY"),
    ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"),
)


def contradictions(settings: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about settings that cannot work together, or open the door to everybody, in any environment."""
    if settings["SOCKETS"] != "threading" and not settings["REDIS_URL"]:
        yield f"REDIS_URL must name a Redis for SOCKETS={settings['SOCKETS']}."
    if settings["JOBS"] == "celery" and not settings["REDIS_URL"]:
        yield "REDIS_URL must name a Redis for JOBS=celery."
    if settings["COOKIE_SIGN_IN"] and "*" in settings["CORS_ORIGINS"]:
        yield "CORS_ORIGINS must name each front end: with COOKIE_SIGN_IN, * lets every page act for whoever visits it."
    if settings["COOKIE_SAME_SITE"] == "None" and not settings["COOKIE_SECURE"]:
        yield "COOKIE_SECURE must be 1 for COOKIE_SAME_SITE=None: browsers refuse such cookies otherwise."
    if settings["ENVIRONMENT"] != "production":  # which needs more, and names it all at once
        yield from _missing_keys(settings, SIGNS_IN)
    for names in TOGETHER:
        missing = [name for name in names if not settings[name]]
        if 0 < len(missing) < len(names):
            given = " and ".join(name for name in names if settings[name])
            yield f"{' and '.join(missing)} must be set beside {given}."


def unsafe(settings: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[str]:
    """Sentences about what production refuses to start with."""
    yield from _unsafe_secrets(settings)
    yield from _unsafe_cookies(settings)
    yield from _missing_keys(settings)
    yield from _play_money(settings)
    if settings["FAKE_FAULTS"]:
        yield "FAKE_FAULTS must not be set: it makes payments go wrong, to try what happens then."
    if settings["DATABASE_URL"].startswith("sqlite") and not settings["ALLOW_SQLITE"]:
        yield "DATABASE_URL must name a Postgres database (or say ALLOW_SQLITE=1)."
    if given.get("FLASK_DEBUG", "").strip().lower() not in {"", "0", "false", "no"}:
        yield "FLASK_DEBUG must be off: its console runs whatever a visitor types."
    if not settings["CORS_ORIGINS"]:
        yield "CORS_ORIGINS must name the addresses of your front end."
    if "*" in settings["CORS_ORIGINS"]:
        yield "CORS_ORIGINS must not be *: name the addresses of your front end."
    if not settings["RATELIMIT_ENABLED"]:
        yield "RATE_LIMITS must not be 0: without limits passwords can be guessed; raise the LIMIT_ settings instead."
    if setting_forms.is_weak_hash(settings["PASSWORD_METHOD"]):
        yield "PASSWORD_METHOD is cheap to guess: use scrypt, or pbkdf2:sha256 with at least 600,000 rounds."
    local = [name for name in ("SITE_URL", "API_URL") if "//localhost" in settings[name]]
    if settings["SMTP_HOST"] and local:
        yield f"{' and '.join(local)} must be what readers of mails can reach."


def _missing_keys(settings: Mapping[str, Any], wanted: Container[str] | None = None) -> Iterator[str]:
    """Nobody is paid by a provider that does not know us, and nothing is known of it without its webhooks."""
    for provider in settings["PAYMENT_PROVIDERS"]:
        keys = [key for key in PROVIDER_KEYS.get(provider, ()) if wanted is None or key in wanted]
        missing = [key for key in keys if not settings[key]]
        if missing:
            yield f"{' and '.join(missing)} must be set for the payment provider {provider}."


def _play_money(settings: Mapping[str, Any]) -> Iterator[str]:
    """Sentences where the fake provider could be taken for one that takes money."""
    names = settings["PAYMENT_PROVIDERS"]
    if "fake" in names and len(names) > 1:
        yield "PAYMENT_PROVIDERS must not name fake, which takes no money, beside others."
    elif "fake" in names and not settings["ALLOW_FAKE_PAYMENTS"]:
        yield "PAYMENT_PROVIDERS names fake, which takes no money (or say ALLOW_FAKE_PAYMENTS=1)."


def _unsafe_secrets(settings: Mapping[str, Any]) -> Iterator[str]:
    own = settings["JWT_SECRET_KEY"] != settings["SECRET_KEY"]  # it is SECRET_KEY unless it is set
    for name in ("SECRET_KEY", "JWT_SECRET_KEY") if own else ("SECRET_KEY",):
        if len(settings[name]) < 32 or settings[name] == INSECURE_SECRET:
            yield f"{name} must be set to at least 32 random characters."
        elif setting_forms.is_weak_secret(settings[name]):
            yield f"{name} can be guessed: use random characters, such as those of `openssl rand -hex 32`."
    if not settings["ENCRYPTION_KEYS"]:
        yield "ENCRYPTION_KEYS must hold a key (make one with: flask encryption new-key)."
    elif any(map(setting_forms.is_weak_key, settings["ENCRYPTION_KEYS"])):
        yield "ENCRYPTION_KEYS holds a key that can be guessed (make one with: flask encryption new-key)."
    token = settings["METRICS_TOKEN"]
    if token and (len(token) < 16 or len(set(token)) < setting_forms.FEWEST_CHARACTERS):
        yield "METRICS_TOKEN must be at least 16 random characters."


def _unsafe_cookies(settings: Mapping[str, Any]) -> Iterator[str]:
    if not settings["COOKIE_SECURE"]:
        yield "COOKIE_SECURE must not be 0: tokens would travel where others on the way can read them."
    if settings["COOKIE_SIGN_IN"] and not settings["SITE_URL"].startswith("https://"):
        yield "SITE_URL must begin with https:// for COOKIE_SIGN_IN: browsers send these cookies over TLS only."


def hardly_meant(given: Mapping[str, str]) -> Iterator[str]:
    """Sentences about what is allowed but hardly meant; logged at the start."""
    is_open = given.get("SMTP_SECURITY", "").strip().lower() == "none" and given.get("SMTP_PASSWORD", "").strip()
    if is_open and not setting_forms.is_local(given.get("SMTP_HOST", "").strip()):
        yield "SMTP_SECURITY is none: SMTP_PASSWORD and every mail travel where others on the way can read them."
