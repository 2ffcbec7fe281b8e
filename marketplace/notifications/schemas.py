"""News and preferences in and out."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, pre_load

from marketplace.core.http.fields import Choice, Int, Num, Str, Words
from marketplace.core.http.schemas import Input, PageQuery, Query, page_of
from marketplace.kit import normalization
from marketplace.notifications.kinds import CHANNELS, CHOOSABLE, DIGESTS, KINDS

CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
TIME = "2026-01-31T10:00:00Z"
ENDPOINT = "https://push.example.com/send/f3a9"


def check_clock(text: str) -> None:
    """HH:MM."""
    if not CLOCK.fullmatch(text):
        raise ValidationError("An hour is written as HH:MM, such as 22:00.")


class NewsQuery(PageQuery):
    """All, or the unread, or of one type."""

    input_aliases: ClassVar[dict[str, str]] = {"unread_only": "unread"}
    unread = fields.Boolean(metadata={"example": True})
    type = Choice(*KINDS)


class NotificationSchema(Schema):
    """One piece of news; `data` holds the values for a client's own words."""

    id = Int(required=True, example=1)
    user_id = Int(required=True, example=1)
    type = Str(required=True, example="new_application")
    title = Str(required=True, example="A new application")
    message = Str(required=True, longest=5000, example="Juris offers to do “Paint a fence”.")
    data = fields.Dict(required=True, metadata={"example": {"task_title": "Paint a fence", "applicant_name": "Juris"}})
    related_type = Str(required=True, allow_none=True, example="task")
    related_id = Int(required=True, allow_none=True, example=7)
    is_read = fields.Boolean(required=True, metadata={"example": False})
    read_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    created_at = fields.DateTime(required=True, metadata={"example": TIME})


NotificationsPage = page_of(NotificationSchema, "notifications", unread_count=Int(required=True, example=3))


class UnreadCountSchema(Schema):
    """How many are unread (both names are in use), and how many tasks I was given and have not begun."""

    unread_count = Int(required=True, example=3)
    count = Int(required=True, example=3)
    accepted_applications = Int(required=True, example=1)


class MarkReadSchema(Input):
    """Which ones; all where none are named."""

    notification_ids = fields.List(Int(), metadata={"example": [1, 2]})
    ids = fields.List(Int(), metadata={"example": [1, 2]})


class MarkedSchema(Schema):
    """How many were new."""

    message = fields.String(required=True, metadata={"example": "Marked as read."})
    success = fields.Boolean(required=True, metadata={"example": True})
    notifications_marked_read = Int(required=True, example=2)
    updated_count = Int(required=True, example=2)


class QuietHoursSchema(Input):
    """In one's own time zone; over midnight is fine."""

    class Meta(Input.Meta):
        include = {
            "from": Str(required=True, validate=check_clock, example="22:00"),
            "to": Str(required=True, validate=check_clock, example="07:00"),
        }


class ChannelsSchema(Input):
    """By which ways."""

    in_app = fields.Boolean(metadata={"example": True})
    email = fields.Boolean(metadata={"example": True})
    push = fields.Boolean(metadata={"example": True})
    sms = fields.Boolean(metadata={"example": False})


class PreferencesInputSchema(Input):
    """Only what is sent is changed; quiet_hours null means none."""

    kinds = fields.Dict(
        keys=Choice(*CHOOSABLE),
        values=fields.Nested(ChannelsSchema),
        metadata={"example": {"new_message": {"email": False}}},
    )
    quiet_hours = fields.Nested(QuietHoursSchema, allow_none=True)
    digest = Choice(*DIGESTS)

    def _is_left_empty(self, key: str, value: Any) -> bool:
        return key != "quiet_hours" and super()._is_left_empty(key, value)


class PreferencesSchema(Schema):
    """Everything one can choose, as it stands; language and time zone are changed in the profile."""

    kinds = fields.Dict(required=True, metadata={"example": {"new_message": dict.fromkeys(CHANNELS, True)}})
    quiet_hours = fields.Dict(required=True, allow_none=True, metadata={"example": {"from": "22:00", "to": "07:00"}})
    digest = Str(required=True, example="off")
    language = Str(required=True, example="en")
    time_zone = Str(required=True, example="Europe/Riga")


