"""Links in mails: each counts once, for a while, and only for its purpose.

What the link carries is the row's id under our signature, which covers its moment too: nothing that is
stored could be used to make one, and a row that gets the id of a lost one has another link.

Apart from the rooms: the table of links, which registrations, deliveries and this package's service share.
"""

from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select, update

from marketplace.auth import one_time_codes
from marketplace.auth.models import MailToken
from marketplace.core.database.db import execute, fetch, fetch_as, first_as, save
from marketplace.core.queues.outbox import publish
from marketplace.events.auth import MailTokenIssued
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid

VERIFY, RESET, CHANGE_OLD, CHANGE_NEW = "verify", "reset", "change_old", "change_new"
LIVES = {
    VERIFY: timedelta(days=7),
    RESET: timedelta(hours=1),
    CHANGE_OLD: timedelta(days=1),
    CHANGE_NEW: timedelta(days=1),
}
PAUSE, DAY = timedelta(seconds=60), timedelta(days=1)
LETTERS_A_DAY = 10
TOO_LATE = "This link was used already or is too old. Ask for a new one."


def issue(user_id: int, purpose: str, email: str, *, partner_id: int | None = None) -> MailToken:
    """A new token, valid for LIVES[purpose]; notifications mail its link on MailTokenIssued."""
    moment = now()
    token = save(
        MailToken(
            user_id=user_id,
            purpose=purpose,
            email=email,
            partner_id=partner_id,
            created_at=moment,
            expires_at=moment + LIVES[purpose],
        )
    )
    publish(MailTokenIssued(token_id=token.id, user_id=user_id, purpose=purpose))
    return token


def may_send(user_id: int, purpose: str) -> bool:
    """False within a minute of the last mail of this purpose, and after LETTERS_A_DAY of them in 24 hours."""
    mine = select(MailToken.created_at).where(MailToken.user_id == user_id, MailToken.purpose == purpose)
    sent = fetch(mine.where(MailToken.created_at > a_day_ago()).order_by(MailToken.id.desc()).limit(LETTERS_A_DAY))
    return len(sent) < LETTERS_A_DAY and not (sent and sent[0].created_at > now() - PAUSE)


def a_day_ago() -> datetime:
    """24 hours before now: mails sent since then count against LETTERS_A_DAY."""
    return now() - DAY


class MailTokenRow(Protocol):
    """A row of mail_tokens."""

    id: int
    user_id: int
    purpose: str
    email: str
    partner_id: int | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


def redeem(text: str, *purposes: str) -> MailTokenRow:
    """Use up the token behind a link; raises Invalid (422). Of two requests at once only one gets it."""
    token_id = _read(text)
    living = (MailToken.id == token_id, MailToken.used_at.is_(None), MailToken.expires_at > now())
    if not execute(update(MailToken).where(*living, MailToken.purpose.in_(purposes)).values(used_at=now())):
        raise Invalid.field("token", TOO_LATE)
    return fetch_as(MailTokenRow, select(MailToken.__table__).where(MailToken.id == token_id))[0]


def void(user_id: int, *purposes: str) -> None:
    """Mark a person's unused tokens of these purposes as used."""
    waiting = update(MailToken).where(MailToken.user_id == user_id, MailToken.used_at.is_(None))
    execute(waiting.where(MailToken.purpose.in_(purposes)).values(used_at=now()))


def partner_of(token: MailTokenRow) -> MailTokenRow:
    """The token sent to the other of the two addresses of a change."""
    other = MailToken.id == token.partner_id if token.partner_id is not None else MailToken.partner_id == token.id
    return fetch_as(MailTokenRow, select(MailToken.__table__).where(other))[0]


def find(token_id: int) -> MailTokenRow | None:
    """The token of this id, used and expired ones too; None where there is none."""
    return first_as(MailTokenRow, select(MailToken.__table__).where(MailToken.id == token_id))


def text_of(token: MailTokenRow) -> str:
    """The signed text that goes into the link; `redeem` takes it."""
    return one_time_codes.ticket("mail-token", token)


def _read(text: str) -> int:
    token = one_time_codes.behind("mail-token", text, find)
    if token is None:
        raise Invalid.field("token", "This link is not whole. Open it from the letter once more.")
    return int(token.id)
