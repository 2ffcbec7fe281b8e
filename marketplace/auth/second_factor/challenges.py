"""Sign-ins that wait for a second proof: a code of the authenticator, or one sent by mail.

Apart from the rooms: the second of this package's two tables, with its own life from question to answer.
"""

import secrets
from datetime import timedelta
from typing import Protocol

from sqlalchemy import delete, select

from marketplace.auth import one_time_codes
from marketplace.auth.second_factor import service
from marketplace.auth.second_factor.models import Challenge
from marketplace.core.database.db import execute, fetch, first_as, in_transaction, save
from marketplace.core.queues.outbox import publish
from marketplace.events.auth import SignInCodeIssued
from marketplace.kit.clock import now
from marketplace.kit.errors import NotSignedIn, TooMany

TOTP, EMAIL = "totp", "email"
PURPOSE = "sign-in-challenge"
LIVES, HOUR = timedelta(minutes=10), timedelta(hours=1)
LETTERS_AN_HOUR = 5


class WrongCode(NotSignedIn):
    """401: the code is wrong, and the challenge has guesses left."""

    code = "wrong_code"
    sentence = "This code is not right. Take the newest one; each counts once."


class ChallengeOver(NotSignedIn):
    """401: the challenge was used, has expired, or has no guesses left."""

    code = "challenge_over"
    sentence = "This sign-in took too long or too many tries. Please sign in again."


def begin(user_id: int, method: str) -> str:
    """The challenge token for the client's second step; a mailed code is sent on SignInCodeIssued. Raises TooMany
    (429)."""
    moment = now()
    if method == EMAIL:
        _refuse_flood(user_id)
    challenge = save(
        Challenge(
            user_id=user_id,
            method=method,
            nonce=secrets.token_hex(16),
            created_at=moment,
            expires_at=moment + LIVES,
        )
    )
    if method == EMAIL:
        publish(SignInCodeIssued(challenge_id=challenge.id, user_id=user_id))
    return one_time_codes.ticket(PURPOSE, challenge)


class ChallengeRow(one_time_codes.GuessableRow, Protocol):
    """A row of sign_in_challenges."""

    user_id: int
    method: str


def guess_at(token: str) -> ChallengeRow:
    """The challenge behind a token, one of its guesses used up and committed; raises ChallengeOver (401), TooManyCodes
    (429)."""
    challenge = one_time_codes.behind(PURPOSE, token, find)
    if challenge is None or not in_transaction(lambda: one_time_codes.take_guess(Challenge, challenge.id)):
        raise ChallengeOver()
    if challenge.method == TOTP:
        service.guess(challenge.user_id)
    return challenge


def is_met(challenge: ChallengeRow, code: str) -> bool:
    """Whether the code is right, and then the challenge is used up: commit it together with the sign-in."""
    by_app = challenge.method == TOTP
    proved = service.proves(challenge.user_id, code) if by_app else one_time_codes.fits(challenge, code)
    return proved and one_time_codes.use(Challenge, challenge.id)


def find(challenge_id: int) -> ChallengeRow | None:
    """The challenge of this id, used and expired ones too; None where there is none."""
    return first_as(ChallengeRow, select(Challenge.__table__).where(Challenge.id == challenge_id))


def is_used(challenge_id: int) -> bool:
    """Whether the challenge has let somebody in."""
    challenge = find(challenge_id)
    return challenge is None or challenge.used_at is not None


def code_to_send(challenge_id: int) -> str | None:
    """The code for the mail; None where the challenge was used or has expired."""
    challenge = find(challenge_id)
    if challenge is None or challenge.used_at is not None or challenge.expires_at < now():
        return None
    return one_time_codes.code_of(challenge)


def sweep() -> int:
    """Delete challenges a day old; returns how many."""
    return execute(delete(Challenge).where(Challenge.expires_at < now() - timedelta(days=1)))


def _refuse_flood(user_id: int) -> None:
    """Raises TooMany (429) at LETTERS_AN_HOUR mails, as each allows five guesses; the caller has locked the person."""
    recent = select(Challenge.created_at).where(Challenge.user_id == user_id, Challenge.method == EMAIL)
    last = fetch(recent.where(Challenge.created_at > now() - HOUR).order_by(Challenge.id.desc()).limit(LETTERS_AN_HOUR))
    if len(last) == LETTERS_AN_HOUR:
        wait = int((last[-1].created_at + HOUR - now()).total_seconds()) + 1
        raise TooMany("Too many codes were sent. Wait a while before you sign in again.", retry_after=wait)
