"""Every setting, said once: its name, default, what it does and what it may be; read from the environment.

`flask handbook` writes docs/settings.md and .env.example from this table. To add a setting, add its line.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from marketplace.core.ops import setting_forms, setting_rules
from marketplace.core.ops.settings import (
    ConfigurationError,
    Group,
    choice,
    choices,
    days,
    misspelt,
    read,
    seconds,
    secret,
    size,
    switch,
    text,
    whole,
    words,
)

ROOT = Path(__file__).parent
INSECURE_SECRET = setting_rules.INSECURE_SECRET
MIB = 1024 * 1024
FRONT_ENDS = tuple(f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (3000, 5173))
PROVIDERS = ("fake", "stripe", "paypal")

GROUPS = (
    Group(
        "Application",
        choice(
            "MARKETPLACE_ENV",
            "development",
            "production refuses whatever is unsafe",
            key="ENVIRONMENT",
            among=("development", "testing", "production"),
        ),
        secret(
            "SECRET_KEY",
            "signs and derives; production needs at least 32 random characters",
            shown="a known one; none in production",
        ),
        secret("JWT_SECRET_KEY", "signs tokens; changing it signs everybody out", shown="`SECRET_KEY`"),
        text("SITE_NAME", "Marketplace", "shown in authenticators and on receipts, and signs mails"),
        text(
            "SITE_URL",
            "http://localhost:5173",
            "the front end; links in mails lead there",
            form=setting_forms.web_address,
        ),
        text(
            "API_URL",
            "http://localhost:5000",
            "this application seen from outside; the way out of mails leads there",
            form=setting_forms.web_address,
        ),
        text("SITE_ADDRESS", "", "the address of the marketplace that stands on receipts", form=None),
    ),
    Group(
        "Server",
        text(
            "HOST",
            "127.0.0.1",
            "where `make run` listens: an address of this machine, IPv4 or IPv6",
            form=setting_forms.host,
        ),
        whole("PORT", 5000, "the port `make run` listens on", least=1, most=65_535),
        whole(
            "THREADS",
            8,
            "request threads a process; the database pool has a connection for each, and four for the background",
            least=1,
            most=1000,
        ),
        size("MAX_BODY_BYTES", MIB, "larger bodies are a 413", key="MAX_CONTENT_LENGTH"),
        whole(
            "TRUSTED_PROXIES",
            0,
            "how many proxies stand in front and may say who the client is; 0 believes no header",
            most=10,
        ),
        words(
            "CORS_ORIGINS",
            FRONT_ENDS,
            "comma-separated addresses of front ends; production has no default and refuses `*`",
            production=[],
            form=setting_forms.origin,
            shown="localhost:3000 and :5173; none in production",
        ),
        words(
            "OUTGOING_ALLOWED",
            (),
            "`host:port` pairs that outgoing requests may reach although they are private",
            form=setting_forms.hosts_and_ports,
        ),
        switch("LOG_JSON", False, "one JSON object a line", production=True),
        choice(
            "LOG_LEVEL",
            "INFO",
            "one line a request: request id, route, status, milliseconds, actor",
            among=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
        ),
        secret(
            "METRICS_TOKEN",
            "`/metrics` answers to whoever sends it as Bearer, nobody without one; production wants 16 characters",
        ),
    ),
    Group(
        "Database, Redis and background work",
        text(
            "DATABASE_URL",
            "",
            "`postgres://`, `postgresql://` or `sqlite:///…`; production wants Postgres",
            form=setting_forms.database_address,
            is_secret=True,
            shown="SQLite in `instance/`",
        ),
        switch("ALLOW_SQLITE", False, "1 lets production run on SQLite"),
        text(
            "REDIS_URL",
            "",
            "rate limits counted across processes, workers, sockets; a lost Redis falls back to memory",
            form=setting_forms.redis_address,
            is_secret=True,
            shown="memory",
        ),
        choice(
            "JOBS",
            "embedded",
            "`embedded`: a thread of the web process; `celery`: workers, told over `REDIS_URL`, see [jobs](jobs.md)",
            among=("embedded", "celery"),
        ),
        whole(
            "PUBLIC_CACHE_SECONDS",
            1,
            "how long proxies and browsers may keep what is asked without a token, see [caching](caching.md)",
            most=86_400,
        ),
        whole(
            "LIST_CACHE_SECONDS",
            10,
            "how long the first pages of lists are kept for strangers; 0 switches it off",
            most=86_400,
        ),
    ),
    Group(
        "Chat",
        choice(
            "SOCKETS",
            "threading",
            "where the chat's sockets are: in threads here, in a `gevent` process, or `elsewhere`, see [chat](chat.md)",
            among=("threading", "gevent", "elsewhere"),
        ),
        whole(
            "SOCKET_THREADS",
            200,
            "how many sockets `make run` has room for beside its requests: each holds a thread while it is open",
            most=20_000,
        ),
        text(
            "SOCKET_INSTANCE",
            "",
            "names a process with sockets: the proxy finds it in a session's id, see [deployment](deployment.md)",
            form=setting_forms.instance_name,
        ),
        switch(
            "CHAT_NEEDS_PLAN",
            False,
            "1: who writes to a freelancer first needs a plan that unlocks `start_conversations`",
        ),
        text(
            "CONTENT_RULES",
            "",
            "a file of rules for what may be written, see [content filter](content-filter.md)",
            shown="`marketplace/content_filter/rules.toml`",
        ),
    ),
    Group(
        "Signing in",
        whole(
            "ACCESS_TOKEN_MINUTES",
            60,
            "life of an access token",
            least=1,
            most=525_600,
            key="JWT_ACCESS_TOKEN_EXPIRES",
            times=60,
        ),
        days(
            "REFRESH_TOKEN_DAYS", 30, "life of a refresh token", least=1, key="JWT_REFRESH_TOKEN_EXPIRES", times=86_400
        ),
        switch(
            "REGISTRATION_HIDES_ACCOUNTS",
            False,
            "1: registering answers 202 without tokens for every address; a letter follows: [accounts](accounts.md)",
        ),
        switch(
            "COOKIE_SIGN_IN",
            False,
            "1: browsers may sign in by cookies (header `X-Sign-In: cookie`), see [accounts](accounts.md)",
        ),
        switch("COOKIE_SECURE", False, "cookies travel over TLS only; production refuses 0", production=True),
        choice("COOKIE_SAME_SITE", "Lax", "`None` needs `COOKIE_SECURE`", among=("Lax", "Strict", "None")),
        text(
            "PASSWORD_METHOD",
            "scrypt",
            "Werkzeug's name of the hash; production refuses what is cheap to guess",
            form=setting_forms.password_hash,
        ),
        words(
            "ENCRYPTION_KEYS",
            (),
            "comma-separated; the first encrypts, all decrypt (`flask encryption new-key`): [accounts](accounts.md)",
            form=setting_forms.encryption_keys,
            is_secret=True,
            shown="one made of `SECRET_KEY`; none in production",
        ),
        whole(
            "STEP_UP_MINUTES", 15, "how long a proof (password or code) counts for what hurts", least=1, most=525_600
        ),
        text(
            "SECURITY_RULES",
            "",
            "a file of rules for what makes a sign-in suspicious",
            shown="`marketplace/auth/sign_in_risk/rules.toml`",
        ),
        text("GEOIP_DATABASE", "", "an mmdb file (cities or countries) that places addresses, for those rules"),
    ),
    Group(
        "Limits",
        switch("RATE_LIMITS", True, "0 switches all limits off; production refuses that", key="RATELIMIT_ENABLED"),
        text(
            "LIMIT_DEFAULT",
            "1200 per minute",
            "a person, or an address where nobody is signed in, and route",
            form=setting_forms.limit,
        ),
        text("LIMIT_SIGN_IN", "30 per minute", "an address, on log in and what is near it", form=setting_forms.limit),
        text("LIMIT_SIGN_UP", "20 per hour", "an address, on register", form=setting_forms.limit),
        text(
            "LIMIT_ACCOUNT",
            "20 per 15 minutes",
            "an account, on log in, from whatever addresses",
            form=setting_forms.limit,
        ),
        text(
            "LIMIT_CODES",
            "20 per 10 minutes",
            "a person or address, on what sends or takes codes",
            form=setting_forms.limit,
        ),
        text("LIMIT_MESSAGES", "20 per second;600 per 10 minutes", "messages of one person", form=setting_forms.limit),
        text(
            "LIMIT_MESSAGES_EACH",
            "10 per second;200 per 5 minutes",
            "messages of one person to one conversation",
            form=setting_forms.limit,
        ),
        text(
            "LIMIT_WEBHOOKS", "12000 per minute", "an address, on what payment providers send", form=setting_forms.limit
        ),
        text("LIMIT_API_KEY", "600 per minute", "an API key", form=setting_forms.limit),
        whole("API_KEY_REQUESTS_A_DAY", 50_000, "an API key in a day (UTC)", least=1),
        whole("SMS_PER_10_MINUTES", 3, "codes to one number in 10 minutes"),
        whole("SMS_PER_DAY", 10, "codes to one number, and to one person, in a day"),
        whole("SMS_PER_HOUR_IN_ALL", 500, "codes to all together in an hour"),
    ),
    Group(
        "Files",
        text("UPLOADS_DIR", "", "where files lie without a bucket, see [files](files.md)", shown="`instance/uploads`"),
        size("UPLOAD_MAX_BYTES", 5 * MIB, "how large one picture may be"),
        size("UPLOAD_MAX_FILE_BYTES", 20 * MIB, "how large one private file that is no picture may be"),
        size("UPLOAD_QUOTA_BYTES", 500 * MIB, "how large all files of a person may be together"),
        whole("UPLOAD_QUOTA_FILES", 5000, "how many files a person may have", least=1),
        days("UPLOAD_ORPHAN_DAYS", 7, "files that nothing shows go after this", least=1),
        text("UPLOADS_BASE_URL", "", "a CDN in front of the bucket's `public/`", form=setting_forms.web_address),
        text("S3_BUCKET", "", "a bucket of S3 or anything compatible"),
        text("S3_REGION", "", "the region of the bucket"),
        text(
            "S3_ENDPOINT_URL",
            "",
            "the address of the bucket's service, for anything but AWS",
            form=setting_forms.web_address,
        ),
        secret("S3_ACCESS_KEY", "opens the bucket; without it the machine's role does"),
        secret("S3_SECRET_KEY", "belongs to `S3_ACCESS_KEY`"),
    ),
    Group(
        "Mail, web push and SMS",
        text(
            "SMTP_HOST",
            "",
            "mail; without a host `flask messages` shows it, see [notifications](notifications.md)",
            form=setting_forms.host,
        ),
        whole("SMTP_PORT", 587, "the port of the mail server", least=1, most=65_535),
        text("SMTP_USER", "", "who signs in to the mail server"),
        secret("SMTP_PASSWORD", "the password of `SMTP_USER`"),
        choice(
            "SMTP_SECURITY",
            "starttls",
            "how the connection to the mail server is encrypted",
            among=("starttls", "tls", "none"),
        ),
        seconds("SMTP_TIMEOUT", 10.0, "how many seconds each step of sending a mail may take", least=0.1, most=600),
        text(
            "MAIL_FROM",
            "no-reply@localhost",
            "the sender of mails; without a name before the address it is SITE_NAME",
            form=setting_forms.sender,
        ),
        text(
            "SUPPORT_EMAIL",
            "",
            "where people write to about a dispute; empty: the address of `MAIL_FROM`",
            form=setting_forms.sender,
        ),
        secret(
            "VAPID_PRIVATE_KEY",
            "web push; `flask vapid-key` makes a key",
            form=setting_forms.vapid_key,
            shown="one made of `SECRET_KEY`",
        ),
        text("VAPID_CONTACT", "mailto:admin@localhost", "whom push services write to", form=setting_forms.contact),
        text("TWILIO_ACCOUNT_SID", "", "the account that sends SMS; without one `flask messages` shows them"),
        secret("TWILIO_AUTH_TOKEN", "belongs to `TWILIO_ACCOUNT_SID`"),
        text("TWILIO_FROM", "", "the number or the sender that SMS come from"),
        text("TWILIO_API_URL", "", "another address than Twilio's", form=setting_forms.web_address),
    ),
    Group(
        "Money",
        choices(
            "PAYMENT_PROVIDERS",
            ("fake",),
            "comma-separated, the first is the default; `fake` takes no money, see [payments](payments.md)",
            production=[],
            among=PROVIDERS,
        ),
        switch(
            "ALLOW_FAKE_PAYMENTS",
            False,
            "1 lets production run on `fake` alone, to be looked at; beside others it never may",
        ),
        words(
            "FAKE_FAULTS",
            (),
            "what the fake provider does wrong, each once: `capture=answer lost,refund=down`",
            form=setting_forms.fault,
        ),
        whole("FAKE_SETTLEMENT_DAYS", 0, "days until what the fake provider captured can be paid out", least=0),
        secret("STRIPE_SECRET_KEY", "the key of your Stripe account"),
        text("STRIPE_PUBLISHABLE_KEY", "", "what the front end shows to Stripe"),
        secret("STRIPE_WEBHOOK_SECRET", "proves that Stripe sent what comes to its webhook"),
        text("STRIPE_API_URL", "", "another address than Stripe's", form=setting_forms.web_address),
        text("PAYPAL_CLIENT_ID", "", "the application in your PayPal account"),
        secret("PAYPAL_CLIENT_SECRET", "belongs to `PAYPAL_CLIENT_ID`"),
        text("PAYPAL_WEBHOOK_ID", "", "proves that PayPal sent what comes to its webhook"),
        text(
            "PAYPAL_API_URL",
            "",
            "another address than PayPal's; its sandbox is at `https://api-m.sandbox.paypal.com`",
            form=setting_forms.web_address,
        ),
        choice("TASK_PAYMENT", "outside", "how tasks are paid unless their owner says", among=("outside", "escrow")),
        choice(
            "ESCROW_HOLD",
            "acceptance",
            "whether the money is held when a worker is accepted or before the `start`",
            among=("acceptance", "start"),
        ),
        text(
            "FEE_RULES",
            "",
            "a file that says what the marketplace keeps",
            shown="`marketplace/payments/fees/fees.toml`",
        ),
        text(
            "PAYOUT_RULES",
            "",
            "a file that says which payouts somebody looks at first",
            shown="`marketplace/payments/payouts/risk.toml`",
        ),
        choice(
            "PAYOUT_SCHEDULE",
            "manual",
            "`daily`, `weekly` (Mondays) or `monthly` (the first), UTC",
            among=("manual", "daily", "weekly", "monthly"),
        ),
        text("PAYOUT_MINIMUM", "1", "the smallest payout, in whole units of each currency", form=setting_forms.amount),
        text(
            "PLANS_FILE",
            "",
            "a file of what people can subscribe to, see [plans](plans.md)",
            shown="`marketplace/payments/subscriptions/plans.toml`",
        ),
    ),
    Group(
        "Adverts and deals",
        days(
            "LISTING_DAYS",
            60,
            "how long a listing that names no end stays, and a renewal lasts; 0: for ever",
        ),
        days("REVIEW_WINDOW_DAYS", 14, "how long a review can be changed"),
        days(
            "DISPUTE_RESPONSE_DAYS",
            3,
            "how long the other side of a dispute has to answer, see [disputes](disputes.md)",
        ),
        days("DISPUTE_APPEAL_DAYS", 3, "how long both sides have to appeal"),
    ),
)
SETTINGS = tuple(setting for group in GROUPS for setting in group.settings)


def load(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The settings of MARKETPLACE_ENV (development unless told); raises ConfigurationError."""
    given = environment_of_process() if environment is None else environment
    production = given.get("MARKETPLACE_ENV", "").strip().lower() == "production"
    settings, wrong = read(SETTINGS, given, production=production)
    _derive(settings)
    unsafe = (f"In production {sentence}" for sentence in setting_rules.unsafe(settings, given)) if production else ()
    found = [
        sentence
        for sentence in (*setting_rules.contradictions(settings), *unsafe)
        if not wrong.keys() & set(sentence.split())
    ]
    if wrong or found:
        raise ConfigurationError(*wrong.values(), *found)
    return settings


