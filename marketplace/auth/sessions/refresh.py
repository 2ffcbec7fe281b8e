"""Trading a refresh token for the next pair; that a token was used twice is committed though the answer is a 401.

Apart from the rooms: a verb in two transactions, which the service, written for one, does not do.
"""

from marketplace.auth import queries
from marketplace.auth import service as auth_service
from marketplace.auth.sessions import service as sessions_service
from marketplace.auth.sessions.service import USED_BEFORE
from marketplace.core.database.db import in_transaction
from marketplace.core.http.access import Claims
from marketplace.core.ops import security_log
from marketplace.kit.errors import NotSignedIn
from marketplace.kit.json_types import JsonObject


class UsedBefore(NotSignedIn):
    """401: the token was traded before and may be stolen, so the whole sign-in has ended."""

    code = "refresh_reused"
    sentence = "This sign-in was refreshed from somewhere else and has ended. Please sign in again."


def refresh(claims: Claims, user_id: int) -> JsonObject:
    """The next pair of tokens; raises UsedBefore (401), and then the sign-in has ended."""
    sign_in_id, generation = claims["sid"], claims["gen"]
    sign_in = in_transaction(lambda: sessions_service.rotate(sign_in_id, generation))
    if sign_in is None:
        in_transaction(lambda: sessions_service.end(sign_in_id, USED_BEFORE))
        security_log.record("refresh_reused", user_id=user_id)
        raise UsedBefore()
    user = auth_service.active(user_id)
    return {**sessions_service.tokens_of(sign_in, "Refreshed."), "user": queries.private_view(user)}
