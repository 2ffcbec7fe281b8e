"""Accounts, the audit log and signals in and out."""

from collections.abc import Callable
from typing import Any, ClassVar

from marshmallow import Schema, fields, post_load

from marketplace.auth.models import ROLES
from marketplace.auth.sign_in_risk.rules import COUNTED, HOLD, PASS, STEP_UP
from marketplace.core.http.fields import Choice, Int, Moment, Num, Str
from marketplace.core.http.schemas import Input, PageQuery
from marketplace.kit.json_types import JsonObject
from marketplace.kit.network import client_address, network_of

TIME = "2026-01-31T10:00:00Z"
STATE_OF = {"active": "active", "banned": "suspended"}


def network_address(form: Callable[[str], str | None] = client_address) -> Str:
    """As it was recorded, however it is written."""
    return Str(longest=64, form=lambda text: form(text) or text, example="192.0.2.7")


def moment(*, allow_none: bool = False) -> fields.DateTime:
    """A time going out."""
    return fields.DateTime(required=True, allow_none=allow_none, metadata={"example": TIME})


class AccountQuery(PageQuery):
    """All, or those that fit."""

    q = Str(longest=254, example="anna", metadata={"description": "The beginning of a username or an e-mail"})
    role = Choice(*ROLES)
    state = Choice("active", "suspended", "erased")
    filter = Choice("all", *STATE_OF, metadata={"description": "`state` as administrators' clients call it"})
    input_aliases: ClassVar[dict[str, str]] = {"search": "q"}

    @post_load
    def filtered(self, data: JsonObject, **_: Any) -> JsonObject:
        """The state that the filter means; what `state` says counts before it."""
        state = STATE_OF.get(str(data.pop("filter", "all")))
        return {"state": state, **data} if state else data


class AccountSchema(Schema):
    """An account as staff see it."""

    id = Int(required=True, example=7)
    username = Str(required=True, example="anna_k")
    email = Str(required=True, example="anna@example.com")
    phone = Str(required=True, allow_none=True, example="+37120000001")
    first_name = Str(required=True, example="Anna")
    last_name = Str(required=True, example="Kalniņa")
    role = Str(required=True, example="user")
    is_active = fields.Boolean(required=True, metadata={"example": True})
    is_verified = fields.Boolean(required=True, metadata={"example": False})
    email_verified = fields.Boolean(required=True, metadata={"example": True})
    phone_verified = fields.Boolean(required=True, metadata={"example": False})
    suspended_at = moment(allow_none=True)
    suspension_reason = Str(required=True, allow_none=True, example="Sells what is not there")
    erased_at = moment(allow_none=True)
    last_active_at = moment(allow_none=True)
    created_at = moment()
    is_banned = fields.Boolean(required=True, metadata={"example": False})
    avatar_url = Str(required=True, example="https://example.com/me.jpg")
    rating = Num(least=0, most=5, required=True, example=4.8)
    completed_tasks = Int(required=True, example=19)


class RoleSchema(Input):
    """The role to give."""

    role = Choice(*ROLES, required=True)


class SuspensionSchema(Input):
    """Why; the person is told."""

    reason = Str(longest=500, load_default="", example="Sells what is not there")


class BadgeSchema(Input):
    """Whether the person carries the badge."""

    is_verified = fields.Boolean(load_default=True, metadata={"example": True})


class AuditQuery(PageQuery):
    """All, or those that fit."""

    action = Str(longest=60, example="role.granted")
    actor_id = Int(least=1)
    subject_type = Str(longest=30, example="user")
    subject_id = Int(least=1)
    address = network_address()
    request_id = Str(longest=64, example="a3f1c29b0d4e5f60")
    since = Moment(example=TIME)
    until = Moment(example=TIME)


class AuditRowSchema(Schema):
    """Who did what to what, from where, in which request; without an actor it was the marketplace itself."""

    id = Int(required=True, example=1)
    created_at = moment()
    actor_id = Int(required=True, allow_none=True, example=1)
    action = Str(required=True, example="role.granted")
    subject_type = Str(required=True, example="user")
    subject_id = Int(required=True, allow_none=True, example=7)
    address = Str(required=True, example="192.0.2.7")
    request_id = Str(required=True, example="a3f1c29b0d4e5f60")
    details = fields.Dict(required=True, metadata={"example": {"role": "moderator", "before": "user"}})


class SignalQuery(PageQuery):
    """All, or those that fit."""

    kind = Choice(*sorted(COUNTED))
    user_id = Int(least=1)
    address = network_address(network_of)
    verdict = Choice(PASS, STEP_UP, HOLD)
    least_score = Int(least=0, example=50)


class SignalSchema(Schema):
    """One thing that happened around an account, and what the rules said of it."""

    id = Int(required=True, example=1)
    kind = Str(required=True, example="sign_in")
    user_id = Int(required=True, allow_none=True, example=7)
    address = Str(required=True, example="192.0.2.7")
    device = Str(required=True, example="Mozilla/5.0 (Macintosh) Firefox/140.0")
    country = Str(required=True, example="LV")
    latitude = Num(least=-90, most=90, required=True, allow_none=True, example=56.95)
    longitude = Num(least=-180, most=180, required=True, allow_none=True, example=24.11)
    score = Int(required=True, example=25)
    verdict = Str(required=True, example="pass")
    reasons = fields.List(fields.String(), required=True, metadata={"example": ["a device that was not seen before"]})
    created_at = moment()
