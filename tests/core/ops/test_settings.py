"""Settings: each that is wrong is a sentence, all at once; production refuses what is unsafe."""

import base64
import os
import secrets

import pytest
from cryptography.fernet import Fernet

import config
from config import ConfigurationError
from marketplace.core.ops import setting_forms as forms

SAFE = {
    "MARKETPLACE_ENV": "production",
    "SECRET_KEY": secrets.token_hex(32),
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "DATABASE_URL": "postgresql://localhost/x",
    "CORS_ORIGINS": "https://shop.example.com",
}
ZEROS = base64.urlsafe_b64encode(bytes(32)).decode()
COUNTED = base64.urlsafe_b64encode(bytes(range(32))).decode()
NONSENSE = [
    ("MARKETPLACE_ENV", "prod"),
    ("PORT", "99999"),
    ("PORT", "0"),
    ("PORT", "http"),
    ("HOST", "not a host"),
    ("HOST", "1:2:3"),
    ("THREADS", "many"),
    ("THREADS", "0"),
    ("THREADS", "8.5"),
    ("MAX_BODY_BYTES", "-1"),
    ("ACCESS_TOKEN_MINUTES", "0"),
    ("REFRESH_TOKEN_DAYS", "99999999999"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "1000"),
    ("DISPUTE_APPEAL_DAYS", "-3"),
    ("SMTP_TIMEOUT", "nan"),
    ("SMTP_TIMEOUT", "soon"),
    ("SMTP_PORT", "65536"),
    ("SMTP_HOST", "smtp://mail.example.com"),
    ("SMTP_SECURITY", "ssl"),
    ("LOG_LEVEL", "banana"),
    ("LOG_JSON", "maybe"),
    ("RATE_LIMITS", "2"),
    ("COOKIE_SAME_SITE", "Loose"),
    ("SITE_URL", "shop.example.com"),
    ("SITE_URL", "ftp://shop.example.com"),
    ("API_URL", "https://"),
    ("API_URL", "https://shop.example.com:99999"),
    ("S3_ENDPOINT_URL", "localhost:9000"),
    ("UPLOADS_BASE_URL", "//cdn.example.com"),
    ("DATABASE_URL", "nonsense"),
    ("DATABASE_URL", "mysql://localhost/x"),
    ("DATABASE_URL", "postgresql+psycopg2://localhost/x"),
    ("DATABASE_URL", "postgresql://localhost"),
    ("DATABASE_URL", "postgresql://localhost:port/x"),
    ("DATABASE_URL", "sqlite:///:memory:"),
    ("REDIS_URL", "localhost:6379"),
    ("REDIS_URL", "http://localhost:6379"),
    ("REDIS_URL", "redis://localhost:port"),
    ("REDIS_URL", "redis://localhost:6379/first"),
    ("JOBS", "threads"),
    ("SOCKETS", "eventlet"),
    ("SOCKET_INSTANCE", "a.b"),
    ("PASSWORD_METHOD", "md5"),
    ("PASSWORD_METHOD", "pbkdf2:sha257"),
    ("PASSWORD_METHOD", "pbkdf2:sha256:0"),
    ("PASSWORD_METHOD", "scrypt:1000:8:1"),
    ("MAIL_FROM", "Shop"),
    ("MAIL_FROM", "Shop <no-reply@shop.example.com>\nBcc: everybody@example.com"),
    ("VAPID_PRIVATE_KEY", "abc"),
    ("VAPID_PRIVATE_KEY", ZEROS),
    ("VAPID_CONTACT", "admin@localhost"),
    ("ENCRYPTION_KEYS", "not-a-key"),
    ("ENCRYPTION_KEYS", f"{COUNTED},short"),
    ("LIMIT_CODES", "some per minute"),
    ("LIMIT_DEFAULT", "100"),
    ("LIMIT_SIGN_IN", "0 per minute"),
    ("LIMIT_ACCOUNT", "1000000000 per second"),
    ("LIMIT_MESSAGES", "20 per second;1000001 per day"),
    ("PAYMENT_PROVIDERS", "fake,bitcoin"),
    ("TASK_PAYMENT", "inside"),
    ("PAYOUT_MINIMUM", "-1"),
    ("PAYOUT_MINIMUM", "ten"),
    ("OUTGOING_ALLOWED", "10.0.0.5"),
    ("CORS_ORIGINS", "shop.example.com"),
    ("CORS_ORIGINS", "null"),
    ("CORS_ORIGINS", "https://shop.example.com/path"),
    ("CORS_ORIGINS", r"https://.*\.example\.com"),
    ("CORS_ORIGINS", "https://*.example.com"),
    ("CORS_ORIGINS", "https://shop.example.com, https://(a|b).example.com"),
    ("CORS_ORIGINS", "https://me@shop.example.com"),
]
UNSAFE = [
    ({"SECRET_KEY": ""}, "SECRET_KEY must be set to at least 32 random characters."),
    ({"SECRET_KEY": "short"}, "SECRET_KEY must be set to at least 32 random characters."),
    ({"SECRET_KEY": config.INSECURE_SECRET}, "SECRET_KEY must be set to at least 32 random characters."),
    ({"SECRET_KEY": "a" * 64}, "SECRET_KEY can be guessed"),
    ({"SECRET_KEY": "changeme!" * 8}, "SECRET_KEY can be guessed"),
    ({"SECRET_KEY": "0123456789abcdef" * 4}, "SECRET_KEY can be guessed"),
    ({"SECRET_KEY": "My-Very-Own-Pass-Word-For-This-Shop"}, "SECRET_KEY can be guessed"),
    ({"JWT_SECRET_KEY": "b" * 40}, "JWT_SECRET_KEY can be guessed"),
    ({"ENCRYPTION_KEYS": ""}, "ENCRYPTION_KEYS must hold a key"),
    ({"ENCRYPTION_KEYS": ZEROS}, "ENCRYPTION_KEYS holds a key that can be guessed"),
    ({"ENCRYPTION_KEYS": COUNTED}, "ENCRYPTION_KEYS holds a key that can be guessed"),
    ({"ENCRYPTION_KEYS": f"{Fernet.generate_key().decode()},{'b' * 43}="}, "ENCRYPTION_KEYS holds a key"),
    ({"METRICS_TOKEN": "word"}, "METRICS_TOKEN must be at least 16 random characters."),
    ({"METRICS_TOKEN": "t" * 20}, "METRICS_TOKEN must be at least 16 random characters."),
    ({"CORS_ORIGINS": ""}, "CORS_ORIGINS must name the addresses of your front end."),
    ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS must not be *"),
    ({"CORS_ORIGINS": "https://shop.example.com,*"}, "CORS_ORIGINS must not be *"),
    ({"RATE_LIMITS": "0"}, "RATE_LIMITS must not be 0"),
    ({"COOKIE_SECURE": "0"}, "COOKIE_SECURE must not be 0"),
    ({"COOKIE_SIGN_IN": "1", "SITE_URL": "http://shop.example.com"}, "SITE_URL must begin with https://"),
    ({"PASSWORD_METHOD": "pbkdf2:sha256:1"}, "PASSWORD_METHOD is cheap to guess"),
    ({"PASSWORD_METHOD": "pbkdf2:sha1:9999999"}, "PASSWORD_METHOD is cheap to guess"),
    ({"PASSWORD_METHOD": "scrypt:2:1:1"}, "PASSWORD_METHOD is cheap to guess"),
    ({"DATABASE_URL": "sqlite:////tmp/x.db"}, "DATABASE_URL must name a Postgres database"),
    ({"DATABASE_URL": ""}, "DATABASE_URL must name a Postgres database"),
    ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG must be off"),
    ({"FAKE_FAULTS": "capture=down"}, "FAKE_FAULTS must not be set"),
    ({"SMTP_HOST": "mail.example.com"}, "SITE_URL and API_URL must be what readers of mails can reach."),
]
CONTRADICTIONS = [
    ({"SOCKETS": "gevent"}, "REDIS_URL must name a Redis for SOCKETS=gevent."),
    ({"JOBS": "celery"}, "REDIS_URL must name a Redis for JOBS=celery."),
    ({"COOKIE_SIGN_IN": "1", "CORS_ORIGINS": "*"}, "CORS_ORIGINS must name each front end"),
    ({"COOKIE_SAME_SITE": "none"}, "COOKIE_SECURE must be 1 for COOKIE_SAME_SITE=None"),
    ({"SMTP_USER": "shop"}, "SMTP_PASSWORD must be set beside SMTP_USER."),
    ({"S3_SECRET_KEY": "x"}, "S3_ACCESS_KEY must be set beside S3_SECRET_KEY."),
    ({"TWILIO_ACCOUNT_SID": "AC1"}, "TWILIO_AUTH_TOKEN and TWILIO_FROM must be set beside TWILIO_ACCOUNT_SID."),
]
RIGHT = [
    {"HOST": "::1", "PORT": "8080"},
    {"HOST": "[::]"},
    {"LOG_LEVEL": "debug", "LOG_JSON": "Yes"},
    {"CORS_ORIGINS": "https://Shop.example.com:8443, http://localhost:3000"},
    {"CORS_ORIGINS": "*"},
    {"DATABASE_URL": "postgres://u:p%40ss/w#rd@[::1]:5432/x?sslmode=require"},
    {"DATABASE_URL": "postgresql:///x?host=/run/postgresql"},
    {"REDIS_URL": "rediss://:p@cache.example.com:6380/1"},
    {"REDIS_URL": "unix:///run/redis.sock"},
    {"PASSWORD_METHOD": "pbkdf2:sha256:1"},
    {"MAIL_FROM": "no-reply@shop.example.com"},
    {"THREADS": " 12 "},
    dict.fromkeys((setting.name for setting in config.SETTINGS), ""),
]


