"""What must hold between deals, the trades they come from, and the payments below: rules of `flask audit`."""

from marketplace.core.manifest import Invariant
from marketplace.deals.lifecycle import DealStage
from marketplace.kit.lifecycle import Lifecycle

INVARIANTS = (
    Invariant(
        "users: completed_tasks differs from the deals",
        """SELECT u.id FROM users u LEFT JOIN deals d ON d.provider_id = u.id AND d.stage = 'completed'
        GROUP BY u.id, u.completed_tasks HAVING u.completed_tasks <> COUNT(d.id)""",
    ),
    Invariant(
        "deals: completed, delivered or cancelled without a time",
        """SELECT id FROM deals WHERE (stage = 'completed' AND completed_at IS NULL)
        OR (stage = 'delivered' AND delivered_at IS NULL) OR (stage = 'cancelled' AND cancelled_at IS NULL)""",
    ),
    Invariant(  # a bank that disputes the payment is waited for
        "deals: money is held and the deal is over",
        """SELECT d.id FROM payment_shares s JOIN payments p ON p.id = s.payment_id
        JOIN deals d ON d.reference = s.reference
        WHERE s.status = 'held' AND NOT p.is_frozen AND d.stage IN ('completed', 'cancelled')""",
    ),
    Invariant(
        "deals: an open payment is not between its sides",
        """SELECT d.id FROM payment_shares s JOIN payments p ON p.id = s.payment_id
        JOIN deals d ON d.reference = s.active_reference
        WHERE p.payer_id <> d.client_id OR s.payee_id <> d.provider_id""",
    ),
    Invariant(
        "deals: released to somebody else, or before it was completed",
        """SELECT d.id FROM payment_shares s JOIN payments p ON p.id = s.payment_id
        JOIN deals d ON d.reference = s.reference WHERE s.status = 'released'
        AND (d.stage <> 'completed' OR p.payer_id <> d.client_id OR s.payee_id <> d.provider_id)""",
    ),
)


def stage_follows(table: str, lifecycle: Lifecycle) -> Invariant:
    """The rule of a trade: its deals are in the stage that the states of its table say."""
    stages = " ".join(f"WHEN '{state}' THEN '{stage}'" for state, stage in lifecycle.stages.items())
    return Invariant(
        f"deals: the stage is not that of the {lifecycle.thing}",
        f"""SELECT s.id FROM {table} s JOIN deals d ON d.reference = '{lifecycle.thing}:' || s.id
        WHERE d.subject_id <> s.id OR d.stage <> CASE s.status {stages} ELSE '{DealStage.CANCELLED}' END""",
    )
