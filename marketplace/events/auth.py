"""Facts about people."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered(Event):
    """Somebody opened an account."""

    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationAsked(Event):
    """Somebody wants an account where it is not said whether the address has one."""

    personal = True
    username: str
    email: str
    password_hash: str
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    user_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationRepeated(Event):
    """Somebody wanted an account for an address that has one; `stand_in_id` keeps the name that was asked for."""

    user_id: int
    stand_in_id: int


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

    personal = True
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationAsked(Event):
    """Somebody wants the letter once more that confirms this address, if an account waits for it."""

    personal = True
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTokenIssued(Event):
    """A link that counts once is to be sent by mail."""

    token_id: int
    user_id: int
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorSwitched(Event):
    """The second factor was switched on or off; `version` in seconds since 1970."""

    user_id: int
    is_on: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInCodeIssued(Event):
    """A sign-in waits for a code that is to be sent by mail."""

    challenge_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCodeIssued(Event):
    """A code is to be sent to a telephone."""

    code_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLoginAsked(Event):
    """Somebody asked for a sign-in code by this number, which may be nobody's."""

    personal = True
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeviceSeen(Event):
    """Somebody signed in from a device that was not seen with this account."""

    user_id: int
    sign_in_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyMade(Event):
    """A key for a program was made."""

    key_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSuspended(Event):
    """Staff closed an account for a while; `version` in seconds since 1970."""

    user_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReinstated(Event):
    """Staff opened a suspended account again; `version` in seconds since 1970."""

    user_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountErased(Event):
    """An account was erased; its row stays and names nobody."""

    user_id: int