class JobAlertSchema(Input):
    """New tasks near the position of my profile; bare or under `preferences`."""

    enabled = fields.Boolean(metadata={"example": True})
    radius_km = Num(least=0.1, most=100, example=10)
    categories = Words(example="repair, moving")

    @pre_load
    def unwrap(self, data: Any, **_: Any) -> object:
        """Some clients send it inside another object; what stands beside that counts before it."""
        inner = data.get("preferences") if isinstance(data, Mapping) else None
        return {**inner, **data} if isinstance(inner, Mapping) else data


class JobAlertFieldsSchema(Schema):
    """As it stands."""

    enabled = fields.Boolean(required=True, metadata={"example": True})
    radius_km = Num(least=0, most=100, required=True, example=10)
    categories = fields.List(fields.String(), required=True, metadata={"example": ["repair"]})


class JobAlertPreferencesSchema(JobAlertFieldsSchema):
    """And whether there is a place to measure from."""

    has_location = fields.Boolean(required=True, metadata={"example": True})


class JobAlertShownSchema(JobAlertFieldsSchema):
    """As it stands, bare and under `preferences`."""

    preferences = fields.Nested(JobAlertPreferencesSchema, required=True)


class JobAlertSavedSchema(JobAlertShownSchema):
    """As it stands now, bare and in the envelope of a write."""

    message = fields.String(required=True, metadata={"example": "Your choice is saved."})
    job_alerts = fields.Nested(JobAlertFieldsSchema, required=True)


class TokenQuery(Query):
    """From the mail."""

    token = Str(required=True, longest=500, form=normalization.token, example="WzEsIm5ld19yZXZpZXciXQ.mM5T1LQ0")


class SubscriptionInputSchema(Input):
    """What the browser's PushSubscription.toJSON() gives, bare or under `subscription`."""

    endpoint = Str(required=True, longest=1000, example=ENDPOINT)
    keys = fields.Dict(
        keys=fields.String(),
        values=Str(longest=200),
        required=True,
        metadata={"example": {"p256dh": "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA", "auth": "tBHItJI5svbpez7KI4CCXg"}},
    )

    @pre_load
    def unwrap(self, data: Any, **_: Any) -> object:
        """Some clients send the subscription inside another object."""
        inner = data.get("subscription") if isinstance(data, Mapping) else None
        return inner if isinstance(inner, Mapping) else data


class EndpointSchema(Input):
    """Which browser."""

    endpoint = Str(required=True, longest=1000, example=ENDPOINT)


class BrowserSchema(Schema):
    """One browser of mine."""

    id = Int(required=True, example=1)
    endpoint = Str(required=True, example=ENDPOINT)
    user_agent = Str(required=True, example="Firefox")
    device_name = Str(required=True, example="Firefox on Linux")
    created_at = fields.DateTime(required=True, metadata={"example": TIME})


class BrowsersSchema(Schema):
    """All of them."""

    subscriptions = fields.List(fields.Nested(BrowserSchema), required=True)
    total = Int(required=True, example=1)
    count = Int(required=True, example=1)


class BrowserSubscribedSchema(Schema):
    """The browser's subscription."""

    message = Str(required=True, example="This browser will be told.")
    subscription_id = Int(required=True, example=1)


class PushTestSchema(Schema):
    """How many browsers a test was sent on its way to, and how many it could not be; what their services refuse later
    is seen in the deliveries."""

    message = Str(required=True, example="A test is on its way to 2 of your browsers.")
    sent = Int(required=True, example=2)
    failed = Int(required=True, example=0)


class PublicKeySchema(Schema):
    """For the browser's applicationServerKey; both names are in use."""

    public_key = Str(
        required=True, example="BEl62iUYgUivxIkv69yViEuiBIa-Ib9-SkvMeAtA3LFgDzkrxZJjSgSnfckjBJuBkr3qBUYIHBQFLXYp5Nksh8U"
    )
    publicKey = Str(
        required=True, example="BEl62iUYgUivxIkv69yViEuiBIa-Ib9-SkvMeAtA3LFgDzkrxZJjSgSnfckjBJuBkr3qBUYIHBQFLXYp5Nksh8U"
    )
