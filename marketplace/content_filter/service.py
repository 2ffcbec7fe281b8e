"""Screen what people write, and record violations."""

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, Response

from marketplace.content_filter.models import Violation
from marketplace.content_filter.rules import REFUSE, SHIPPED, Rules, read_rules
from marketplace.content_filter.verdict import Verdict, find, judge
from marketplace.core.database.db import db, in_transaction
from marketplace.core.http.problems import render_problem
from marketplace.core.ops import current_settings
from marketplace.kit.errors import Invalid

T = TypeVar("T")


class Refused(Invalid):
    """422: the text breaks a rule. The violation is recorded after the transaction of the text was rolled back."""

    code = "content_refused"
    sentence = "This may not be written here."

    def __init__(self, user_id: int, where: str, verdict: Verdict) -> None:
        super().__init__(verdict.sentence or None)
        self.user_id, self.where, self.verdict = user_id, where, verdict


def rules() -> Rules:
    """The rules in force; raises BadFile."""
    return read_rules(current_settings.path("CONTENT_RULES", SHIPPED))


def check(
    user_id: int,
    text: str,
    where: str,
    *,
    trusted: Callable[[], bool] = lambda: False,
    subject_id: int | None = None,
) -> Verdict:
    """Screen a text and record violations in the running transaction. Raises Refused (422), which rolls it back:
    `init_app` records it then for views, `refusals_recorded` for sockets and jobs. `trusted` (the two have a paid deal)
    is asked only where a stranger's text would break a rule."""
    found = find(text, rules())
    verdict = judge(text, found, where)
    if verdict.broken and trusted():
        verdict = judge(text, found, where, trusted=True)
    if verdict.action == REFUSE:
        raise Refused(user_id, where, verdict)
    record(user_id, verdict, where, subject_id)
    return verdict


def record(user_id: int, verdict: Verdict, where: str, subject_id: int | None = None) -> None:
    """Add a row for each broken rule to the running transaction."""
    about = {"user_id": user_id, "subject_type": where, "subject_id": subject_id}
    if verdict.broken:
        db.session.add_all([Violation(rule=rule, action=action, **about) for rule, action in verdict.broken])
        db.session.flush()


def refusals_recorded(work: Callable[[], T]) -> T:
    """Run `work`, transaction and all; what was refused in it is recorded once its transaction is gone."""
    try:
        return work()
    except Refused as refused:
        record_refusal(refused)
        raise


def record_refusal(refused: Refused) -> None:
    """Record a refusal in a transaction of its own, as that of the text was rolled back."""
    in_transaction(lambda: record(refused.user_id, refused.verdict, refused.where))


def init_app(app: Flask) -> None:
    """Record every refusal that leaves a view, before it is answered."""

    def answer(refused: Refused) -> Response:
        record_refusal(refused)
        return render_problem(refused)

    app.register_error_handler(Refused, answer)
