"""Signing in by password, SMS or second proof. What is recorded of a refused try is committed all the same.

Passwords are hashed outside any transaction: slow on purpose, they would keep every writer waiting.
"""

from typing import Any

from marketplace.auth import queries
from marketplace.auth import service as auth_service
from marketplace.auth.client_context import Place
from marketplace.auth.models import SignIn, User, UsernameTaken
from marketplace.auth.passwords import attempts
from marketplace.auth.phone import service as phone_service
from marketplace.auth.second_factor import challenges, totp
from marketplace.auth.second_factor.challenges import EMAIL, TOTP, ChallengeOver, WrongCode
from marketplace.auth.service import BadCredentials
from marketplace.auth.sessions import service as sessions_service
from marketplace.auth.sign_in_risk import service as sign_in_risk_service
from marketplace.auth.sign_in_risk.rules import HOLD, PASS
from marketplace.core.database.db import in_transaction
from marketplace.core.ops import current_settings
from marketplace.core.queues.outbox import publish
from marketplace.events.auth import NewDeviceSeen, RegistrationAsked
from marketplace.kit import normalization
from marketplace.kit.errors import NotAllowed
from marketplace.kit.json_types import JsonObject

WELCOME, WELCOME_BACK = "Welcome to the marketplace.", "Welcome back."
READ_YOUR_MAIL = "A letter is on its way to this address. Open the link in it to go on."
ASK = {
    TOTP: "Enter the code of your authenticator.",
    EMAIL: "We do not know this device yet. Enter the code from the letter we have just sent you.",
}


class Held(NotAllowed):
    """403: the risk rules hold this sign-in until the password is reset by mail."""

    code = "sign_in_held"
    sentence = (
        "This sign-in looks unlike you, so it is held. Set a new password by a link to your e-mail, and try again."
    )


def register(place: Place, *, password: str, **profile: Any) -> JsonObject:
    """A new account and its first tokens; raises UsernameTaken, EmailTaken (409). With REGISTRATION_HIDES_ACCOUNTS the
    answer has no tokens and is the same for every address; raises UsernameTaken (409)."""
    password_hash = auth_service.hash_password(password)

    def ask_for_account() -> JsonObject:
        if auth_service.why_unavailable(profile["username"]):
            raise UsernameTaken()
        publish(RegistrationAsked(password_hash=password_hash, **profile))
        sign_in_risk_service.note(sign_in_risk_service.REGISTERED, None, place)
        return {"message": READ_YOUR_MAIL, "verification_required": True}

    def open_account() -> JsonObject:
        user = auth_service.register(password_hash=password_hash, **profile)
        sign_in_risk_service.note(sign_in_risk_service.REGISTERED, user.id, place)
        sign_in = sessions_service.begin(user, device=place.device, address=place.address)
        return _tokens(user, sign_in, WELCOME)

    hides = current_settings.switch("REGISTRATION_HIDES_ACCOUNTS")
    return in_transaction(ask_for_account if hides else open_account)


def by_password(place: Place, *, password: str, email: str = "", username: str = "") -> JsonObject:
    """Tokens, or a challenge where a second proof is needed; raises BadCredentials (401), Held (403)."""
    name = normalization.email_address(email or username)
    attempts.spend_one(auth_service.id_of(name), name, place)
    user_id, password_hash = auth_service.check_credentials(name, password)
    if password_hash is None:
        in_transaction(lambda: sign_in_risk_service.note(sign_in_risk_service.FAILED, user_id, place))
        raise BadCredentials()
    return enter(int(user_id or 0), place, password_hash)


def by_phone(place: Place, *, phone: str, code: str) -> JsonObject:
    """Tokens (or a challenge) for a code sent to a number; raises WrongCode (401), Invalid (422), Held (403)."""
    user_id = phone_service.who_logs_in(phone, code, place)
    if user_id is None:
        raise WrongCode()
    return enter(user_id, place)


def by_challenge(place: Place, *, challenge_token: str, code: str) -> JsonObject:
    """Tokens for the second proof; raises WrongCode, ChallengeOver (401), TooManyCodes (429)."""
    challenge = challenges.guess_at(challenge_token)
    found = in_transaction(lambda: _meet(challenge, code, place))
    if found is None:
        raise WrongCode()
    return found


def enter(user_id: int, place: Place, password_hash: str | None = None) -> JsonObject:
    """After the first proof: tokens, or a challenge for a second one; raises Held (403), TooMany (429), and
    BadCredentials (401) where the password was changed meanwhile."""
    found = in_transaction(lambda: _judged(user_id, place, password_hash))
    if found is None:
        raise Held()
    return found


def _judged(user_id: int, place: Place, password_hash: str | None) -> JsonObject | None:
    user = auth_service.locked_user(user_id)
    if password_hash is not None and user.password_hash != password_hash:
        raise BadCredentials()
    judgement = sign_in_risk_service.judge(user_id, place, since=user.password_set_at)
    if judgement.verdict == HOLD:
        sign_in_risk_service.note(sign_in_risk_service.HELD, user_id, place, judgement)
        return None
    method = TOTP if totp.is_on(user_id) else None if judgement.verdict == PASS else EMAIL
    if method is not None:
        token = challenges.begin(user_id, method)
        challenge: JsonObject = {"two_factor_required": True, "challenge_token": token, "method": method}
        return {"message": ASK[method], **challenge}
    return _let_in(user, place, judgement)


def _meet(challenge: Any, code: str, place: Place) -> JsonObject | None:
    user = auth_service.locked_user(challenge.user_id)
    if challenge.created_at < user.password_set_at or (challenge.method == EMAIL and totp.is_on(user.id)):
        raise ChallengeOver()
    if challenges.is_used(challenge.id):  # a second right code is not used up by it
        raise ChallengeOver()
    if not challenges.is_met(challenge, code):
        sign_in_risk_service.note(sign_in_risk_service.REFUSED_CODE, challenge.user_id, place)
        return None
    return _let_in(user, place, sign_in_risk_service.judge(user.id, place, since=user.password_set_at))


def _let_in(user: User, place: Place, judgement: sign_in_risk_service.Judgement) -> JsonObject:
    sign_in_risk_service.note(sign_in_risk_service.SIGN_IN, user.id, place, judgement)
    sign_in = sessions_service.begin(user, device=place.device, address=place.address)
    if judgement.is_new_device:
        publish(NewDeviceSeen(user_id=user.id, sign_in_id=sign_in.id))
    return _tokens(user, sign_in, WELCOME_BACK)


def _tokens(user: User, sign_in: SignIn, message: str) -> JsonObject:
    return {**sessions_service.tokens_of(sign_in, message), "user": queries.private_view(user)}
