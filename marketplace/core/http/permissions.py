"""What staff may do: every permission is named here, once, beside the roles that have it."""

from enum import StrEnum


class May(StrEnum):
    """The permissions of the back office."""

    SEE_FIGURES = "figures.see"
    SEE_SETTINGS = "settings.see"
    MODERATE_CONTENT = "content.moderate"
    EDIT_CATALOG = "catalog.edit"
    RUN_QUEUES = "queues.run"
    READ_AUDIT_LOG = "audit_log.read"
    READ_SIGNALS = "signals.read"
    SEE_PEOPLE = "people.see"
    SUSPEND_PEOPLE = "people.suspend"
    GRANT_ROLES = "roles.grant"
    VERIFY_PEOPLE = "people.verify"
    RUN_MONEY = "money.run"
    DECIDE_DISPUTES = "disputes.decide"
    ANNOUNCE = "announcements.write"


STAFF = frozenset({"moderator", "admin"})
MODERATOR = frozenset({May.SEE_FIGURES, May.MODERATE_CONTENT, May.SEE_PEOPLE, May.SUSPEND_PEOPLE})
OF_ROLE: dict[str, frozenset[May]] = {
    "user": frozenset(),
    "moderator": MODERATOR,
    "admin": frozenset(May),
}


def may(role: str, permission: May) -> bool:
    """Whether this role has the permission; nobody has one by a role that is not known."""
    return permission in OF_ROLE.get(role, ())


ROLE_WORDS = {"moderator": "a moderator", "admin": "an admin"}


def roles_with(permission: May) -> list[str]:
    """The roles that have this permission, sorted."""
    return sorted(role for role, permissions in OF_ROLE.items() if permission in permissions)
