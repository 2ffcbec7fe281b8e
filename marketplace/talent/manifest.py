"""Talent: people who offer to help."""

from marketplace.core.manifest import Manifest, Searchable, Subject
from marketplace.events import auth, reviews, tasks, verification
from marketplace.talent import queries, routes

TALENT = Manifest(
    name="talent",
    floor=5,
    blueprints=(routes.bp,),
    topics={
        "people": (
            *(auth.UserRegistered, auth.ProfileChanged, auth.AccountSuspended, auth.AccountReinstated),
            *(auth.AccountErased, verification.VerificationDecided, reviews.ReviewWritten),
            tasks.TaskCompleted,
        ),
    },
    subjects=(
        Subject(
            "person",
            queries.by_ids,
            search=Searchable(queries.best, queries.latest, queries.facets, title=queries.name_of, text="bio"),
        ),
    ),
)
