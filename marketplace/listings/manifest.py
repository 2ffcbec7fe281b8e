"""Listings: classifieds."""

from functools import partial
from pathlib import Path

from marketplace.core.manifest import ConversationSubject, Manifest, Searchable, Subject
from marketplace.events import listings
from marketplace.listings import jobs, queries, routes, service, subscribers
from marketplace.listings.invariants import INVARIANTS
from marketplace.listings.models import Listing

LISTINGS = Manifest(
    name="listings",
    floor=5,
    blueprints=(routes.bp,),
    events=(listings,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    topics={
        "listings": (listings.ListingPosted, listings.ListingChanged, listings.ListingDeleted, listings.ListingExpired),
    },
    stateful=(Listing,),
    invariants=INVARIANTS,
    subjects=(
        Subject(
            "listing",
            queries.by_ids,
            search=Searchable(queries.best, queries.latest, queries.facets, queries.newly_posted),
            posted=listings.ListingPosted,
            deleted=listings.ListingDeleted,
            delete=service.delete,
            owner="seller_id",
        ),
    ),
    conversation_subjects=(ConversationSubject("listing", "/api/listings/{id}", queries.talked_about, Listing),),
    personal=Path(__file__).with_name("personal.toml"),
    erase=(partial(service.take_down_of, for_good=True),),
)
