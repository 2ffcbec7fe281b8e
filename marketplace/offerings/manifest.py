"""Offerings: services people can be booked for."""

from functools import partial
from pathlib import Path

from marketplace.core.manifest import Contact, ConversationSubject, Manifest, Searchable, Subject
from marketplace.events import offerings
from marketplace.offerings import queries, routes, service, subscribers
from marketplace.offerings.admin import routes as offerings_admin_routes
from marketplace.offerings.invariants import INVARIANTS
from marketplace.offerings.models import Offering

OFFERINGS = Manifest(
    name="offerings",
    floor=6,
    blueprints=(routes.bp, offerings_admin_routes.bp),
    events=(offerings,),
    subscribers=(subscribers,),
    topics={"offerings": (offerings.OfferingPosted, offerings.OfferingChanged, offerings.OfferingDeleted)},
    stateful=(Offering,),
    invariants=INVARIANTS,
    subjects=(
        Subject(
            "offering",
            queries.by_ids,
            search=Searchable(queries.best, queries.latest, queries.facets, queries.newly_posted),
            posted=offerings.OfferingPosted,
            deleted=offerings.OfferingDeleted,
            delete=service.delete,
        ),
    ),
    conversation_subjects=(
        ConversationSubject(
            "offering",
            "/api/offerings/{id}",
            queries.talked_about,
            Offering,
            offers_work=True,
            contact=Contact(service.demand_contact, service.count_contact),
        ),
    ),
    personal=Path(__file__).with_name("personal.toml"),
    erase=(partial(service.take_down_of, for_good=True),),
)
