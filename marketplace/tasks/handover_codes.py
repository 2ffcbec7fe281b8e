"""Ending a task by the owner's hand-over code: the worker who enters it has met the owner, and is paid.

Apart from the rooms: verbs around the table of codes in payments/; service.py has those of the task itself.
"""

from marketplace.auth.models import User
from marketplace.core.http.access import demand_money_scope
from marketplace.deals.models import task_reference
from marketplace.deals.payments import service as deals_payments_service
from marketplace.kit.errors import NotAllowed
from marketplace.payments import handover_codes as payments_handover_codes
from marketplace.payments import queries as payments_queries
from marketplace.tasks import policy, queries, service


def code_of(user: User, task_id: int, *, fresh: bool = False) -> str:
    """The owner's code; raises 403 for others, 404, 409 where nothing can be handed over or the money is not in
    escrow."""
    task = queries.hold(user, task_id)
    if "owner" not in policy.role_of(user, task):
        raise NotAllowed("Only the owner of this task has its code.")
    task.lifecycle.pick("hand_over", task.status, service.HANDS)
    deals_payments_service.demand(task)
    if payments_queries.held_of(task_reference(task_id)):
        demand_money_scope()  # whoever enters it is paid
    return payments_handover_codes.code_for(task_reference(task_id), user.id, fresh=fresh)


def hand_over(user: User, task_id: int, *, code: str) -> bool:
    """Complete the task by the code, as its worker; False for a wrong one, which is counted. Raises 403, 404, 409."""
    task = queries.hold(user, task_id)
    task.lifecycle.pick("hand_over", task.status, policy.role_of(user, task))
    deals_payments_service.demand(task)
    if not payments_handover_codes.guess(task_reference(task_id), code):
        return False
    service.hand_over(user, task_id)
    return True