def environment_of_process() -> dict[str, str]:
    """What the process was given, over the file .env beside this one."""
    kept = {key: value for key, value in dotenv_values(ROOT / ".env").items() if value is not None}
    return {**kept, **os.environ}


def warnings(environment: Mapping[str, str] | None = None) -> list[str]:
    """Sentences about what is allowed, but hardly meant."""
    given = environment_of_process() if environment is None else environment
    return [*misspelt(SETTINGS, given), *setting_rules.hardly_meant(given)]


def _derive(settings: dict[str, Any]) -> None:
    """What follows from other settings."""
    settings["API_VERSION"] = "0.1.0"
    settings["SECRET_KEY"] = settings["SECRET_KEY"] or INSECURE_SECRET
    settings["JWT_SECRET_KEY"] = settings["JWT_SECRET_KEY"] or settings["SECRET_KEY"]
    settings["DATABASE_URL"] = settings["DATABASE_URL"] or f"sqlite:///{ROOT / 'instance' / 'marketplace.db'}"
    settings["UPLOADS_DIR"] = settings["UPLOADS_DIR"] or str(ROOT / "instance" / "uploads")
    settings["CORS_ORIGINS"] = [origin.lower() for origin in settings["CORS_ORIGINS"]]
    for name in ("SITE_URL", "API_URL", "UPLOADS_BASE_URL"):
        settings[name] = settings[name].rstrip("/")
