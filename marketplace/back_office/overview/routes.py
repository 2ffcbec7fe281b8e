"""/api/admin: figures, accounts, subscriptions and settings."""

from typing import Any

from marketplace.auth.account_admin import queries as account_admin_queries
from marketplace.auth.account_admin.schemas import AccountQuery
from marketplace.back_office.overview import queries
from marketplace.back_office.overview.schemas import (
    AnalyticsQuery,
    AnalyticsSchema,
    AnySubscriptionSchema,
    AnySubscriptionsQuery,
    ListedAccountSchema,
    SettingsAnswerSchema,
    SettingsInputSchema,
    SettingsSchema,
    StatsSchema,
)
from marketplace.core.http.access import allowed_to
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.fields import Int
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import page_of, written

bp = Blueprint("overview", __name__, url_prefix="/api/admin", description="Figures, for staff")
FIGURES, SETTINGS = allowed_to(May.SEE_FIGURES), allowed_to(May.SEE_SETTINGS)


@bp.get("/stats", access=FIGURES)
@bp.response(200, StatsSchema)
def show_stats() -> Answer:
    """Count people, tasks, offerings and disputes."""
    return queries.stats()


@bp.get("/analytics", access=FIGURES)
@bp.arguments(AnalyticsQuery, location="query")
@bp.response(200, AnalyticsSchema)
def show_analytics(query: dict[str, Any]) -> Answer:
    """Count what was new, day by day."""
    return queries.analytics(query["range"])


@bp.get("/users", access=allowed_to(May.SEE_PEOPLE))
@bp.arguments(account_admin_queries.ACCOUNTS.arguments(AccountQuery), location="query")
@bp.response(200, page_of(ListedAccountSchema, "users", totalPages=Int(example=1)))
def list_accounts(query: dict[str, Any]) -> Answer:
    """List accounts, the newest first."""
    return queries.accounts(**query)


@bp.get("/subscriptions", access=allowed_to(May.RUN_MONEY))
@bp.arguments(queries.SUBSCRIPTIONS_LIST.arguments(AnySubscriptionsQuery), location="query")
@bp.response(200, page_of(AnySubscriptionSchema, "subscriptions", totalPages=Int(example=1)))
def list_all_subscriptions(query: dict[str, Any]) -> Answer:
    """List everybody's subscriptions, the newest first."""
    return queries.subscriptions(**query)


@bp.get("/settings", access=SETTINGS)
@bp.response(200, SettingsAnswerSchema)
def show_settings() -> Answer:
    """Show what the marketplace was started with."""
    return {"settings": queries.settings()}


@bp.put("/settings", access=SETTINGS)
@bp.arguments(SettingsInputSchema)
@bp.response(200, written(SettingsSchema, "settings"))
def keep_settings(data: dict[str, Any]) -> Answer:
    """Say which of these could be changed: none from here, so that what differs is a 422 that says where."""
    return written_answer("settings", queries.compare(data["settings"]), "Everything is as you sent it.")
