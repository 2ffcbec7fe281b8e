"""The queue of deliveries: claimed, sent outside any transaction, the outcome recorded."""

from datetime import timedelta
from typing import Any

import structlog
from itsdangerous import URLSafeSerializer
from sqlalchemy import delete, select

from marketplace.auth import queries as auth_queries
from marketplace.auth.email import tokens as email_tokens
from marketplace.auth.phone import service as phone_service
from marketplace.auth.second_factor import challenges
from marketplace.core.database.db import AnyRow, execute, fetch, in_transaction
from marketplace.core.http import signing
from marketplace.core.ops import current_settings
from marketplace.core.queues.work_queue import Queue
from marketplace.notifications import renderer
from marketplace.notifications.gateways.channel import Gone, OutboundMessage, Refused, TryLater
from marketplace.notifications.gateways.console import SHOWN
from marketplace.notifications.gateways.registry import channel
from marketplace.notifications.kinds import KINDS, path_to
from marketplace.notifications.models import PushSubscription
from marketplace.notifications.service import DELIVERIES
from marketplace.uploads import queries as uploads_queries
from marketplace.uploads.addresses import url_for_days

LEASE = timedelta(minutes=3)  # longer than every step of a mail at its timeout
ATTEMPTS = 10
EXPORT_DAYS = 7  # the file itself goes when nothing has shown it for UPLOAD_ORPHAN_DAYS
UNWANTED = "nobody is there to be told any more"

log = structlog.get_logger(__name__)
DELIVERY_QUEUE = Queue("deliveries", DELIVERIES, lease=lambda row: LEASE, attempts=lambda row: ATTEMPTS, batch=1)


def deliver_due() -> int:
    """Send every delivery that is due; returns how many were sent."""
    left = 0
    while claimed := DELIVERY_QUEUE.claim():
        left += sum(_deliver(row) for row in claimed)
    return left


def unsubscribe_token(user_id: int, kind: str) -> str:
    """The signed token of a mail's unsubscribe link; it never expires, as mails are read years later."""
    return str(_tokens().dumps([user_id, kind]))


def read_token(token: str) -> tuple[int, str]:
    """(user id, kind) of an unsubscribe token; raises itsdangerous.BadSignature."""
    user_id, kind = _tokens().loads(token)
    return int(user_id), str(kind)


def _deliver(row: AnyRow) -> bool:
    try:
        message = _message(row)
        if message is None:
            in_transaction(lambda: DELIVERY_QUEUE.done(row, reference=UNWANTED))
            return False
        reference = channel(row.channel).send(message)
    except Gone as error:
        return _end(row, f"Gone: {error}", forget=True)
    except (Refused, renderer.MissingText) as error:
        return _end(row, f"{type(error).__name__}: {error}")
    except Exception as error:
        if not isinstance(error, TryLater):
            log.exception("delivery failed", delivery=row.id, channel=row.channel)
        reason = f"{type(error).__name__}: {error}"
        in_transaction(lambda: DELIVERY_QUEUE.failed(row, reason))
        return False
    shown = f"To: {message.to}\n{message.title}\n\n{message.text}" if reference == SHOWN else None
    return in_transaction(lambda: DELIVERY_QUEUE.done(row, reference=reference, shown=shown))


def _end(row: AnyRow, error: str, *, forget: bool = False) -> bool:
    """Mark the delivery as dead; for a browser that is gone delete its subscription instead."""

    def end() -> None:
        if forget and row.subscription_id is not None:
            DELIVERY_QUEUE.done(row, reference=error[:200], subscription_id=None)
            execute(delete(PushSubscription).where(PushSubscription.id == row.subscription_id))
        else:
            DELIVERY_QUEUE.failed(row, error, final=True)

    in_transaction(end)
    return False


def _message(row: AnyRow) -> OutboundMessage | None:
    """The message in the person's language; None where the account cannot be reached any more."""
    user = auth_queries.reachable(row.user_id, closed=row.kind in KINDS and KINDS[row.kind].closed)
    if user is None:
        return None
    write = {"email": _mail, "push": _push, "sms": _sms}[row.channel]
    return write(row, user)


def _mail(row: AnyRow, user: Any) -> OutboundMessage | None:
    if row.kind in KINDS and KINDS[row.kind].essential:
        return ESSENTIAL.get(row.kind, _link_mail)(row, user)
    site, name = current_settings.text("SITE_URL"), auth_queries.greeting_name(user)
    way_out = f"{current_settings.text('API_URL')}/api/notifications/unsubscribe?token="
    unsubscribe = "" if _is_about_safety(row.kind) else way_out + unsubscribe_token(user.id, row.kind)
    common = {"language": user.language, "recipient": name, "unsubscribe": unsubscribe, **_site()}
    if row.kind == "digest":
        items = row.data["items"]
        news = [
            (item["kind"], item["data"], site + _path(item["kind"], item["related_id"], item["data"])) for item in items
        ]
        mail = renderer.digest(items=news, **common)
    else:
        mail = renderer.mail(
            kind=row.kind, data=row.data, link=site + _path(row.kind, row.related_id, row.data), **common
        )
    return OutboundMessage(
        id=_message_id(row), to=user.email, title=mail.subject, text=mail.text, html=mail.html, unsubscribe=unsubscribe
    )