def refusal(given: dict[str, str]) -> list[str]:
    """The sentences that are said of these settings."""
    with pytest.raises(ConfigurationError) as refused:
        config.load(given)
    return str(refused.value).splitlines()


@pytest.mark.parametrize(("name", "value"), NONSENSE)
def test_nonsense_is_one_sentence_that_names_the_setting(name: str, value: str) -> None:
    sentences = refusal({name: value})
    assert len(sentences) == 1
    assert sentences[0].startswith(f"{name} must be ")


@pytest.mark.parametrize(("given", "sentence"), CONTRADICTIONS)
def test_settings_that_contradict_each_other_are_refused(given: dict[str, str], sentence: str) -> None:
    assert [said[: len(sentence)] for said in refusal(given)] == [sentence]


@pytest.mark.parametrize(("given", "sentence"), UNSAFE)
def test_production_refuses_what_is_unsafe_with_a_sentence_of_its_own(given: dict[str, str], sentence: str) -> None:
    assert any(said.startswith(f"In production {sentence}") for said in refusal({**SAFE, **given}))
    config.load({**given, "MARKETPLACE_ENV": "development"} if "*" not in given.values() else {})


@pytest.mark.parametrize("given", RIGHT)
def test_what_is_right_is_taken(given: dict[str, str]) -> None:
    assert config.load(given)["ENVIRONMENT"] == "development"


