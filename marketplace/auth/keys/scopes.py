"""What API keys can be given: one area of the API each, to read or to write."""

AREAS = (
    "catalog",
    "disputes",
    "favorites",
    "listings",
    "messages",
    "notifications",
    "offerings",
    "payments",
    "people",
    "profile",
    "reviews",
    "search",
    "tasks",
    "uploads",
)
SCOPES = tuple(f"{area}:{verb}" for area in AREAS for verb in ("read", "write"))
