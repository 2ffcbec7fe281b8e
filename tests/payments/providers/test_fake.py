"""Play money never stands beside real money, and no provider is named that cannot be asked."""

import pytest

import config
from config import ConfigurationError

PRODUCTION = {
    "MARKETPLACE_ENV": "production",
    "SECRET_KEY": "8f3Qk1vZr7Lw2Xc9Tn5Yb4Hd6Gs0Jm1PaEuIoRi7",
    "ENCRYPTION_KEYS": "kFq3vJ7Zp1Lw9Xc2Tn5Yb8Hd4Gs6Jm0PaEuIoRi7QxU=",
    "DATABASE_URL": "postgresql://localhost/x",
    "CORS_ORIGINS": "https://shop.example.com",
}
STRIPE = {"STRIPE_SECRET_KEY": "sk", "STRIPE_PUBLISHABLE_KEY": "pk", "STRIPE_WEBHOOK_SECRET": "whsec"}
PAYPAL = {"PAYPAL_CLIENT_ID": "id", "PAYPAL_CLIENT_SECRET": "secret", "PAYPAL_WEBHOOK_ID": "hook"}
REAL = {**STRIPE, **PAYPAL}
YES = {"ALLOW_FAKE_PAYMENTS": "1"}


@pytest.mark.parametrize("providers", ["stripe,fake", "fake,paypal", "stripe,paypal,fake"])
@pytest.mark.parametrize("allowed", [{}, YES])
def test_production_never_takes_play_money_beside_real_money(providers: str, allowed: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="must not name fake, which takes no money, beside others"):
        config.load({**PRODUCTION, **REAL, **allowed, "PAYMENT_PROVIDERS": providers})


def test_production_takes_play_money_alone_when_somebody_says_so() -> None:
    with pytest.raises(ConfigurationError, match="ALLOW_FAKE_PAYMENTS=1"):
        config.load({**PRODUCTION, "PAYMENT_PROVIDERS": "fake"})
    assert config.load({**PRODUCTION, **YES, "PAYMENT_PROVIDERS": "fake"})["PAYMENT_PROVIDERS"] == ["fake"]
    assert config.load({**PRODUCTION, **REAL, "PAYMENT_PROVIDERS": "stripe,paypal"})["PAYMENT_PROVIDERS"]
    for unset in ({}, {"PAYMENT_PROVIDERS": ""}):
        assert config.load({**PRODUCTION, **unset})["PAYMENT_PROVIDERS"] == []


@pytest.mark.parametrize("missing", sorted(REAL))
def test_production_names_the_key_that_a_provider_lacks(missing: str) -> None:
    keys = {name: value for name, value in REAL.items() if name != missing}
    name = missing.partition("_")[0].lower()
    with pytest.raises(ConfigurationError, match=f"{missing} must be set for the payment provider {name}"):
        config.load({**PRODUCTION, **keys, "PAYMENT_PROVIDERS": "stripe,paypal"})


def test_all_of_them_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        config.load({**PRODUCTION, "PAYMENT_PROVIDERS": "stripe,paypal,fake"})
    assert [name for name in (*REAL, "fake") if name not in str(refused.value)] == []


@pytest.mark.parametrize(("name", "missing"), [("stripe", "STRIPE_SECRET_KEY"), ("paypal", "PAYPAL_CLIENT_SECRET")])
def test_a_provider_that_cannot_be_asked_is_refused_everywhere(name: str, missing: str) -> None:
    keys = {one: value for one, value in REAL.items() if one != missing}
    with pytest.raises(ConfigurationError, match=missing):
        config.load({**keys, "MARKETPLACE_ENV": "development", "PAYMENT_PROVIDERS": name})