def test_everything_that_is_wrong_is_named_at_once_and_secrets_are_not_repeated() -> None:
    given = {**SAFE, "PORT": "99999", "DATABASE_URL": "mysql://shop:hunter2@h/x", "CORS_ORIGINS": "*"}
    sentences = refusal(given)
    assert [sentence.split(" must")[0] for sentence in sentences] == [
        "PORT",
        "DATABASE_URL",
        "In production CORS_ORIGINS",
    ]
    assert "hunter2" not in "".join(sentences)


def test_an_empty_environment_is_a_development_with_the_defaults_of_the_table() -> None:
    settings = config.load({})
    assert (settings["THREADS"], settings["JWT_ACCESS_TOKEN_EXPIRES"], settings["LOG_JSON"]) == (8, 3600, False)
    assert settings["JWT_SECRET_KEY"] == settings["SECRET_KEY"] == config.INSECURE_SECRET
    assert config.load(SAFE)["LOG_JSON"] is True


def test_the_library_does_not_read_the_environment_of_the_process_beside_what_it_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("THREADS", "99")
    assert config.load({})["THREADS"] == 8
    assert config.load(os.environ)["THREADS"] == 99


def test_a_name_that_is_nearly_ours_is_asked_about() -> None:
    given = {"CORS_ORIGIN": "x", "SECRETKEY": "x", "SMPT_HOST": "x", "HOME": "/", "TEST_DATABASE_URL": "x", "LANG": "C"}
    said = [sentence.rpartition(" ")[2] for sentence in config.warnings(given)]
    assert said == ["CORS_ORIGINS?", "SECRET_KEY?", "SMTP_HOST?"]


def test_a_password_that_travels_in_the_open_is_told() -> None:
    given = {"SMTP_SECURITY": "none", "SMTP_PASSWORD": "x", "SMTP_HOST": "mail.example.com"}
    assert "SMTP_SECURITY" in config.warnings(given)[0]
    assert config.warnings({**given, "SMTP_HOST": "127.0.0.1"}) == []


def test_keys_that_are_random_are_never_called_weak() -> None:
    for _ in range(300):
        assert not forms.is_weak_secret(secrets.token_hex(16))
        assert not forms.is_weak_secret(secrets.token_urlsafe(32))
        assert not forms.is_weak_key(Fernet.generate_key().decode())
