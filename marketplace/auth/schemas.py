"""Accounts in and out."""

import re
from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from marketplace.auth.models import AVAILABILITIES, USER_TYPES, USERNAME, USERNAME_RULE
from marketplace.core.http.fields import Amount, Choice, Int, Num, Str, Words, latitude, link, longitude
from marketplace.core.http.schemas import Currency, Input, ProblemSchema
from marketplace.core.http.validation_messages import MISSING
from marketplace.kit import normalization
from marketplace.kit.json_types import JsonObject
from marketplace.kit.languages import LANGUAGES
from marketplace.kit.lazy_module import lazy_module

if TYPE_CHECKING:
    import email_validator
else:
    email_validator = lazy_module("email_validator")
zxcvbn = lazy_module("zxcvbn.frequency_lists")

HOW_TO_LEAVE = "An account is not switched off but deleted, with everything in it: DELETE /api/auth/account."
SHORTEST_PASSWORD, COMMONEST = 8, 3000


def check_username(name: str) -> None:
    """3–30 letters, digits and underscores."""
    if not USERNAME.fullmatch(name):
        raise ValidationError(USERNAME_RULE)


def check_email(address: str) -> None:
    """Form only: whether it receives mail is shown by the mail that is sent there."""
    try:
        email_validator.validate_email(address, check_deliverability=False)
    except email_validator.EmailNotValidError:
        raise ValidationError("This is not an e-mail address.") from None


def check_password(text: str) -> None:
    """Nobody's first guess (NIST SP 800-63B, 5.1.1.2: compare with commonly used ones)."""
    if normalization.is_blank(text):
        raise ValidationError("A password needs characters that can be seen.")
    if text.lower() in commonest():
        raise ValidationError("This password is one of the first that anybody would try. Choose another.")


@cache
def commonest() -> frozenset[str]:
    """The passwords people use most, of those long enough, by zxcvbn's count of leaked ones."""
    long_enough = (word for word in zxcvbn.FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST_PASSWORD)
    return frozenset(islice(long_enough, COMMONEST))


def check_phone(number: str) -> None:
    """Digits with the usual signs."""
    if number and not re.fullmatch(r"\+?[0-9 ()./-]{5,25}", number):
        raise ValidationError("A phone number is digits, with + and spaces.")


def check_time_zone(name: str) -> None:
    """A name of the IANA database."""
    if name not in _zones():
        raise ValidationError("This is not a time zone. Use a name such as Europe/Riga.")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def password(**kwargs: Any) -> Str:
    """As typed: never trimmed, never shortened."""
    return Str(longest=1024, trim=False, example="correct horse battery", load_only=True, **kwargs)


def new_password() -> Str:
    """In the form it is kept in, and each code point of that counts as one character, as NIST has it (5.1.1.2)."""
    form = normalization.password
    return password(required=True, shortest=SHORTEST_PASSWORD, form=form, validate=check_password)


def email_address(**kwargs: Any) -> Str:
    """One mailbox in one spelling."""
    return Str(longest=254, form=normalization.email_address, example="anna@example.com", **kwargs)


def phone_number(**kwargs: Any) -> Str:
    """A telephone number as it is copied from anywhere."""
    return Str(longest=30, form=normalization.phone_number, example="+371 20000001", **kwargs)


def one_time_code(*, longest: int = 30, **kwargs: Any) -> Str:
    """A code as it is copied from anywhere."""
    return Str(longest=longest, form=normalization.one_time_code, example="492039", **kwargs)


def link_token() -> Str:
    """What a link or an answer carried."""
    return Str(required=True, longest=200, form=normalization.token, example="17.mM5T1LQ0x3kXb7eYxM3RSP")


class UserTypeInput(Input):
    """What somebody comes for; a word that is none of these is one of the fields that nobody knows."""

    user_type = Str(example="freelancer", metadata={"description": f"One of {', '.join(USER_TYPES)}"})

    @post_load
    def known_type(self, data: JsonObject, **_: Any) -> JsonObject:
        """Other clients send words of their own."""
        return data if data.get("user_type") in USER_TYPES else {k: v for k, v in data.items() if k != "user_type"}


class RegistrationSchema(UserTypeInput):
    """A new account."""

    username = Str(required=True, longest=100, validate=check_username, example="anna_k")
    email = email_address(required=True, validate=check_email)
    password = new_password()
    first_name = Str(longest=100, example="Anna")
    last_name = Str(longest=100, example="Kalniņa")
    phone = phone_number(validate=check_phone)


