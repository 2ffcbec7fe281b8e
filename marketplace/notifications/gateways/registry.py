"""The channels that the settings name; console.py for those that are not set up."""

from flask import current_app
from py_vapid import Vapid

from marketplace.notifications.gateways.channel import Channel
from marketplace.notifications.gateways.console import ShownChannel
from marketplace.notifications.gateways.push import PushChannel, vapid_key
from marketplace.notifications.gateways.sms import SmsChannel
from marketplace.notifications.gateways.smtp import SmtpChannel


def channel(name: str) -> Channel:
    """The application's channel: email, push or sms."""
    kept: dict[str, Channel] | None = current_app.extensions.get("channels")
    if kept is None:
        kept = current_app.extensions["channels"] = {"email": _email(), "push": _push(), "sms": _sms()}
    return kept[name]


def push_key() -> Vapid:
    """The VAPID key that signs web pushes."""
    return vapid_key(current_app.config["VAPID_PRIVATE_KEY"], current_app.config["SECRET_KEY"])


def _email() -> Channel:
    settings = current_app.config
    if not settings["SMTP_HOST"]:
        return ShownChannel()
    return SmtpChannel(
        host=settings["SMTP_HOST"],
        port=settings["SMTP_PORT"],
        user=settings["SMTP_USER"],
        password=settings["SMTP_PASSWORD"],
        security=settings["SMTP_SECURITY"],
        sender=settings["MAIL_FROM"],
        site_name=settings["SITE_NAME"],
        timeout=settings["SMTP_TIMEOUT"],
    )


def _push() -> Channel:
    settings = current_app.config
    if not settings["VAPID_PRIVATE_KEY"]:
        return ShownChannel()
    return PushChannel(push_key(), settings["VAPID_CONTACT"], settings["OUTGOING_ALLOWED"])


def _sms() -> Channel:
    settings = current_app.config
    if not settings["TWILIO_ACCOUNT_SID"]:
        return ShownChannel()
    return SmsChannel(
        account=settings["TWILIO_ACCOUNT_SID"],
        token=settings["TWILIO_AUTH_TOKEN"],
        sender=settings["TWILIO_FROM"],
        api_url=settings["TWILIO_API_URL"],
    )
