"""Settings, each read from the environment once; `.env.example` names them all."""

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from limits import parse_many

ROOT = Path(__file__).parent
INSECURE_SECRET = "only-for-development-change-me-0123456789"
MIB = 1024 * 1024
LIMITS = (
    *("LIMIT_DEFAULT", "LIMIT_SIGN_IN", "LIMIT_SIGN_UP", "LIMIT_ACCOUNT", "LIMIT_CODES", "LIMIT_API_KEY"),
    *("LIMIT_WEBHOOKS", "LIMIT_MESSAGES", "LIMIT_MESSAGES_EACH"),
)
PLAIN_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?")
CHOICES = {
    "PAYMENT_PROVIDERS": ("fake", "stripe", "paypal"),
    "TASK_PAYMENT": ("outside", "escrow"),
    "ESCROW_HOLD": ("acceptance", "start"),
    "PAYOUT_SCHEDULE": ("manual", "daily", "weekly", "monthly"),
}
DAYS = ("DISPUTE_RESPONSE_DAYS", "DISPUTE_APPEAL_DAYS")
SOCKETS = ("threading", "gevent", "elsewhere")


class ConfigurationError(RuntimeError):
    """Production settings that are missing or unsafe, all named at once."""


def load(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The settings of MARKETPLACE_ENV (development unless told); raises ConfigurationError."""
    env = {**_dotenv(), **os.environ} if environment is None else environment
    mode = env.get("MARKETPLACE_ENV", "development")
    if mode not in {"development", "testing", "production"}:
        raise ConfigurationError(f"MARKETPLACE_ENV is {mode}; use development, testing or production.")
    settings = _settings(env, production=mode == "production")
    _refuse_nonsense(settings)
    if mode == "production":
        _refuse_unsafe(settings, env)
    return settings


def _settings(env: Mapping[str, str], *, production: bool) -> dict[str, Any]:
    database = env.get("DATABASE_URL") or f"sqlite:///{ROOT / 'instance' / 'marketplace.db'}"
    return {
        "API_VERSION": "0.1.0",
        "ENVIRONMENT": env.get("MARKETPLACE_ENV", "development"),
        "SECRET_KEY": env.get("SECRET_KEY", INSECURE_SECRET),
        "JWT_SECRET_KEY": env.get("JWT_SECRET_KEY") or env.get("SECRET_KEY", INSECURE_SECRET),
        "DATABASE_URL": database,
        "REDIS_URL": env.get("REDIS_URL", ""),
        "THREADS": int(env.get("THREADS", "8")),
        "MAX_CONTENT_LENGTH": int(env.get("MAX_BODY_BYTES", str(MIB))),
        "LOG_JSON": _yes(env.get("LOG_JSON", "1" if production else "0")),
        "LOG_LEVEL": env.get("LOG_LEVEL", "INFO").upper(),
        "REVIEW_WINDOW_DAYS": int(env.get("REVIEW_WINDOW_DAYS", "14")),
        "DISPUTE_RESPONSE_DAYS": int(env.get("DISPUTE_RESPONSE_DAYS", "3")),
        "DISPUTE_APPEAL_DAYS": int(env.get("DISPUTE_APPEAL_DAYS", "3")),
        "CONTENT_RULES": env.get("CONTENT_RULES", ""),
        "SITE_NAME": env.get("SITE_NAME", "Marketplace"),
        "SITE_URL": env.get("SITE_URL", "http://localhost:5173").rstrip("/"),
        "API_URL": env.get("API_URL", "http://localhost:5000").rstrip("/"),
        "JOBS": env.get("JOBS", "embedded"),
        "SOCKETS": env.get("SOCKETS", "threading"),
        "SOCKET_THREADS": int(env.get("SOCKET_THREADS", "200")),
        "SOCKET_INSTANCE": env.get("SOCKET_INSTANCE", ""),
        "METRICS_TOKEN": env.get("METRICS_TOKEN", ""),
        "LIST_CACHE_SECONDS": int(env.get("LIST_CACHE_SECONDS", "10")),
        "PUBLIC_CACHE_SECONDS": int(env.get("PUBLIC_CACHE_SECONDS", "1")),
        "OUTGOING_ALLOWED": _words(env.get("OUTGOING_ALLOWED", "")),
        **_trust_settings(env, production=production),
        **_file_settings(env),
        **_channel_settings(env),
        **_money_settings(env, production=production),
    }


def _trust_settings(env: Mapping[str, str], *, production: bool) -> dict[str, Any]:
    origins = env.get("CORS_ORIGINS", "" if production else "http://localhost:3000,http://localhost:5173")
    return {
        "JWT_ACCESS_TOKEN_EXPIRES": 60 * int(env.get("ACCESS_TOKEN_MINUTES", "60")),
        "JWT_REFRESH_TOKEN_EXPIRES": 86_400 * int(env.get("REFRESH_TOKEN_DAYS", "30")),
        "CORS_ORIGINS": _words(origins),
        "COOKIE_SIGN_IN": _yes(env.get("COOKIE_SIGN_IN", "0")),
        "COOKIE_SECURE": _yes(env.get("COOKIE_SECURE", "1" if production else "0")),
        "COOKIE_SAME_SITE": env.get("COOKIE_SAME_SITE", "Lax"),
        "TRUSTED_PROXIES": int(env.get("TRUSTED_PROXIES", "0")),
        "LIMIT_DEFAULT": env.get("LIMIT_DEFAULT", "1200 per minute"),
        "LIMIT_SIGN_IN": env.get("LIMIT_SIGN_IN", "30 per minute"),
        "LIMIT_SIGN_UP": env.get("LIMIT_SIGN_UP", "20 per hour"),
        "LIMIT_ACCOUNT": env.get("LIMIT_ACCOUNT", "20 per 15 minutes"),
        "LIMIT_CODES": env.get("LIMIT_CODES", "20 per 10 minutes"),
        "LIMIT_MESSAGES": env.get("LIMIT_MESSAGES", "20 per second;600 per 10 minutes"),
        "LIMIT_MESSAGES_EACH": env.get("LIMIT_MESSAGES_EACH", "10 per second;200 per 5 minutes"),
        "LIMIT_WEBHOOKS": env.get("LIMIT_WEBHOOKS", "12000 per minute"),
        "LIMIT_API_KEY": env.get("LIMIT_API_KEY", "600 per minute"),
        "API_KEY_REQUESTS_A_DAY": int(env.get("API_KEY_REQUESTS_A_DAY", "50000")),
        "RATELIMIT_ENABLED": _yes(env.get("RATE_LIMITS", "1")),
        "PASSWORD_METHOD": env.get("PASSWORD_METHOD", "scrypt"),
        "ENCRYPTION_KEYS": _words(env.get("ENCRYPTION_KEYS", "")),
        "STEP_UP_MINUTES": int(env.get("STEP_UP_MINUTES", "15")),
        "SECURITY_RULES": env.get("SECURITY_RULES", ""),
        "GEOIP_DATABASE": env.get("GEOIP_DATABASE", ""),
        "SMS_PER_10_MINUTES": int(env.get("SMS_PER_10_MINUTES", "3")),
        "SMS_PER_DAY": int(env.get("SMS_PER_DAY", "10")),
        "SMS_PER_HOUR_IN_ALL": int(env.get("SMS_PER_HOUR_IN_ALL", "500")),
    }


def _file_settings(env: Mapping[str, str]) -> dict[str, Any]:
    return {
        "UPLOADS_DIR": env.get("UPLOADS_DIR") or str(ROOT / "instance" / "uploads"),
        "UPLOADS_BASE_URL": env.get("UPLOADS_BASE_URL", "").rstrip("/"),
        "UPLOAD_MAX_BYTES": int(env.get("UPLOAD_MAX_BYTES", str(5 * MIB))),
        "UPLOAD_MAX_FILE_BYTES": int(env.get("UPLOAD_MAX_FILE_BYTES", str(20 * MIB))),
        "UPLOAD_QUOTA_BYTES": int(env.get("UPLOAD_QUOTA_BYTES", str(500 * MIB))),
        "UPLOAD_QUOTA_FILES": int(env.get("UPLOAD_QUOTA_FILES", "5000")),
        "UPLOAD_ORPHAN_DAYS": int(env.get("UPLOAD_ORPHAN_DAYS", "7")),
        "S3_BUCKET": env.get("S3_BUCKET", ""),
        "S3_REGION": env.get("S3_REGION", ""),
        "S3_ENDPOINT_URL": env.get("S3_ENDPOINT_URL", ""),
        "S3_ACCESS_KEY": env.get("S3_ACCESS_KEY", ""),
        "S3_SECRET_KEY": env.get("S3_SECRET_KEY", ""),
    }


def _channel_settings(env: Mapping[str, str]) -> dict[str, Any]:
    return {
        "MAIL_FROM": env.get("MAIL_FROM", "no-reply@localhost"),
        "SMTP_HOST": env.get("SMTP_HOST", ""),
        "SMTP_PORT": int(env.get("SMTP_PORT", "587")),
        "SMTP_USER": env.get("SMTP_USER", ""),
        "SMTP_PASSWORD": env.get("SMTP_PASSWORD", ""),
        "SMTP_SECURITY": env.get("SMTP_SECURITY", "starttls"),
        "SMTP_TIMEOUT": float(env.get("SMTP_TIMEOUT", "10")),
        "VAPID_PRIVATE_KEY": env.get("VAPID_PRIVATE_KEY", ""),
        "VAPID_CONTACT": env.get("VAPID_CONTACT", "mailto:admin@localhost"),
        "TWILIO_ACCOUNT_SID": env.get("TWILIO_ACCOUNT_SID", ""),
        "TWILIO_AUTH_TOKEN": env.get("TWILIO_AUTH_TOKEN", ""),
        "TWILIO_FROM": env.get("TWILIO_FROM", ""),
        "TWILIO_API_URL": env.get("TWILIO_API_URL", ""),
    }


def _money_settings(env: Mapping[str, str], *, production: bool) -> dict[str, Any]:
    return {
        "PAYMENT_PROVIDERS": _words(env.get("PAYMENT_PROVIDERS", "" if production else "fake")),
        "FAKE_FAULTS": _words(env.get("FAKE_FAULTS", "")),
        "STRIPE_SECRET_KEY": env.get("STRIPE_SECRET_KEY", ""),
        "STRIPE_PUBLISHABLE_KEY": env.get("STRIPE_PUBLISHABLE_KEY", ""),
        "STRIPE_WEBHOOK_SECRET": env.get("STRIPE_WEBHOOK_SECRET", ""),
        "STRIPE_API_URL": env.get("STRIPE_API_URL", ""),
        "PAYPAL_CLIENT_ID": env.get("PAYPAL_CLIENT_ID", ""),
        "PAYPAL_CLIENT_SECRET": env.get("PAYPAL_CLIENT_SECRET", ""),
        "PAYPAL_WEBHOOK_ID": env.get("PAYPAL_WEBHOOK_ID", ""),
        "PAYPAL_API_URL": env.get("PAYPAL_API_URL", ""),
        "TASK_PAYMENT": env.get("TASK_PAYMENT", "outside"),
        "ESCROW_HOLD": env.get("ESCROW_HOLD", "acceptance"),
        "FEE_RULES": env.get("FEE_RULES", ""),
        "PAYOUT_RULES": env.get("PAYOUT_RULES", ""),
        "PAYOUT_SCHEDULE": env.get("PAYOUT_SCHEDULE", "manual"),
        "PAYOUT_MINIMUM": env.get("PAYOUT_MINIMUM", "1"),
        "SITE_ADDRESS": env.get("SITE_ADDRESS", ""),
        "PLANS_FILE": env.get("PLANS_FILE", ""),
        "CHAT_NEEDS_PLAN": _yes(env.get("CHAT_NEEDS_PLAN", "0")),
    }


def _dotenv() -> dict[str, str]:
    return {key: value for key, value in dotenv_values(ROOT / ".env").items() if value is not None}


def _refuse_nonsense(settings: dict[str, Any]) -> None:
    """A limit that cannot be read would be no limit."""
    wrong = [f"{name} is no limit such as 30 per minute" for name in LIMITS if not _is_limit(settings[name])]
    if not all(map(_is_key, settings["ENCRYPTION_KEYS"])):
        wrong.append("ENCRYPTION_KEYS must hold keys (make one with: flask encryption new-key)")
    if settings["TRUSTED_PROXIES"] < 0:
        wrong.append("TRUSTED_PROXIES must be 0 or more")
    if settings["SOCKETS"] not in SOCKETS:
        wrong.append(f"SOCKETS must be one of {', '.join(SOCKETS)}")
    if settings["SOCKETS"] != "threading" and not settings["REDIS_URL"]:
        wrong.append("REDIS_URL must name a Redis for sockets outside this process")
    wrong += [f"{name} must be 0 or more" for name in DAYS if settings[name] < 0]
    for name, choices in CHOICES.items():
        if not set(_words(settings[name]) if isinstance(settings[name], str) else settings[name]) <= set(choices):
            wrong.append(f"{name} must be {' or '.join(choices)}")
    if not PLAIN_AMOUNT.fullmatch(settings["PAYOUT_MINIMUM"]):
        wrong.append("PAYOUT_MINIMUM must be an amount such as 10 or 2.50")
    if wrong:
        raise ConfigurationError("; ".join(wrong) + ".")


def _refuse_unsafe(settings: dict[str, Any], env: Mapping[str, str]) -> None:
    wrong = []
    for name in ("SECRET_KEY", "JWT_SECRET_KEY"):
        if settings[name] == INSECURE_SECRET or len(settings[name]) < 32:
            wrong.append(f"{name} must be set to at least 32 random characters")
    if not settings["ENCRYPTION_KEYS"]:
        wrong.append("ENCRYPTION_KEYS must hold a key (make one with: flask encryption new-key)")
    if settings["COOKIE_SAME_SITE"] not in {"Lax", "Strict", "None"}:
        wrong.append("COOKIE_SAME_SITE must be Lax, Strict or None")
    if settings["DATABASE_URL"].startswith("sqlite") and not _yes(env.get("ALLOW_SQLITE", "0")):
        wrong.append("DATABASE_URL must name a Postgres database (or say ALLOW_SQLITE=1)")
    if _yes(env.get("FLASK_DEBUG", "0")):
        wrong.append("FLASK_DEBUG must be off")
    if not settings["CORS_ORIGINS"]:
        wrong.append("CORS_ORIGINS must name the addresses of your front end")
    if settings["JOBS"] not in {"embedded", "celery"}:
        wrong.append("JOBS must be embedded or celery")
    if settings["JOBS"] == "celery" and not settings["REDIS_URL"]:
        wrong.append("REDIS_URL must name a Redis for JOBS=celery")
    local = [name for name in ("SITE_URL", "API_URL") if "//localhost" in settings[name]]
    if settings["SMTP_HOST"] and local:
        wrong.append(f"{' and '.join(local)} must be what readers of mails can reach")
    if settings["SMTP_HOST"] and settings["SMTP_SECURITY"] not in {"starttls", "tls", "none"}:
        wrong.append("SMTP_SECURITY must be starttls, tls or none")
    if wrong:
        raise ConfigurationError("This is production, and: " + "; ".join(wrong) + ".")


def _is_key(text: str) -> bool:
    """32 random bytes as Fernet writes them."""
    try:
        return len(base64.urlsafe_b64decode(text)) == 32
    except ValueError:
        return False


def _is_limit(text: str) -> bool:
    try:
        return bool(parse_many(text))
    except ValueError:
        return False


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _yes(value: str) -> bool:
    return value.strip().lower() in {"1", "true", "yes", "on"}
