"""Every column of every model sent on every write: none arrives that the request's schema does not name."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask, request
from pyotp import TOTP
from sqlalchemy import JSON, Boolean, Column, Date, Float, Integer, Table, select, update
from werkzeug.test import TestResponse

from marketplace.auth import one_time_codes, service
from marketplace.auth.email import service as email_service
from marketplace.auth.email import tokens as email_tokens
from marketplace.auth.models import MailToken, User
from marketplace.auth.phone import service as numbers
from marketplace.auth.phone.models import PhoneCode
from marketplace.core.database.db import Base, CommaList, UTCDateTime, db, execute, fetch, in_transaction
from marketplace.favorites import service as favorites
from marketplace.favorites.models import Favorite
from tests.conftest import recorded
from tests.factories import money, talks, things
from tests.factories.people import Person, sign_up

MOMENT = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
OTHERS_NUMBER = "+37120000003"
NOWHERE = "127.0.0.1:9"
FIRST_NUMBER = 987_654_000
ENDS_OWN_SIGN_IN = {"/api/auth/logout"}
NO_JSON = {"/api/uploads/incoming/<stem>"}
CHOSEN: dict[str, Any] = {
    "id": 999_999,
    "role": "admin",
    "status": "archived",
    "email": "poison@example.com",
    "username": "poison_name",
    "username_key": "poison_name",
    "phone": "+371 29998887",
    "phone_key": "+37129998887",
    "average_rating": 4.987654,
    "reputation_score": 4.987654,
    "currency": "GBP",
    "country": "QX",
    "language": "ru",
    "quiet_from": "03:33",
    "quiet_to": "03:34",
    "extension": "poi",
    "is_active": False,
    "enabled": False,
    "price_type": "fixed",
    "priority": "high",
}
DANGEROUS = (
    *("id", "user_id", "owner_id", "creator_id", "seller_id", "sender_id", "reviewer_id", "applicant_id"),
    *("assigned_to_id", "decided_by_id", "participant_1_id", "task_id", "role", "status", "is_active", "is_verified"),
    *("email_verified", "phone_verified", "email", "username", "phone_key", "password_hash", "average_rating"),
    *("rating_sum", "reviews_count", "completed_tasks", "created_at", "updated_at", "price_minor", "budget_minor"),
    *("is_featured", "views_count", "version", "import_ref", "scopes", "requests_a_day", "suspended_at", "proved_at"),
    *("expires_at", "is_private", "has_thumbnails", "reviewed_as", "passed_over", "booked", "secret", "generation"),
)
PARTS = 3
# What the examples cannot do in this small world, each with why.
REFUSED = {
    ("POST", "/api/tasks/<int:task_id>/applications/<int:application_id>/accept"): "was accepted just before",
    ("POST", "/api/auth/phone/link"): "is another address of /phone/verify, and a code counts once",
    ("POST", "/api/auth/2fa/verify"): "needs a challenge, which a log-in with a second factor begins",
    ("POST", "/api/auth/2fa/disable"): "needs a code of the next half minute",
    ("POST", "/api/auth/2fa/recovery-codes"): "needs a code of the next half minute",
    ("POST", "/api/payments/webhooks/<provider>"): "needs the provider's signature over these very bytes",
}

# What a route is there to write: its columns are sent the other way round, and must still come out its way.
OWN_WORK = {
    "/api/admin/users/<int:user_id>/ban": {"is_active": "users"},
    "/api/admin/verifications/<int:verification_id>/approve": {"is_verified": "users"},
    "/api/auth/email/verify": {"email_verified": "users"},
    "/api/auth/password/reset": {"email_verified": "users"},
    "/api/auth/reset-password": {"email_verified": "users"},
    "/api/auth/phone/verify": {"phone_verified": "users"},
    "/api/auth/complete-registration": {"onboarding_completed": "users"},
    "/api/listings/<int:listing_id>/archive": {"status": "listings"},
    "/api/offerings/<int:offering_id>/book": {"booked": "tasks"},
}

Rows = dict[str, dict[Any, dict[str, Any]]]


@dataclass
class World:
    """People with everything one can write to, and a bystander whom nothing concerns."""

    app: Flask
    actors: list[Person]
    bystander: Person
    ids: dict[str, Any]
    bodies: dict[str, Callable[[], dict[str, Any]]] = field(default_factory=dict)
    rows: Rows | None = None


@dataclass(frozen=True)
class Write:
    """One documented write, its path filled in, and the fields its schema names."""

    method: str
    rule: str
    path: str
    example: dict[str, Any]
    documented: frozenset[str]
    takes_json: bool


@pytest.fixture
def world(app: Flask, monkeypatch: pytest.MonkeyPatch) -> World:
    """One of each thing, in the state its writes want."""
    monkeypatch.setitem(app.config, "OUTGOING_ALLOWED", [NOWHERE])
    owner, other, bystander = (sign_up(app, name) for name in ("owner", "other", "bystander"))
    admin = sign_up(app, "chief", role="admin")
    forgetful, subject = sign_up(app, "forgetful"), sign_up(app, "subject")
    ids = {**_posted(owner, other), **_deals(owner, other), "user_id": subject.id, "reviewed_user_id": other.id}
    ids |= _money(app, owner, other)
    ids |= {"category_id": _category(app), "notification_id": 1, "notification_ids": [1], "ids": [1], "queue": "jobs"}
    ids |= {
        "row_id": 1,
        "search_id": owner.post("/api/saved-searches", json={"name": "Mine", "q": "bicycle"}).json["id"],
        "verification_id": _verification(subject),
        "to_refuse": _verification(forgetful),
        "report_id": other.post("/api/reports", {"type": "user", "target_id": subject.id, "reason": "x"}).json["id"],
        "item_type": "task",
        "item_id": ids["task_id"],
        "emoji": "👍",
        "room": talks.room(owner, other),
        "member_ids": [other.id],
        **_disputed(owner, other, admin),
    }
    talks.pair(owner, subject)  # or they would not be let into the room
    made = World(app, [owner, other, admin], bystander, ids)
    made.bodies = _bodies(made, owner)
    return made


def _posted(owner: Person, other: Person) -> dict[str, Any]:
    """What the owner has on offer, has said and has stored."""
    task = things.task(owner)["id"]
    talk = owner.post("/api/messages/conversations", json={"user_id": other.id, "message": "Good day."}).json
    return {
        "listing_id": things.listing(owner)["id"],
        "offering_id": things.offering(owner)["id"],
        "task_id": task,
        "reference": f"task:{task}",
        "application_id": things.application(other, task)["id"],
        "conversation_id": talk["id"],
        "message_id": talk["conversation"]["last_message"]["id"],
        "upload_id": things.upload(owner)["id"],
        "document": things.upload(owner, "document")["filename"],
    }


def _deals(owner: Person, other: Person) -> dict[str, Any]:
    """Tasks further along, and a review."""
    completed = things.completed_task(owner, other)["id"]
    assigned, to_mark, to_decline = (things.assigned_task(owner, other)["id"] for _ in range(3))
    return {
        "review_id": things.review(owner, completed)["id"],
        "completed": completed,
        "reviewable": things.completed_task(other, owner)["id"],
        "assigned": assigned,
        "to_mark": to_mark,
        "to_decline": to_decline,
        "to_apply": things.task(owner)["id"],
        "to_cancel": things.task(owner)["id"],
        "to_dispute": _done(owner, other),
    }


def _money(app: Flask, owner: Person, other: Person) -> dict[str, Any]:
    """Payments further along, and a payout that can be taken back."""
    to_release = money.paid_task(owner, other)["id"]
    for verb in ("start", "done"):
        assert other.post(f"/api/tasks/{to_release}/{verb}").status_code == 200
    paid = [money.paid_task(owner, other) for _ in range(2)]
    money.finished_task(other, owner, budget=5000)
    money.onboard(owner)
    unpaid = things.assigned_task(owner, other)["id"]
    begun = owner.post("/api/payments", {"task_id": unpaid}, **money.key()).json["id"]
    other.post("/api/subscription", {"plan": "premium", "payment_method": money.VISA}, **money.key())
    return {
        "payment_id": begun,
        "to_pay": things.assigned_task(owner, other)["id"],
        "to_pay_by_path": things.assigned_task(owner, other)["id"],
        "to_hand_over": things.assigned_task(owner, other)["id"],
        "deal_to_pay": f"task:{things.assigned_task(owner, other)['id']}",
        "deal_to_hand_over": f"task:{things.assigned_task(owner, other)['id']}",
        "to_release": to_release,
        "paid": paid[0]["paid"]["id"],
        "paid_task": paid[1]["id"],
        "payout_id": money.payout(owner, 4000)["id"],
        "provider": "fake",
        "refund_id": money.waiting_refund(app, other, money.paid_task(owner, other)["paid"]["id"]),
        "invoice_id": money.invoice(app, other),
        "announcement_id": things.announcement(other),
        "chargeback_id": money.dispute(app, money.paid_task(owner, other)["paid"]["id"]),
    }


def _done(owner: Person, other: Person) -> int:
    """A task whose worker says it is done."""
    task = int(things.assigned_task(owner, other)["id"])
    for verb in ("start", "done"):
        assert other.post(f"/api/tasks/{task}/{verb}").status_code == 200
    return task


def _disputed(owner: Person, other: Person, admin: Person) -> dict[str, Any]:
    """Disputes, each in the state that one of its writes wants, and an offer in the first."""
    ids = {"disputable": _done(owner, other)}
    for name in ("dispute_id", "to_decide", "to_appeal", "to_withdraw"):
        said = {"task_id": _done(owner, other), "reason": "other", "description": "It is not what we agreed."}
        ids[name] = owner.post("/api/disputes", json=said).json["id"]
        other.post(f"/api/disputes/{ids[name]}/respond", json={"content": "No."})
    offered = other.post(f"/api/disputes/{ids['dispute_id']}/offers", json={"outcome": "completed"})
    decided = {"outcome": "completed", "note": "So."}
    admin.put(f"/api/disputes/{ids['to_appeal']}/resolve", json=decided, **money.key())
    return {**ids, "offer_id": offered.json["dispute"]["offers"][0]["id"]}


def _category(app: Flask) -> int:
    with app.app_context():
        found = fetch(select(Base.metadata.tables["categories"].c.id).limit(1))[0].id
        db.session.remove()
    return int(found)


def _verification(person: Person) -> int:
    document = things.upload(person, "document")["filename"]
    sent = person.post("/api/auth/verification", json={"document_type": "passport", "files": [document]})
    return int(sent.json["id"])


def _bodies(world: World, owner: Person) -> dict[str, Callable[[], dict[str, Any]]]:
    """What some examples must hold to be believed."""
    app = world.app
    return {
        "/api/auth/register": lambda: {"username": "newcomer", "email": "newcomer@example.com"},
        "/api/auth/login": lambda: {"username": "other", "email": "other@example.com"},
        "/api/auth/email/change": lambda: {"email": "elsewhere@example.com"},
        "/api/auth/email/verify": lambda: {"token": _mail_token(app, "verify")},
        "/api/auth/password/reset": lambda: {"token": _reset_token(app, "subject@example.com")},
        "/api/auth/reset-password": lambda: {"token": _reset_token(app, "forgetful@example.com")},
        "/api/auth/phone/verify": lambda: {"code": _phone_code(owner)},
        "/api/auth/phone/login": lambda: {"phone": OTHERS_NUMBER, "code": _log_in_code(world.actors[1])},
        "/api/auth/2fa/enable": lambda: {"code": TOTP(owner.post("/api/auth/2fa/setup").json["secret"]).now()},
        "/api/auth/verification": lambda: {"files": [world.ids["document"]]},
        "/api/categories": lambda: {"key": "kites", "name": "Kites"},
        "/api/messages/conversations": lambda: {
            "user_id": world.actors[1].id,
            **dict.fromkeys(("subject_kind", "subject_id", "task_id", "offering_id")),  # it is about one thing
        },
        "/api/messages/conversations/<int:conversation_id>/messages": lambda: {"attachment_url": None},
        "/api/blocks": lambda: {"user_id": world.actors[2].id},
        "/api/reviews": lambda: {
            "reviewed_user_id": world.actors[1].id,
            "task_id": world.ids["reviewable"],
            "order_id": None,
            "listing_id": None,
        },
        "/api/push/subscribe": lambda: {"endpoint": f"https://{NOWHERE}/push", "keys": _browser_keys()},
        "/api/disputes": lambda: {"task_id": world.ids["disputable"]},
        "/api/disputes/<int:dispute_id>/evidence": lambda: {"file": world.ids["document"]},
        "/api/admin/chargebacks/<int:chargeback_id>/evidence": lambda: {"file": None},
        "/api/disputes/<int:dispute_id>/offers": lambda: {"amount": None, "outcome": "completed"},
        "/api/disputes/<int:dispute_id>/resolve": lambda: {"worker_amount": None, "outcome": "completed"},
        "/api/payments": lambda: {"task_id": world.ids["to_pay"]},
        "/api/payments/tasks/<int:task_id>/refund": lambda: {"amount": 1},
        "/api/payments/<int:payment_id>/refund": lambda: {
            "amount": 1,
            "reference": owner.get(f"/api/payments/{world.ids['paid']}").json["reference"],
        },
        "/api/tasks/<int:task_id>/handover": lambda: {
            "code": owner.post(f"/api/tasks/{world.ids['to_hand_over']}/handover-code").json["code"]
        },
        "/api/deals/<reference>/handover": lambda: {
            "code": owner.post(f"/api/deals/{world.ids['deal_to_hand_over']}/handover-code").json["code"]
        },
        "/api/reports": lambda: {"type": "task", "target_id": world.ids["assigned"]},
        "/api/favorites": lambda: {"item_type": "listing", "item_id": world.ids["listing_id"]},
    }


def _browser_keys() -> dict[str, str]:
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    shape = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    parts = {"p256dh": point.public_bytes(*shape), "auth": secrets.token_bytes(16)}
    return {name: urlsafe_b64encode(part).rstrip(b"=").decode() for name, part in parts.items()}


def _in_context(app: Flask, ask: Callable[[], Any]) -> Any:
    with app.app_context():
        found = ask()
        db.session.remove()
    return found


def _mail_token(app: Flask, purpose: str) -> str:
    waiting = select(MailToken.__table__).where(MailToken.purpose == purpose, MailToken.used_at.is_(None))
    return str(_in_context(app, lambda: email_tokens.text_of(fetch(waiting.order_by(MailToken.id.desc()).limit(1))[0])))


def _reset_token(app: Flask, email: str) -> str:
    before = update(MailToken).where(MailToken.purpose == "reset").values(created_at=MOMENT.replace(year=2002))
    _in_context(app, lambda: in_transaction(lambda: execute(before)))
    _in_context(app, lambda: in_transaction(lambda: email_service.send_reset(email)))
    return _mail_token(app, "reset")


def _phone_code(person: Person) -> str:
    person.post("/api/auth/phone/send-code", json={"phone": "+371 20000001"})
    return _newest_code(person.app)


def _log_in_code(person: Person) -> str:
    confirmed = update(User).where(User.id == person.id).values(phone_key=OTHERS_NUMBER, phone_verified=True)
    _in_context(person.app, lambda: in_transaction(lambda: execute(confirmed)))
    _in_context(person.app, lambda: in_transaction(lambda: numbers.send_to_log_in(OTHERS_NUMBER)))
    return _newest_code(person.app)


def _newest_code(app: Flask) -> str:
    newest = select(PhoneCode.__table__).order_by(PhoneCode.id.desc()).limit(1)
    codes = _in_context(app, lambda: [one_time_codes.code_of(row) for row in fetch(newest)])
    return str(codes[0]) if codes else "000000"


PLACES = {
    "/api/tasks/<int:task_id>/start": "assigned",
    "/api/tasks/<int:task_id>/done": "assigned",
    "/api/tasks/<int:task_id>/mark-done": "to_mark",
    "/api/tasks/<int:task_id>/confirm": "assigned",
    "/api/tasks/<int:task_id>/decline": "to_decline",
    "/api/tasks/<int:task_id>/dispute": "to_dispute",
    "/api/tasks/<int:task_id>/cancel": "to_cancel",
    "/api/tasks/<int:task_id>/apply": "to_apply",
    "/api/reviews/task/<int:task_id>": "completed",
    "/api/disputes/<int:dispute_id>/appeal": "to_appeal",
    "/api/disputes/<int:dispute_id>/withdraw": "to_withdraw",
    "/api/disputes/<int:dispute_id>/resolve": "to_decide",
    "/api/payments/tasks/<int:task_id>/pay": "to_pay_by_path",
    "/api/payments/tasks/<int:task_id>/release-payment": "to_release",
    "/api/payments/tasks/<int:task_id>/refund": "paid_task",
    "/api/payments/<int:payment_id>/refund": "paid",
    "/api/tasks/<int:task_id>/handover": "to_hand_over",
    "/api/deals/<reference>/payments": "deal_to_pay",
    "/api/deals/<reference>/handover": "deal_to_hand_over",
    "/api/deals/<reference>/handover-code": "deal_to_hand_over",
    "/api/tasks/<int:task_id>/handover-code": "to_hand_over",
    "/api/admin/verifications/<int:verification_id>/refuse": "to_refuse",
    "/api/messages/conversations/<int:conversation_id>": "room",
    "/api/messages/conversations/<int:conversation_id>/members": "room",
}


def writes(world: World) -> list[Write]:
    """Every POST and PUT, with what its documentation says of the body."""
    document = world.app.test_client().get("/openapi.json").json
    found = []
    for rule in world.app.url_map.iter_rules():
        guarded = hasattr(world.app.view_functions[rule.endpoint], "guard")
        if not guarded or rule.rule in ENDS_OWN_SIGN_IN | NO_JSON:
            continue
        for method in sorted((rule.methods or set()) & {"POST", "PUT", "PATCH"}):
            content = _content(document, rule.rule, method)
            if "multipart/form-data" not in content:
                found.append(_write(world, rule.rule, method, content.get("application/json", {}), document))
    return found


def _content(document: Any, rule: str, method: str) -> dict[str, Any]:
    parts = [f"{{{part.strip('<>').split(':')[-1]}}}" if part.startswith("<") else part for part in rule.split("/")]
    operation = document["paths"].get("/".join(parts), {}).get(method.lower(), {})
    return dict(operation.get("requestBody", {}).get("content", {}))


def _write(world: World, rule: str, method: str, content: dict[str, Any], document: Any) -> Write:
    ids = world.ids
    parts = [
        str(ids[PLACES.get(rule, part.strip("<>").split(":")[-1])]) if part.startswith("<") else part
        for part in rule.split("/")
    ]
    named = frozenset(_properties(content.get("schema", {}), document))
    body = {name: ids.get(name, value) for name, value in (content.get("example") or {}).items()}
    return Write(method, rule, "/".join(parts), body, named, bool(content))


def _properties(schema: dict[str, Any], document: Any) -> set[str]:
    if "$ref" in schema:
        return _properties(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], document)
    inner = [part for name in ("allOf", "anyOf", "oneOf") for part in schema.get(name, [])]
    return set(schema.get("properties", {})).union(*(_properties(part, document) for part in inner))


def poisons(world: World) -> dict[str, Any]:
    """A value for every column of every model that no honest write leaves there."""
    found: dict[str, Any] = {}
    for number, table in enumerate(Base.metadata.sorted_tables):
        for column in table.columns:
            value = _pointing(world, column) or _poison(column, FIRST_NUMBER + 100 * number + len(found) % 100)
            found[column.name] = CHOSEN.get(column.name, _shorter(found.get(column.name, value), value))
    return found


def _shorter(one: Any, other: Any) -> Any:
    """Of two texts the one that fits both columns."""
    texts = isinstance(one, str) and isinstance(other, str)
    return min(one, other, key=len) if texts else one


def _pointing(world: World, column: Column[Any]) -> int | None:
    """Where the column must point at a person, the bystander."""
    points = column.name == "user_id" or any(key.column.table.name == "users" for key in column.foreign_keys)
    return world.bystander.id if points else None


def _poison(column: Column[Any], number: int) -> Any:
    kind = column.type
    if isinstance(kind, Boolean):
        return not _default(column)
    if isinstance(kind, UTCDateTime):
        return MOMENT.isoformat()
    if isinstance(kind, Date):
        return MOMENT.date().isoformat()
    if isinstance(kind, JSON | CommaList):
        return [f"poison-{column.name}"]
    if isinstance(kind, Float):
        return number / 1e8
    if isinstance(kind, Integer):
        return number
    return f"poison-{column.name}"[: getattr(kind, "length", None) or 60]


def _default(column: Column[Any]) -> bool:
    return bool(getattr(column.default, "arg", False))


def rows_of(app: Flask, before: Rows | None = None, written: Sequence[str] = ()) -> Rows:
    """Every row of every table, by its key; of those that no statement writes, as they were `before`."""
    writes = [one for one in written if not one.lstrip().upper().startswith("SELECT")]

    def read() -> Rows:
        tables = [one for one in Base.metadata.sorted_tables if before is None or any(one.name in s for s in writes)]
        return {**(before or {}), **{table.name: _rows(table) for table in tables}}

    return dict(_in_context(app, read))


def _rows(table: Table) -> dict[Any, dict[str, Any]]:
    return {row[0]: dict(row._mapping) for row in fetch(select(table))}


def arrived(before: Rows, after: Rows, sent: dict[str, Any]) -> set[str]:
    """The columns that hold what was sent and did not hold it before."""
    found = set()
    for table, rows in after.items():
        for key, row in rows.items():
            earlier = before[table].get(key, {})
            changed = {name: value for name, value in row.items() if name not in earlier or earlier[name] != value}
            found |= {f"{table}.{name}" for name, value in changed.items() if _is_poisoned(table, name, value, sent)}
    return found


def _is_poisoned(table: str, name: str, value: Any, sent: dict[str, Any]) -> bool:
    if name in sent and _same(Base.metadata.tables[table].c[name], value, sent[name]):
        return True
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return any(isinstance(mark, str) and "poison" in mark and mark in text for mark in _marks(sent))


def _marks(sent: dict[str, Any]) -> list[Any]:
    return [value[0] if isinstance(value, list) else value for value in sent.values()]


def _same(column: Column[Any], value: Any, poison: Any) -> bool:
    """Whether the column's value is the poison; a boolean counts only where it is not the column's usual."""
    if isinstance(value, datetime):
        return isinstance(poison, str) and value == MOMENT and poison.startswith("2001-02-03")
    if isinstance(value, date):
        return value.isoformat() == poison
    if isinstance(column.type, Boolean):
        return value is poison and poison is not _default(column)
    return type(value) is type(poison) and value == poison


def send(world: World, write: Write, extra: dict[str, Any]) -> tuple[set[str], TestResponse]:
    """Send it as each person until one may; what arrived of `extra`, and the last answer."""
    came: set[str] = set()
    extra = {name: value for name, value in extra.items() if name not in write.documented}
    own_work = {name: table for name, table in OWN_WORK.get(write.rule, {}).items() if name in extra}
    sent = {**extra, **{name: not extra[name] for name in own_work}}
    done = {f"{table}.{name}" for name, table in own_work.items()}
    with recorded(world.app) as prepared:
        own = world.bodies.get(write.rule, dict)() if write.takes_json else {}
    body = {name: value for name, value in {**write.example, **own}.items() if value is not None}
    before = rows_of(world.app, world.rows, prepared)
    for person in world.actors:
        with recorded(world.app) as written:
            answer = person.call(write.method, write.path, json={**sent, **body}, **money.key())
        after = world.rows = rows_of(world.app, before, written)
        found = arrived(before, after, extra)
        came, before = came | (found - done), after
        assert answer.status_code < 500, (write.method, write.rule, answer.text)
        if answer.status_code < 300:
            assert done <= found, (write.rule, "wrote what it was sent")
            break
    return came, answer


def send_all(world: World, extra: dict[str, Any]) -> tuple[dict[str, set[str]], dict[tuple[str, str], Any]]:
    """Every write with these beside its example: what arrived, and what was refused."""
    came, refused = {}, {}
    for write in writes(world):
        if write.documented >= set(extra):
            continue
        columns, answer = send(world, write, extra)
        if columns:
            came[f"{write.method} {write.rule}"] = columns
        if answer.status_code >= 300 and write.takes_json:
            refused[write.method, write.rule] = answer.json
    return came, refused


def test_nothing_undocumented_arrives(world: World) -> None:
    came, refused = send_all(world, poisons(world))
    assert came == {}
    assert set(refused) == set(REFUSED), {key: refused.get(key) for key in set(refused) ^ set(REFUSED)}


@pytest.mark.parametrize("part", range(PARTS))
def test_a_few_dangerous_columns_do_not_arrive(world: World, part: int) -> None:
    sent = {column: poisons(world)[column] for column in DANGEROUS[part::PARTS]}
    came, _ = send_all(world, sent)
    assert came == {}


def test_every_column_is_sent(world: World) -> None:
    sent = poisons(world)
    assert {column.name for table in Base.metadata.sorted_tables for column in table.columns} == set(sent)
    assert set(DANGEROUS) <= set(sent)


CARELESS = {"role": "users.role", "email_verified": "users.email_verified", "created_at": "users.created_at"}


@pytest.mark.parametrize("column", CARELESS)
def test_control_a_careless_edit_is_caught(world: World, column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    careful = service.edit_profile

    def careless(user: User, **changes: Any) -> User:
        for name in set(request.json) & set(User.__table__.columns.keys()) - set(changes):
            value = request.json[name]
            setattr(user, name, datetime.fromisoformat(value) if name.endswith("_at") else value)
        return careful(user, **changes)

    monkeypatch.setattr(service, "edit_profile", careless)
    (write,) = (one for one in writes(world) if (one.method, one.rule) == ("PUT", "/api/auth/profile"))
    came, answer = send(world, write, {column: poisons(world)[column]})
    assert (answer.status_code, came) == (200, {CARELESS[column]})


def test_control_a_careless_creation_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    careful = favorites.toggle

    def careless(user: User, **data: Any) -> Any:
        made = careful(user, **data)
        execute(update(Favorite).values(user_id=request.json["user_id"]))
        return made

    monkeypatch.setattr(favorites, "toggle", careless)
    (write,) = (one for one in writes(world) if (one.method, one.rule) == ("POST", "/api/favorites"))
    came, _ = send(world, write, {"user_id": poisons(world)["user_id"]})
    assert came == {"favorites.user_id"}
