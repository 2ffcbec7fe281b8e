"""Jobs of search: vocabulary and saved searches."""

from datetime import timedelta
from functools import partial

from marketplace.core.database.db import in_transaction
from marketplace.core.lists import full_text
from marketplace.core.queues.jobs import Run, job
from marketplace.search.policy import searchable
from marketplace.search.saved_searches import service as saved_searches_service

AT_ONCE = 500


@job("sweep_words", timeout=600, every=timedelta(days=1))
def sweep_words(run: Run) -> None:
    """Drop words that no text has any more, so that they are not suggested."""
    in_transaction(full_text.sweep_words)


@job("match_searches", timeout=600)
def match_searches(run: Run, kind: str, thing_id: int) -> None:
    """Publish SavedSearchMatched for each saved search a new thing fits; run again it publishes the same."""
    thing, after = searchable()[kind].new(thing_id), 0
    while thing is not None:
        after, fitting = saved_searches_service.waiting_for(kind, thing, after, AT_ONCE)
        for search in fitting:
            in_transaction(partial(saved_searches_service.tell, search, kind, thing_id))
        if not after:
            return
