"""Notifications, job alerts and push as the newer client calls them."""

import base64
import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from marketplace.core.queues.outbox import relay
from tests.contract.client import Browser, has
from tests.contract.newer_tables import JOB_ALERT, MARKED, PUSH_SUBSCRIPTION, UNREAD_COUNT
from tests.factories import things

NEWS = "/api/notifications"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def told(person: Browser) -> None:
    """Everything that has happened is told."""
    with person.app.app_context():
        relay()


def subscription() -> dict[str, object]:
    """What a browser sends, at an address nobody is asked at."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    keys = {"p256dh": point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint), "auth": os.urandom(16)}
    coded = {name: base64.urlsafe_b64encode(key).decode().rstrip("=") for name, key in keys.items()}
    return {"endpoint": "https://192.0.0.9/push/abc", "keys": coded}  # RFC 7723: public, and answered by nobody


def test_news_are_counted_listed_and_marked_by_the_newer_names(anna: Browser, juris: Browser) -> None:
    told(anna)
    assert anna.post(f"{NEWS}/read-all").status_code == juris.post(f"{NEWS}/read-all").status_code == 200
    task = things.task(anna.in_process)
    offer = things.application(juris.in_process, task["id"])
    told(anna)
    count = anna.get(f"{NEWS}/unread-count").json
    assert has(count, UNREAD_COUNT)
    assert (count["unread_count"], count["accepted_applications"]) == (1, 0)
    page = anna.get(f"{NEWS}?unread_only=true").json
    assert (len(page["notifications"]), page["unread_count"]) == (1, 1)
    read = anna.post(f"{NEWS}/{page['notifications'][0]['id']}/read").json
    assert has(read, {"message", "notification"})
    assert read["notification"]["is_read"] is True
    assert anna.get(f"{NEWS}?unread_only=true").json["notifications"] == []
    assert read["notification"] in anna.get(f"{NEWS}?unread_only=false").json["notifications"]

    price = {"price": task["budget"], "currency": task["currency"]}
    assert anna.post(f"/api/tasks/{task['id']}/applications/{offer['id']}/accept", json=price).status_code == 200
    told(juris)
    assert juris.get(f"{NEWS}/unread-count").json["accepted_applications"] == 1
    for verb, updated in (("read-all", 1), ("mark-read", 0)):
        marked = juris.post(f"{NEWS}/{verb}", json={}).json
        assert has(marked, MARKED)
        assert marked["updated_count"] == updated


def test_job_alerts_are_flat_and_under_preferences(anna: Browser) -> None:
    path, wanted = f"{NEWS}/job-alerts", {"enabled": True, "radius_km": 7.0, "categories": ["moving"]}
    before = anna.get(path).json
    assert has(before["preferences"], JOB_ALERT)
    assert before["preferences"] == {**{name: before[name] for name in wanted}, "has_location": False}
    anna.put("/api/auth/profile", json=things.RIGA)
    for body in (wanted, {"preferences": {**wanted, "radius_km": 9.0}}):
        saved = anna.put(path, json=body).json
        assert has(saved, {"message", "preferences", "enabled"})
        radius = body.get("preferences", body)["radius_km"]  # type: ignore[attr-defined]
        assert saved["preferences"] == {**wanted, "radius_km": radius, "has_location": True}
        assert anna.get(path).json["radius_km"] == radius


def test_browsers_are_subscribed_named_and_tested(anna: Browser) -> None:
    made = anna.post("/api/push/subscribe", json=subscription(), headers={"User-Agent": FIREFOX})
    assert (made.status_code, set(made.json)) == (201, {"message", "subscription_id"})
    listed = anna.get("/api/push/subscriptions").json
    (shown,) = listed["subscriptions"]
    assert has(shown, PUSH_SUBSCRIPTION)
    assert (shown["id"], shown["device_name"]) == (made.json["subscription_id"], "Firefox on Linux")
    assert listed["count"] == 1
    sent = anna.post("/api/push/test").json
    assert (sent["sent"], sent["failed"]) == (1, 0)
