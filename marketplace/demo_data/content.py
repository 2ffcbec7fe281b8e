"""People, what they offer, what they say and keep: each function is one transaction's work. Not a room of a slice:
it writes through the services of many."""

from decimal import Decimal
from typing import Any

from sqlalchemy import update

from marketplace.auth import service as auth_service
from marketplace.auth.models import User
from marketplace.core.database.db import execute, save
from marketplace.core.queues.outbox import publish
from marketplace.demo_data import queries
from marketplace.demo_data.dataset import dataset
from marketplace.demo_data.pictures import Picture
from marketplace.demo_data.records import DemoConversation, DemoListing, DemoOffering, DemoPerson
from marketplace.demo_data.timestamps import Story
from marketplace.events.auth import UserRegistered
from marketplace.favorites import service as favorites_service
from marketplace.favorites.models import Favorite
from marketplace.listings import service as listings_service
from marketplace.listings.models import Listing
from marketplace.messaging import service as messaging_service
from marketplace.messaging.models import Conversation, Message
from marketplace.offerings import service as offerings_service
from marketplace.uploads.models import Upload


def create_person(person: DemoPerson, password_hash: str) -> None:
    """As `auth.service.register` does, with a password that is hashed once for all."""
    story = Story(person.key)
    story.step()
    user = save(
        User(
            username=person.username,
            username_key=person.username,
            email=f"{person.key}@example.com",
            password_hash=password_hash,
            role=person.role,
            import_ref=queries.ref(person.key),
        )
    )
    publish(UserRegistered(user_id=user.id))
    auth_service.edit_profile(user, hourly_rate=person.hourly_rate, **_profile(person))
    user.is_verified, user.onboarding_completed = person.hourly_rate is not None, True
    story.date(("users", User.id == user.id), since=person.joined_days_ago, until=person.joined_days_ago)


def set_avatar(person: DemoPerson, picture: Picture) -> None:
    """On the day they joined."""
    story, user = Story(person.key), queries.person_of(person.key)
    story.step()
    auth_service.edit_profile(user, avatar_url=picture.url)
    story.date(("users", User.id == user.id), since=person.joined_days_ago, until=person.joined_days_ago)
    _date_picture(picture, user)


def create_listing(record: DemoListing, picture: Picture | None) -> None:
    """With the number of views that its age makes likely."""
    story, seller = Story(record.key), queries.person_of(record.seller)
    story.step()
    listing = listings_service.post(
        seller,
        title=record.title,
        description=record.description,
        category=record.category,
        price=Decimal(record.price),
        condition=record.condition,
        tags=record.tags,
        listing_type=record.listing_type,
        is_negotiable=record.is_negotiable,
        import_ref=queries.ref(f"listing:{record.key}"),
        expires_at=None,  # demo data stay as they are
        images=[picture.url] if picture else [],
        **queries.place_in(record.key, queries.district_of(record.seller)),
    )
    if record.status != listing.status:
        story.step()
        listings_service.edit(seller, listing.id, status=record.status)
    age = record.posted_days_ago
    views = story.chance.randint(3, 20 + int(8 * age))
    execute(update(Listing).where(Listing.id == listing.id).values(views_count=views))
    story.date(*queries.rows_of("listing", listing.id), since=age, until=age / 3)
    _date_picture(picture, listing)


def create_offering(record: DemoOffering, picture: Picture | None) -> None:
    """Paused or closed where it is so by now."""
    story, provider = Story(record.key), queries.person_of(record.provider)
    story.step()
    offering = offerings_service.post(
        provider,
        title=record.title,
        description=record.description,
        category=record.category,
        price=None if record.price is None else Decimal(record.price),
        price_type=record.price_type,
        availability=record.availability,
        experience=record.experience,
        service_radius=record.service_radius,
        import_ref=queries.ref(f"offering:{record.key}"),
        images=[picture.url] if picture else [],
        **queries.place_in(record.key, queries.district_of(record.provider)),
    )
    if record.status != offering.status:
        story.step()
        offerings_service.edit(provider, offering.id, status=record.status)
    age = record.posted_days_ago
    story.date(*queries.rows_of("offering", offering.id), since=age, until=age / 5)
    _date_picture(picture, offering)


def create_conversation(record: DemoConversation) -> None:
    """Unless the two have talked about this; whoever answers has read what was written before."""
    both = {key: queries.person_of(key) for key in record.participants}
    (opener, greeting), *answers = record.messages
    other = next(user for key, user in both.items() if key != opener)
    subject = queries.subject_of(record.about)
    if queries.have_talked(both[opener], other, subject):
        return
    story = Story(record.about + record.participants[0])
    story.step()
    conversation_id = _open(both[opener], other, greeting, subject)
    for sender, text in answers:
        story.step()
        messaging_service.read_all(both[sender], conversation_id)
        messaging_service.send(both[sender], conversation_id, content=text)
    if record.is_read:
        story.step()
        for user in both.values():
            messaging_service.read_all(user, conversation_id)
    written = ("messages", Message.conversation_id == conversation_id)
    rows = (("conversations", Conversation.id == conversation_id), written)
    story.date(*rows, since=record.first_days_ago, until=record.last_days_ago)


def add_favorite(key: str, thing: str) -> None:
    """Some time after the thing was posted."""
    user, kind, item_id = queries.person_of(key), thing.partition(":")[0], queries.id_of(thing)
    story = Story(f"{user.import_ref} {thing}")
    since = queries.age_of(thing) * story.chance.uniform(0.1, 0.8)
    story.step()
    favorites_service.toggle(user, item_type=kind, item_id=item_id)
    mine = (Favorite.user_id == user.id) & (Favorite.item_type == kind) & (Favorite.item_id == item_id)
    story.date(("favorites", mine), since=since, until=since)


def _profile(person: DemoPerson) -> dict[str, Any]:
    first_name, _, last_name = person.name.partition(" ")
    place = queries.place_in(person.key, person.district)
    return {
        "first_name": first_name,
        "last_name": last_name,
        "bio": person.bio,
        "city": dataset().districts[person.district].name.rpartition(", ")[2],
        "country": "Latvia",
        "is_helper": bool(person.helper_categories),
        "skills": person.skills,
        "helper_categories": person.helper_categories,
        "latitude": place["latitude"],
        "longitude": place["longitude"],
    }


def _open(user: User, other: User, greeting: str, subject: dict[str, str | int]) -> int:
    if subject.get("subject_kind") == "offering":
        return messaging_service.contact_owner(user, "offering", int(subject["subject_id"]), message=greeting).id
    return messaging_service.open_with(user, user_id=other.id, message=greeting, **subject)[0].id


def _date_picture(picture: Picture | None, shown_by: Any) -> None:
    """It came when what shows it came."""
    if picture is not None:
        moment = queries.created_at(type(shown_by), shown_by.id)
        execute(update(Upload).where(Upload.id == picture.upload_id).values(created_at=moment, ready_at=moment))
