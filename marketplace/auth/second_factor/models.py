"""Second factors, recovery codes, and sign-ins that wait for one."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.auth.one_time_codes import Guessable
from marketplace.core.database.db import Base, retry_conflict
from marketplace.core.database.encryption import Encrypted
from marketplace.kit.clock import now


@retry_conflict("uq_second_factors_user_id")
class SecondFactor(Base):
    """A person's authenticator, in force from `enabled_at` on. `last_step` is the newest 30 s step a code was taken
    from, so that none counts twice; `wrong` counts bad guesses since `wrong_since`."""

    __tablename__ = "second_factors"
    __table_args__ = (UniqueConstraint("user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    secret: Mapped[str] = mapped_column(Encrypted)
    enabled_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)
    wrong: Mapped[int] = mapped_column(default=0)
    wrong_since: Mapped[datetime] = mapped_column(default=now)
    created_at: Mapped[datetime] = mapped_column(default=now)


class RecoveryCode(Base):
    """One of the ten codes for who lost the authenticator; only its digest is stored."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class Challenge(Guessable, Base):
    """A sign-in that waits for its second proof; `method` is totp or email."""

    __tablename__ = "sign_in_challenges"
    __table_args__ = (
        Index("ix_sign_in_challenges_user_id", "user_id"),
        Index("ix_sign_in_challenges_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    method: Mapped[str] = mapped_column(String(10))
