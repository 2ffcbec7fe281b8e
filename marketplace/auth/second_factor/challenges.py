"""Sign-ins that wait for a second proof: a code of the authenticator, or of a letter.

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
    """It may be tried again a few times."""

    code = "wrong_code"
    sentence = "This code is not right. Take the newest one; each counts once."


class ChallengeOver(NotSignedIn):
    """Used, too old, or guessed at too often."""

    code = "challenge_over"
    sentence = "This sign-in took too long or too many tries. Please sign in again."


def begin(user_id: int, method: str) -> str:
    """What the second step carries; a code by letter leaves on its own. Raises TooMany (429)."""
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
    """A question that a sign-in waits for."""

    user_id: int
    method: str


def guess_at(token: str) -> ChallengeRow:
    """The challenge behind a token, one guess taken for good; raises ChallengeOver (401), TooManyCodes (429)."""
    challenge = one_time_codes.behind(PURPOSE, token, find)
    if challenge is None or not in_transaction(lambda: one_time_codes.take_guess(Challenge, challenge.id)):
        raise ChallengeOver()
    if challenge.method == TOTP:
        service.guess(challenge.user_id)
    return challenge


def is_met(challenge: ChallengeRow, code: str) -> bool:
    """Whether the code meets the challenge, which is used up by it; to be committed with the sign-in."""
    by_app = challenge.method == TOTP
    proved = service.proves(challenge.user_id, code) if by_app else one_time_codes.fits(challenge, code)
    return proved and one_time_codes.use(Challenge, challenge.id)


def find(challenge_id: int) -> ChallengeRow | None:
    """One as it stands."""
    return first_as(ChallengeRow, select(Challenge.__table__).where(Challenge.id == challenge_id))


def is_used(challenge_id: int) -> bool:
    """Whether somebody was let in by it."""
    challenge = find(challenge_id)
    return challenge is None or challenge.used_at is not None


def code_to_send(challenge_id: int) -> str | None:
    """The code for the letter; None where it is not wanted any more."""
    challenge = find(challenge_id)
    if challenge is None or challenge.used_at is not None or challenge.expires_at < now():
        return None
    return one_time_codes.code_of(challenge)


def sweep() -> int:
    """Forget those a day old; returns how many."""
    return execute(delete(Challenge).where(Challenge.expires_at < now() - timedelta(days=1)))


def _refuse_flood(user_id: int) -> None:
    """Each letter's code may be guessed at five times, so the letters are few; the caller holds the person."""
    recent = select(Challenge.created_at).where(Challenge.user_id == user_id, Challenge.method == EMAIL)
    last = fetch(recent.where(Challenge.created_at > now() - HOUR).order_by(Challenge.id.desc()).limit(LETTERS_AN_HOUR))
    if len(last) == LETTERS_AN_HOUR:
        wait = int((last[-1].created_at + HOUR - now()).total_seconds()) + 1
        raise TooMany("Too many codes were sent. Wait a while before you sign in again.", retry_after=wait)
