"""Categories: one managed tree for everything on offer."""

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, CommaList, Stamped, answer_conflict
from marketplace.kit.errors import Duplicate

KINDS = ("listing", "task", "offering", "product")
OTHER = "other"


@answer_conflict("uq_categories_key", Duplicate("There is a category with this key already."))
class Category(Stamped, Base):
    """A node of the tree; its `key` is what clients send and other tables store."""

    __tablename__ = "categories"
    __table_args__ = (CheckConstraint("parent_key <> key", name="own_parent"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    parent_key: Mapped[str | None] = mapped_column(ForeignKey("categories.key", onupdate="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    kinds: Mapped[list[str]] = mapped_column(CommaList, default=list)
    aliases: Mapped[list[str]] = mapped_column(CommaList, default=list)
    position: Mapped[int] = mapped_column(default=0)
