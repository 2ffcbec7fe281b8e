"""From a CSV row to a row of ours: the same schemas and rules as the API, one kind at a time."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy import Table

from marketplace.auth import models as auth_models
from marketplace.auth.models import User, area
from marketplace.auth.schemas import ProfileChangesSchema, check_email, email_address
from marketplace.catalog import service as catalog_service
from marketplace.core.database.prices import minor_units
from marketplace.core.http.fields import Moment, Str
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid
from marketplace.kit.json_types import Json, JsonObject
from marketplace.kit.unicode_fold import fold
from marketplace.listings import models as listings_models
from marketplace.listings.schemas import ListingInputSchema
from marketplace.offerings import models as offerings_models
from marketplace.offerings.schemas import OfferingInputSchema
from marketplace.tasks import models as tasks_models
from marketplace.tasks.schemas import TaskInputSchema

# What other marketplaces call our words.
WORDS = {
    "condition": {"excellent": "like_new", "salvage": "poor"},
    "difficulty": {"entry_level": "easy", "beginner": "easy", "intermediate": "medium", "expert": "hard"},
    "price_type": {"per_hour": "hourly", "per_night": "per_item", "per_day": "per_item", "each": "per_item"},
}
CHOICES = ("condition", "difficulty", "price_type", "priority", "listing_type")
PLACE = ("location", "latitude", "longitude")


class PersonRowSchema(ProfileChangesSchema):
    """A person as other sites list them."""

    name = Str(required=True, shortest=1, longest=100)
    email = email_address(validate=check_email)
    created_at = Moment()


Prepare = Callable[[dict[str, Any], str], dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """How one kind of row is checked and where it goes."""

    table: Table
    schema: Schema
    prepare: Prepare
    owner_column: str | None = None
    synonyms: Mapping[str, str] = field(default_factory=dict)

    def row(self, raw: dict[str, Any], ref: str, owner_id: int | None) -> JsonObject:
        """Values of every column; raises ValueError with a plain sentence."""
        try:
            loaded = self.schema.load(_in_our_words(raw))
            values = self.prepare(loaded, ref)
        except ValidationError as error:
            raise ValueError(_sentence(error.messages_dict)) from None
        except Invalid as error:
            raise ValueError(_sentence(error.errors)) from None
        if self.owner_column:
            values[self.owner_column] = owner_id
        moment = values.pop("created_at", None) or now()
        return {**_defaults(self.table), **values, "import_ref": ref, "created_at": moment, "updated_at": moment}


def _in_our_words(raw: dict[str, Any]) -> JsonObject:
    tidy = {name: value for name, value in raw.items() if value not in (None, "")}
    for name in CHOICES:
        if name in tidy:
            word = str(tidy[name]).strip().lower().replace(" ", "_")
            tidy[name] = WORDS.get(name, {}).get(word, word)
    return tidy


def _sentence(errors: Mapping[str, Any]) -> str:
    return " ".join(f"{name}: {' '.join(map(str, found))}" for name, found in errors.items())


def _defaults(table: Table) -> JsonObject:
    """What the model would fill in: a bulk insert does not ask it."""
    return {column.name: _default(column) for column in table.c if column.computed is None and column.name != "id"}


def _default(column: Any) -> Json:
    if column.default is None or column.nullable:
        return None
    usual: Json = column.default.arg if column.default.is_scalar else []
    return usual


def _listing(data: dict[str, Any], _ref: str) -> JsonObject:
    values = {**_traded(data, "price"), "status": "active"}
    return {**values, **listings_models.indexed(values)}


def _task(data: dict[str, Any], _ref: str) -> JsonObject:
    data.setdefault("description", data["title"])
    values = {**_traded(data, "budget"), "status": "open"}
    return {**values, **tasks_models.indexed(values)}


def _offering(data: dict[str, Any], _ref: str) -> JsonObject:
    data.setdefault("description", data["title"])
    values = {**_traded(data, "price"), "status": "active"}
    return {**values, **offerings_models.indexed(values)}


def _traded(data: dict[str, Any], amount: str) -> JsonObject:
    currency = data.get("currency", "EUR")
    category, subcategory = catalog_service.resolve(data["category"], data.get("subcategory"))
    minor = minor_units(amount, data.pop(amount, None), currency)
    return {**data, "currency": currency, "category": category, "subcategory": subcategory, f"{amount}_minor": minor}


def _person(data: dict[str, Any], ref: str) -> JsonObject:
    name, rate = data.pop("name"), data.pop("hourly_rate", None)
    first, _, last = name.partition(" ")
    username = _username(name, ref)
    currency = data.get("currency", "EUR")
    data.setdefault("email", f"{username}@import.invalid")
    data.setdefault("is_helper", rate is not None)
    data = {"first_name": first, "last_name": last, "username": username, **data}
    return {
        **data,
        **auth_models.indexed(data),
        "username_key": username.lower(),
        "email": data["email"],
        "password_set_at": now(),
        "password_hash": "!",  # fits no password: the person signs in after a reset
        "hourly_rate_minor": minor_units("hourly_rate", rate, currency),
        "currency": currency,
        "area_latitude": area(data.get("latitude")),
        "area_longitude": area(data.get("longitude")),
    }


def _username(name: str, ref: str) -> str:
    """Readable, valid, and the same whenever the same row is read."""
    plain = re.sub(r"[^a-z0-9]+", "_", fold(name)).strip("_")[:20] or "person"
    return f"{plain}_{hashlib.blake2b(ref.encode(), digest_size=4).hexdigest()}"


KINDS = {
    "listings": Kind(listings_models.Listing.metadata.tables["listings"], ListingInputSchema(), _listing, "seller_id"),
    "tasks": Kind(
        tasks_models.Task.metadata.tables["tasks"],
        TaskInputSchema(partial=(*PLACE, "description")),
        _task,
        "creator_id",
        {"price": "budget", "skills": "required_skills"},
    ),
    "offerings": Kind(
        offerings_models.Offering.metadata.tables["offerings"],
        OfferingInputSchema(partial=(*PLACE, "description")),
        _offering,
        "creator_id",
        {"hourly_rate": "price", "headline": "title"},
    ),
    "users": Kind(User.metadata.tables["users"], PersonRowSchema(), _person, None, {"headline": "bio", "about": "bio"}),
}
