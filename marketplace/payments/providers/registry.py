"""The providers that the settings name.

Apart from the rooms: which gateways the settings name.
"""

from datetime import timedelta
from pkgutil import resolve_name

from flask import current_app

from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.money import Money
from marketplace.payments.providers.fake.provider import FakeProvider
from marketplace.payments.providers.provider import Provider

# Stripe's library takes half a second and 15 MB, PayPal's HTTP client 5 MB: only who is paid by them should spend it.
REAL = {
    "stripe": (
        ("secret_key", "publishable_key", "webhook_secret", "api_url"),
        "marketplace.payments.providers.stripe.provider:StripeProvider",
    ),
    "paypal": (
        ("client_id", "client_secret", "webhook_id", "api_url"),
        "marketplace.payments.providers.paypal.provider:PayPalProvider",
    ),
}


class NoProvider(Conflict):
    """409: the settings name no payment provider."""

    code = "no_payments"
    sentence = "Payments are not set up here. Agree with the other side on another way to pay."


def providers() -> dict[str, Provider]:
    """The settings' providers by name, the default first."""
    kept: dict[str, Provider] | None = current_app.extensions.get("payment_providers")
    if kept is None:
        kept = {name: _make(name) for name in current_app.config["PAYMENT_PROVIDERS"]}
        current_app.extensions["payment_providers"] = kept
    return kept


def provider(name: str) -> Provider:
    """The provider of this name; raises Invalid (422)."""
    if name not in providers():
        raise Invalid.field("provider", f"One of {', '.join(providers())}.")
    return providers()[name]


def default_provider() -> str:
    """The name of the first provider of the settings; raises NoProvider (409)."""
    if not providers():
        raise NoProvider()
    return next(iter(providers()))


def demand_unit(name: str, field: str, minor: int, currency: str, *, paid_out: bool = False) -> None:
    """Raises Invalid (422) where the provider cannot take this amount of the currency; no check for a provider that is
    not set up."""
    at = providers().get(name)
    step = at.step(currency, paid_out=paid_out) if at else 1
    if not step:
        raise Invalid.field(field, f"The payment provider takes no {currency}.")
    if minor % step:
        least = Money(step, currency).exact
        raise Invalid.field(field, f"The payment provider takes {currency} in steps of {least} only.")


def _make(name: str) -> Provider:
    settings = current_app.config
    back = f"{settings['SITE_URL']}/payments"
    if name == "fake":
        faults = [(method, fault) for method, _, fault in (one.partition("=") for one in settings["FAKE_FAULTS"])]
        after = timedelta(days=settings["FAKE_SETTLEMENT_DAYS"])
        return FakeProvider(settings["SECRET_KEY"], settings["SITE_URL"], faults, after)
    names, adapter = REAL[name]
    made: Provider = resolve_name(adapter)(
        return_url=back, **{argument: settings[f"{name.upper()}_{argument.upper()}"] for argument in names}
    )
    return made
