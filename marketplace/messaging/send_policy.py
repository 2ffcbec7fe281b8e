"""Limits on sending: blocks, rates, plans, screened content, and the same text to many strangers.

Apart from the rooms: limits on writing, not on seeing, which is what policy.py answers.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from marketplace.auth import queries as auth_queries
from marketplace.auth.models import User
from marketplace.content_filter import service as content_filter_service
from marketplace.content_filter.rules import HOLD, MESSAGE
from marketplace.core.database.db import fetch
from marketplace.core.http import signing
from marketplace.core.http.permissions import STAFF
from marketplace.core.http.rate_limits import spend
from marketplace.core.ops import current_settings
from marketplace.deals import queries as deals_queries
from marketplace.kit.clock import now
from marketplace.kit.errors import NotAllowed, TooMany
from marketplace.kit.text import search_text
from marketplace.messaging import policy
from marketplace.messaging.models import Block, Conversation, Message
from marketplace.payments.subscriptions import plans
from marketplace.payments.subscriptions import queries as subscriptions_queries
from marketplace.payments.subscriptions.plans import START_CONVERSATIONS, Plan

SHORT = 30  # folded characters: greetings are the same from everybody
MOST_STRANGERS, WITHIN = 5, timedelta(hours=1)


class Blocked(NotAllowed):
    """403: one of the two blocks the other; the answer does not say which."""

    code = "blocked"
    sentence = "You cannot write to this person."


class PlanNeeded(NotAllowed):
    """403: writing to a freelancer first needs a plan with that benefit."""

    code = "plan_needed"
    sentence = "To write to a freelancer first you need a plan."

    @classmethod
    def of(cls, unlocking: Sequence[Plan]) -> "PlanNeeded":
        """With a sentence that names the plans."""
        names = " or ".join(f"“{plan.name_in('en')}”" for plan in unlocking if plan.offered)
        return cls(f"{cls.sentence[:-1]}: {names}, see GET /api/plans." if names else None)


class SameWords(TooMany):
    """429: the same text went to MOST_STRANGERS who have not answered."""

    code = "same_words"
    sentence = "You have sent these words to several people. Write to each person what is meant for them."


def check(user: User, conversation: Any) -> None:
    """Raises Blocked (403), TooMany (429)."""
    other_id = policy.other_side(user.id, conversation)
    if other_id is not None:
        refuse_blocked(user.id, other_id)
    spend("messages", f"user:{user.id}", "LIMIT_MESSAGES")
    spend("messages-in", f"{user.id}:{conversation.id}", "LIMIT_MESSAGES_EACH")


def screen_content(user: User, conversation: Any, content: str) -> str:
    """The text as it may be sent: contact data masked until the two have a deal. Raises Refused (422)."""
    other_id = policy.other_side(user.id, conversation)
    return _judged(
        user,
        content,
        trusted=lambda: other_id is not None and deals_queries.have_a_deal(user.id, other_id),
        subject_id=conversation.id,
    )


def titled(user: User, title: str) -> str:
    """A room's title, screened. Raises Refused (422)."""
    return _judged(user, title)


def refuse_blocked(user_id: int, other_id: int) -> None:
    """Raises Blocked (403); who blocked is told so, as they can end it."""
    if policy.is_blocked(user_id, other_id):
        own = select(Block.id).where(Block.blocker_id == user_id, Block.blocked_id == other_id)
        raise Blocked("You have blocked this person. End that before you write." if fetch(own) else None)


def refuse_without_plan(user: User, other_id: int) -> None:
    """Raises PlanNeeded (403) where the settings ask for a plan to write to a freelancer first. Staff and
    people with a deal need none."""
    if not current_settings.switch("CHAT_NEEDS_PLAN") or user.role in STAFF or not auth_queries.is_helper(other_id):
        return
    if subscriptions_queries.unlocks(user.id, START_CONVERSATIONS) or deals_queries.have_begun(user.id, other_id):
        return
    raise PlanNeeded.of(plans.unlocking(START_CONVERSATIONS))


def digest(user: User, conversation: Any, content: str) -> str | None:
    """A keyed digest of the text, to find the same text again; None for short ones. Raises SameWords (429)."""
    said = search_text(content)
    if len(said) < SHORT:
        return None
    found = hmac.new(signing.derived_key("digest"), said.encode(), hashlib.sha256).hexdigest()[:32]
    answer = aliased(Message)
    answered = select(answer.id).where(answer.conversation_id == Conversation.id, answer.sender_id != user.id)
    same = select(func.count(Conversation.id.distinct())).join(Message, Message.conversation_id == Conversation.id)
    same = same.where(Message.sender_id == user.id, Message.digest == found, Message.created_at > now() - WITHIN)
    if fetch(same.where(Conversation.id != conversation.id, ~answered.exists()))[0][0] >= MOST_STRANGERS:
        raise SameWords(retry_after=int(WITHIN.total_seconds()))
    return found


def _judged(user: User, words: str, **about: Any) -> str:
    verdict = content_filter_service.check(user.id, words, MESSAGE, **about)
    if verdict.action == HOLD:
        raise content_filter_service.Refused(user.id, MESSAGE, verdict)  # what is said does not wait for a moderator
    return verdict.text