class CredentialsSchema(Input):
    """E-mail or username, and the password."""

    email = email_address()
    username = Str(longest=254, form=normalization.email_address, example="")
    password = password(required=True, shortest=1)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def somebody(self, data: dict[str, Any], sent: Any, **_: Any) -> None:
        """One of the two names; what is wrong with one that was sent is said already."""
        names = ("email", "username")
        is_wrong = isinstance(sent, Mapping) and any(name in sent and name not in data for name in names)
        if isinstance(sent, Mapping) and not is_wrong and not any(data.get(name) for name in names):
            raise ValidationError(MISSING, "email")


class EmailSchema(Input):
    """An address."""

    email = email_address(required=True, validate=check_email)


class ResendSchema(Input):
    """Which address, of whoever is not signed in."""

    email = email_address(validate=check_email)


class EmailChangeSchema(EmailSchema):
    """The next address, and the password to show that it is you."""

    password = password(required=True, shortest=1)


class MailTokenSchema(Input):
    """What the link in the letter carries."""

    token = link_token()


class NewPasswordSchema(MailTokenSchema):
    """And the next password."""

    password = new_password()


class StepUpSchema(Input):
    """The password, or a code where the second factor is on."""

    password = password()
    code = one_time_code()


class PasswordChangeSchema(Input):
    """The present one and the next."""

    current_password = password(required=True, shortest=1)
    new_password = new_password()


class ProfileChangesSchema(Input):
    """Only what is sent is changed."""

    is_active = fields.Boolean(metadata={"example": True, "description": "Only true; see DELETE /api/auth/account"})
    first_name = Str(longest=100, example="Anna")
    last_name = Str(longest=100, example="Kalniņa")
    bio = Str(longest=5000, example="I fix bicycles by the river.")
    phone = phone_number(validate=check_phone)
    city = Str(longest=100, example="Rīga")
    country = Str(longest=100, example="Latvia")
    avatar_url = link()
    profile_picture_url = link()
    language = Choice(*LANGUAGES)
    time_zone = Str(longest=50, validate=check_time_zone, example="Europe/Riga")
    is_helper = fields.Boolean(metadata={"example": True})
    availability = Choice(*AVAILABILITIES)
    skills = Words(example="bicycles, painting")
    helper_categories = Words(example="repair, moving")
    hourly_rate = Amount(example=20)
    currency = Currency()
    latitude = latitude()
    longitude = longitude()

    @post_load
    def still_active(self, data: JsonObject, **_: Any) -> JsonObject:
        """Clients send a profile back as they got it; false would be a way to leave that does nothing."""
        if data.pop("is_active", True) is False:
            raise ValidationError(HOW_TO_LEAVE, "is_active")
        return data


class FirstVisitSchema(UserTypeInput, ProfileChangesSchema):
    """What a first visit asks; all of it may be left out."""

    username = Str(longest=100, validate=check_username, example="anna_k")


class PersonSchema(Schema):
    """What public and private view share."""

    id = Int(required=True, example=1)
    username = Str(required=True, example="anna_k")
    first_name = Str(required=True, example="Anna")
    last_name = Str(required=True, example="Kalniņa")
    avatar_url = Str(required=True, example="https://example.com/me.jpg")
    profile_picture_url = Str(required=True, example="https://example.com/me.jpg")
    bio = Str(required=True, longest=5000, example="I fix bicycles by the river.")
    city = Str(required=True, example="Rīga")
    country = Str(required=True, example="Latvia")
    is_verified = fields.Boolean(required=True, metadata={"example": True})
    user_type = Str(required=True, example="user")
    is_helper = fields.Boolean(required=True, metadata={"example": True})
    hourly_rate = Num(least=0, most=1e12, required=True, allow_none=True, example=20.0)
    hourly_rate_minor = Int(required=True, allow_none=True, example=2000)
    currency = Str(required=True, example="EUR")
    latitude = latitude(required=True, allow_none=True)
    longitude = longitude(required=True, allow_none=True)
    reputation_score = Num(least=0, most=5, required=True, example=4.4)
    completion_rate = Num(least=0, most=100, required=True, example=95.0)
    completed_tasks = Int(required=True, example=19)
    tasks_completed = Int(required=True, example=19)
    average_rating = Num(least=0, most=5, required=True, example=4.8)
    reviews_count = Int(required=True, example=21)
    availability = Choice(*AVAILABILITIES, required=True)
    last_active_at = fields.DateTime(required=True, allow_none=True, metadata={"example": "2026-01-31T10:00:00Z"})
    is_online = fields.Boolean(required=True, metadata={"example": False})
    online_status = Choice("online", "offline", required=True)
    last_seen_display = Str(required=True, allow_none=True, example="5 min ago")
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})


