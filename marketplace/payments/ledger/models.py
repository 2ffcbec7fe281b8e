"""The ledger: accounts, and immutable transfers between them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, retry_conflict
from marketplace.kit.clock import now


@retry_conflict("uq_ledger_accounts_key")
class LedgerAccount(Base):
    """What somebody (or the marketplace, without an owner) has for one purpose in one currency at one provider.

    A balance is credits less debits. Money at a provider is a debt of the provider to us, so that account is
    negative and all balances of a currency sum to zero; a seller's may be, where a refund came after the payout.
    """

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        UniqueConstraint("key"),
        UniqueConstraint("id", "currency"),
        CheckConstraint(
            "balance_minor >= 0 OR purpose IN ('provider', 'available', 'promotions', 'disputed', 'losses')",
            name="balance",
        ),
        Index("ix_ledger_accounts_owner_id", "owner_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str] = mapped_column(String(20))
    currency: Mapped[str] = mapped_column(String(3))
    provider: Mapped[str] = mapped_column(String(20), default="")
    balance_minor: Mapped[int] = mapped_column(default=0)


@retry_conflict("uq_ledger_transfers_key")
class Transfer(Base):
    """One amount from one account to another; `debit_after` and `credit_after` are the two balances then."""

    __tablename__ = "ledger_transfers"
    __table_args__ = (
        UniqueConstraint("key"),
        ForeignKeyConstraint(
            ["debit_id", "currency"],
            ["ledger_accounts.id", "ledger_accounts.currency"],
            name="fk_ledger_transfers_debit",
        ),
        ForeignKeyConstraint(
            ["credit_id", "currency"],
            ["ledger_accounts.id", "ledger_accounts.currency"],
            name="fk_ledger_transfers_credit",
        ),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        Index("ix_ledger_transfers_debit", "debit_id", "id"),
        Index("ix_ledger_transfers_credit", "credit_id", "id"),
        Index("ix_ledger_transfers_subject", "subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120))
    debit_id: Mapped[int]
    credit_id: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    debit_after: Mapped[int]
    credit_after: Mapped[int]
    kind: Mapped[str] = mapped_column(String(30))
    reference: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(default=now)
