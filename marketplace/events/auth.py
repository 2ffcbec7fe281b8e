"""Facts about people."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered(Event):
    """Somebody opened an account."""

    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged(Event):
    """A profile was edited."""

    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """A password was changed; `version` (seconds since 1970) tells one change from the next."""

    user_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordResetAsked(Event):
    """Somebody has forgotten the password of the account with this address, if there is one."""

    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTokenIssued(Event):
    """A link that counts once is to be sent by mail."""

    token_id: int
    user_id: int
    purpose: str
