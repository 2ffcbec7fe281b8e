"""/api/notifications."""

from typing import Any

from flask import Response

from marketplace.core.http.access import NEWCOMER, SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.schemas import MessageSchema, written
from marketplace.kit.json_types import JsonObject
from marketplace.notifications import preferences, queries, service, unsubscribe
from marketplace.notifications.schemas import (
    JobAlertSavedSchema,
    JobAlertSchema,
    JobAlertShownSchema,
    MarkedSchema,
    MarkReadSchema,
    NewsQuery,
    NotificationSchema,
    NotificationsPage,
    PreferencesInputSchema,
    PreferencesSchema,
    TokenQuery,
    UnreadCountSchema,
)
from marketplace.tasks import queries as tasks_queries

bp = Blueprint(
    "notifications",
    __name__,
    url_prefix="/api/notifications",
    area="notifications",
    access=SIGNED_IN,
    description="What people are told",
)


@bp.get("")
@bp.arguments(queries.NEWS_LIST.arguments(NewsQuery), location="query")
@bp.response(200, NotificationsPage)
def list_notifications(query: dict[str, Any]) -> Answer:
    """List my news, newest first."""
    return queries.of(current_user(), **query)


@bp.get("/unread-count")
@bp.response(200, UnreadCountSchema)
def count_unread_notifications() -> Answer:
    """Count what I have not read."""
    count = queries.unread_count(current_user())
    accepted = tasks_queries.attention(current_user())["accepted_applications"]
    return {"unread_count": count, "count": count, "accepted_applications": accepted}


@bp.post("/<int:notification_id>/read")
@bp.response(200, written(NotificationSchema, "notification"))
def read_notification(notification_id: int) -> Answer:
    """Mark one as read."""
    notification = service.read(current_user(), notification_id)
    return written_answer("notification", queries.view(notification), "Marked as read.")


@bp.post("/read-all")
@bp.response(200, MarkedSchema)
def read_all_notifications() -> Answer:
    """Mark everything as read."""
    return _marked(service.mark_read(current_user()))


@bp.post("/mark-read")
@bp.arguments(MarkReadSchema)
@bp.response(200, MarkedSchema)
def mark_notifications_read(data: dict[str, Any]) -> Answer:
    """Mark these as read, all where none are named."""
    return _marked(service.mark_read(current_user(), data.get("notification_ids", data.get("ids"))))


@bp.delete("/<int:notification_id>")
@bp.response(200, MessageSchema)
def delete_notification(notification_id: int) -> Answer:
    """Take one away."""
    service.remove(current_user(), notification_id)
    return {"message": "The notification is deleted."}


@bp.get("/preferences")
@bp.response(200, PreferencesSchema)
def show_preferences() -> Answer:
    """Show what I am told, by which way, and when."""
    return preferences.of(current_user())


@bp.put("/preferences")
@bp.arguments(PreferencesInputSchema)
@bp.response(200, written(PreferencesSchema, "preferences"))
def choose_preferences(data: dict[str, Any]) -> Answer:
    """Change what I am told, by which way, and when."""
    return written_answer("preferences", preferences.choose(current_user(), **data), "Your choice is saved.")


@bp.get("/job-alerts")
@bp.response(200, JobAlertShownSchema)
def show_job_alert() -> Answer:
    """Show whether I hear of new tasks near me."""
    return preferences.job_alert_answer(current_user())


@bp.put("/job-alerts")
@bp.arguments(JobAlertSchema)
@bp.response(200, JobAlertSavedSchema)
def set_job_alert(data: dict[str, Any]) -> Answer:
    """Choose whether I hear of new tasks near me."""
    alert = preferences.set_job_alert(current_user(), **data)
    saved = written_answer("job_alerts", alert, "Your choice is saved.")
    return {**saved, **preferences.job_alert_answer(current_user())}


@bp.get("/unsubscribe", access=NEWCOMER)
@bp.arguments(TokenQuery, location="query")
@bp.sends_bytes("text/html")
@bp.doc(responses={"404": {"description": "Not one of our links"}})
def show_unsubscription(query: dict[str, Any]) -> Response:
    """Show the button that ends a kind of mail; opening the address alone changes nothing."""
    return unsubscribe.page(query["token"])


@bp.post("/unsubscribe", access=NEWCOMER)
@bp.arguments(TokenQuery, location="query")
@bp.sends_bytes("text/html")
@bp.doc(responses={"404": {"description": "Not one of our links"}})
def unsubscribe_address(query: dict[str, Any]) -> Response:
    """End a kind of mail by one click (RFC 8058), signed in or not."""
    return unsubscribe.leave(query["token"])


def _marked(count: int) -> JsonObject:
    marked = {"notifications_marked_read": count, "updated_count": count}
    return {"message": "Marked as read.", "success": True, **marked}
