"""The category tree: resolve what clients send, manage it as an admin."""

from typing import Any

from sqlalchemy import delete, select

from marketplace.catalog.models import OTHER, Category
from marketplace.catalog.queries import tree
from marketplace.core.database.db import after_commit, db, execute, one, save
from marketplace.core.ops import audit_log
from marketplace.kit.errors import Conflict, Invalid


def resolve(key: str, subcategory: str | None = None) -> tuple[str, str | None]:
    """(category, subcategory) to store for the key a client sent: itself when known, the category of an alias, else
    `other` with the key as subcategory. Nothing is refused."""
    wanted = key.strip().lower()
    known = tree().resolve(wanted)
    if known is None:
        return OTHER, subcategory or wanted[:60]
    return known, subcategory or (wanted if known != wanted else None)


def add(*, key: str, name: str, **details: Any) -> Category:
    """Add a node; raises Duplicate (409) or Invalid (422)."""
    _check_parent(key, details.get("parent_key"))
    category = save(Category(key=key, name=name, **details))
    audit_log.record("category.added", "category", category.id, key=key)
    after_commit(tree().forget)
    return category


def change(category_id: int, **changes: Any) -> Category:
    """Rename, move or reorder a node; its key cannot change, as other tables store it."""
    category = find(category_id)
    _check_parent(category.key, changes.get("parent_key"))
    for name, value in changes.items():
        setattr(category, name, value)
    category.touch()
    db.session.flush()
    audit_log.record("category.changed", "category", category.id, changed=sorted(changes))
    after_commit(tree().forget)
    return category


def remove(category_id: int) -> None:
    """Delete a node; raises Conflict (409) while something uses it."""
    category = find(category_id)
    if category.key == OTHER:
        raise Conflict("The category other must stay: unknown keys are kept under it.")
    execute(delete(Category).where(Category.id == category.id))
    audit_log.record("category.removed", "category", category.id, key=category.key)
    after_commit(tree().forget)


def find(category_id: int) -> Category:
    """One node; raises NotFound."""
    return one(select(Category).where(Category.id == category_id), "category")


def _check_parent(key: str, parent_key: str | None) -> None:
    if parent_key is None:
        return
    if not tree().knows(parent_key):
        raise Invalid.field("parent_key", f"There is no category {parent_key}.")
    if key in tree().path(parent_key):
        raise Invalid.field("parent_key", "A category cannot stand under itself.")