def _path(kind: str, thing_id: int | None, data: dict[str, Any]) -> str:
    return path_to(kind, thing_id, path=data.get("path"))


def _site() -> dict[str, str]:
    return {"site": current_settings.text("SITE_URL"), "site_name": current_settings.text("SITE_NAME")}


def _is_about_safety(kind: str) -> bool:
    return kind in KINDS and KINDS[kind].safety


def _link_mail(row: AnyRow, user: Any) -> OutboundMessage | None:
    """A mail with a one-time link, to the address the link is for; only here the link is written out. None where it was
    used or replaced."""
    token, site = email_tokens.find(row.related_id), current_settings.text("SITE_URL")
    if token is None or token.used_at is not None:
        return None
    mail = renderer.mail(
        kind=row.kind,
        language=user.language,
        data=row.data,
        # Until the address is confirmed, the name is what some stranger chose.
        recipient="" if row.kind == "verify_email" else auth_queries.greeting_name(user),
        link=site + path_to(row.kind, None, email_tokens.text_of(token)),
        unsubscribe="",
        **_site(),
    )
    return OutboundMessage(id=_message_id(row), to=token.email, title=mail.subject, text=mail.text, html=mail.html)


def _code_mail(row: AnyRow, user: Any) -> OutboundMessage | None:
    """A mail with a sign-in code; None where its challenge is over."""
    code = challenges.code_to_send(row.related_id)
    if code is None:
        return None
    common = {"language": user.language, "recipient": auth_queries.greeting_name(user), "unsubscribe": "", **_site()}
    mail = renderer.mail(kind=row.kind, data={"code": code}, link="", **common)
    return OutboundMessage(id=_message_id(row), to=user.email, title=mail.subject, text=mail.text, html=mail.html)


def _export_mail(row: AnyRow, user: Any) -> OutboundMessage | None:
    """A mail with the link to an export; None where the file is gone."""
    upload = uploads_queries.ready(row.related_id)
    if upload is None:
        return None
    link = current_settings.text("API_URL") + url_for_days(upload, EXPORT_DAYS)
    common = {"language": user.language, "recipient": auth_queries.greeting_name(user), "unsubscribe": "", **_site()}
    mail = renderer.mail(kind=row.kind, data={}, link=link, **common)
    return OutboundMessage(id=_message_id(row), to=user.email, title=mail.subject, text=mail.text, html=mail.html)


def _account_mail(row: AnyRow, user: Any) -> OutboundMessage | None:
    """A mail to the owner of an account that somebody tried to register again."""
    site = current_settings.text("SITE_URL")
    common = {"language": user.language, "recipient": auth_queries.greeting_name(user), "unsubscribe": "", "site": site}
    mail = renderer.mail(kind=row.kind, data={}, link=site + path_to(row.kind, None), **common)
    return OutboundMessage(id=_message_id(row), to=user.email, title=mail.subject, text=mail.text, html=mail.html)


ESSENTIAL = {"account_exists": _account_mail, "sign_in_code": _code_mail, "export_ready": _export_mail}


def _push(row: AnyRow, user: Any) -> OutboundMessage | None:
    found = fetch(select(PushSubscription.__table__).where(PushSubscription.id == row.subscription_id))
    if not found:
        return None
    words = renderer.words(row.kind, user.language, row.data)
    return OutboundMessage(
        id=_message_id(row),
        to=found[0].endpoint,
        title=words.title,
        text=words.message,
        link=current_settings.text("SITE_URL") + _path(row.kind, row.related_id, row.data),
        keys={"p256dh": found[0].p256dh, "auth": found[0].auth},
    )


def _sms(row: AnyRow, user: Any) -> OutboundMessage | None:
    if row.kind == "phone_code":
        return _code_sms(row, user)
    if not user.phone:
        return None
    words = renderer.words(row.kind, user.language, row.data)
    link = current_settings.text("SITE_URL") + _path(row.kind, row.related_id, row.data)
    text = f"{words.title}. {words.message} {link}"
    return OutboundMessage(id=_message_id(row), to=user.phone, title=words.title, text=text, repeated=row.attempts > 1)


def _code_sms(row: AnyRow, user: Any) -> OutboundMessage | None:
    """An SMS with a code; None where the code is used or expired."""
    found = phone_service.message_of(row.related_id)
    if found is None:
        return None
    number, code = found
    words = renderer.words(row.kind, user.language, {"code": code})
    return OutboundMessage(
        id=_message_id(row), to=number, title=words.title, text=words.message, repeated=row.attempts > 1
    )


def _message_id(row: AnyRow) -> str:
    """A keyed id, the same at every attempt; it does not show our row numbers."""
    return signing.signer("letters").get_signature(f"{row.id}|{row.key}".encode()).decode()


def _tokens() -> URLSafeSerializer:
    return signing.serializer("unsubscribe")