class PublicUserSchema(PersonSchema):
    """A person as others see them; the position is rounded to about a kilometre."""

    skills = fields.List(fields.String(), required=True, metadata={"example": ["bicycles"]})
    helper_categories = fields.List(fields.String(), required=True, metadata={"example": ["repair"]})


class UserSchema(PersonSchema):
    """A person as they see themselves."""

    email = Str(required=True, example="anna@example.com")
    phone = Str(required=True, allow_none=True, example="+371 20000001")
    is_active = fields.Boolean(required=True, metadata={"example": True})
    is_admin = fields.Boolean(required=True, metadata={"example": False})
    onboarding_completed = fields.Boolean(required=True, metadata={"example": True})
    email_verified = fields.Boolean(required=True, metadata={"example": True})
    phone_verified = fields.Boolean(required=True, metadata={"example": False})
    language = Str(required=True, example="en")
    time_zone = Str(required=True, example="Europe/Riga")
    skills = Str(required=True, longest=4000, example="bicycles,painting")
    helper_categories = Str(required=True, longest=4000, example="repair,moving")
    updated_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})


class TokensSchema(Schema):
    """`token` and `access_token` are the same string."""

    message = fields.String(required=True, metadata={"example": "Welcome back."})
    token = fields.String(required=True, metadata={"example": "eyJhbGciOiJIUzI1NiIs..."})
    access_token = fields.String(required=True, metadata={"example": "eyJhbGciOiJIUzI1NiIs..."})
    refresh_token = fields.String(required=True, metadata={"example": "eyJhbGciOiJIUzI1NiIs..."})
    user = fields.Nested(UserSchema, required=True)


class SignInSchema(Schema):
    """Tokens and the person; or, where a second proof is needed, the challenge to answer with it.
    `method` says where the code is found: totp or email. In cookie mode `csrf_token` takes the tokens' place."""

    message = fields.String(required=True, metadata={"example": "Welcome back."})
    token = fields.String(metadata={"example": "eyJhbGciOiJIUzI1NiIs..."})
    access_token = fields.String(metadata={"example": "eyJhbGciOiJIUzI1NiIs..."})
    refresh_token = fields.String(metadata={"example": "eyJhbGciOiJIUzI1NiIs..."})
    csrf_token = fields.String(metadata={"example": "mM5T1LQ0x3kXb7eYxM3RSP.1.a"})
    csrf_refresh_token = fields.String(metadata={"example": "mM5T1LQ0x3kXb7eYxM3RSP.1.r"})
    user = fields.Nested(UserSchema)
    two_factor_required = fields.Boolean(metadata={"example": False})
    challenge_token = fields.String(metadata={"example": "17.mM5T1LQ0x3kXb7eYxM3RSP"})
    method = fields.String(metadata={"example": "totp"})


class RegisteredSchema(TokensSchema):
    """Tokens for the new account."""

    id = Int(required=True, example=1)


class VerificationRequiredSchema(Schema):
    """No tokens yet, whether the address has an account or not: a letter says how to go on."""

    message = Str(required=True, example="A letter is on its way to this address. Open the link in it to go on.")
    verification_required = fields.Boolean(required=True, metadata={"example": True})


class TwoFactorProblemSchema(ProblemSchema):
    """A 401; where its `code` is two_factor_required, with the challenge to answer. `method` is totp or email."""

    code = fields.String(metadata={"example": "two_factor_required"})
    two_factor_required = fields.Boolean(metadata={"example": True})
    challenge_token = fields.String(metadata={"example": "17.mM5T1LQ0x3kXb7eYxM3RSP"})
    method = fields.String(metadata={"example": "totp"})


class SessionSchema(Schema):
    """One place where I am signed in."""

    id = Str(required=True, example="mM5T1LQ0x3kXb7eYxM3RSP")
    device = Str(required=True, example="Mozilla/5.0 (Macintosh) Firefox/140.0")
    address = Str(required=True, example="192.0.2.7")
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    last_used_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    is_current = fields.Boolean(required=True, metadata={"example": True})


class SessionsSchema(Schema):
    """All of them."""

    sessions = fields.List(fields.Nested(SessionSchema), required=True)
    total = Int(required=True, example=1)


class AvailabilitySchema(Schema):
    """Whether a username can still be had."""

    available = fields.Boolean(required=True, metadata={"example": False})
    reason = fields.String(metadata={"example": "This username is taken. Please choose another."})
