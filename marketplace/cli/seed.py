"""`flask seed`: a small demo town, built by the verbs people use and dated back over the last weeks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import click
from flask import current_app
from rich.console import Console
from rich.table import Table
from sqlalchemy import select, update

from marketplace.auth import service as auth
from marketplace.auth.models import User
from marketplace.cli.errors import on_database
from marketplace.cli.town import lookups as look
from marketplace.cli.town.backdating import Story
from marketplace.cli.town.board import PRESENT
from marketplace.cli.town.endings import ENDED
from marketplace.cli.town.goods import INDOORS
from marketplace.cli.town.outdoors import OUTDOORS
from marketplace.cli.town.people import ADMIN, PASSWORD, PEOPLE, TRY
from marketplace.cli.town.places import PLACES
from marketplace.cli.town.services import BOOKINGS, SERVICES
from marketplace.cli.town.shapes import Booking, Course, Good, Job, Person, Service, Talk
from marketplace.cli.town.talk import FAVORITES, TALKS
from marketplace.cli.town.work import PAST
from marketplace.core.db import execute, fetch, in_transaction, save
from marketplace.core.limits import limiter
from marketplace.core.outbox import publish, relay
from marketplace.core.prices import kept_money
from marketplace.disputes import service as disputes
from marketplace.events.auth import UserRegistered
from marketplace.favorites import service as favorites
from marketplace.favorites.models import Favorite
from marketplace.kit.errors import Problem
from marketplace.kit.json_types import JsonObject
from marketplace.kit.text import split_list
from marketplace.listings import service as listings
from marketplace.listings.models import Listing
from marketplace.messaging import service as messaging
from marketplace.messaging.models import Conversation, Message
from marketplace.offerings import service as offerings
from marketplace.offerings.models import Offering
from marketplace.reviews import service as reviews
from marketplace.tasks import applications, applying
from marketplace.tasks import service as tasks
from marketplace.tasks.models import Task

GOODS, JOBS = INDOORS + OUTDOORS, PAST + ENDED + PRESENT
IN_THE_TOWN = {"CHAT_NEEDS_PLAN": False, "TASK_PAYMENT": "outside"}
REFUSAL = (
    "These are the settings of production, and the passwords of the demo people are public: "
    "say --yes-in-production if you mean it."
)


@dataclass(frozen=True, slots=True)
class TownReport:
    """Whether the town was built just now, and how much there is in it."""

    is_new: bool
    counts: dict[str, int]


@click.command("seed")
@click.option("--yes-in-production", is_flag=True, help="Build it with the settings of production too.")
@on_database
def seed(yes_in_production: bool) -> None:
    """Build a small demo town; once it is there nothing changes."""
    try:
        report = seed_town(yes_in_production=yes_in_production)
    except Problem as problem:
        raise click.ClickException(f"The town could not be built. {problem.sentence}") from problem
    if not report.is_new:
        click.echo("The demo town is here already; nothing was changed.")
        return
    console = Console()
    console.print("The demo town is built: " + ", ".join(f"{n} {name}" for name, n in report.counts.items()) + ".")
    table = Table("name", "e-mail", "password", title="Sign in as", title_justify="left")
    for row in sign_ins():
        table.add_row(*row)
    console.print(table)


def seed_town(*, yes_in_production: bool = False) -> TownReport:
    """Build what is missing of the town; a finished one is left as its people have made it."""
    if current_app.config["ENVIRONMENT"] == "production" and not yes_in_production:
        raise click.ClickException(REFUSAL)
    is_new = not look.is_there(User, ADMIN.key)
    if is_new:
        with _before_there_were_rules():
            for story in _stories(auth.hash_password(PASSWORD)):
                in_transaction(story)
            relay()
    return TownReport(is_new, _counts())


@contextmanager
def _before_there_were_rules() -> Iterator[None]:
    """The town's people worked, paid and talked for weeks before anybody set up this marketplace: no plan was asked
    for, no money was held, and what takes a minute now was said over many days."""
    settings, counting = current_app.config, limiter.enabled
    before = {name: settings[name] for name in IN_THE_TOWN}
    settings.update(IN_THE_TOWN)
    limiter.enabled = False
    try:
        yield
    finally:
        settings.update(before)
        limiter.enabled = counting


def sign_ins() -> list[tuple[str, str, str]]:
    """Name, e-mail and password of those to try who live here."""
    homes = select(User.import_ref, User.email, User.first_name, User.last_name)
    there = {row.import_ref: row for row in fetch(homes.where(User.import_ref.in_([look.ref(key) for key in TRY])))}
    rows = [(hint, there[look.ref(key)]) for key, hint in TRY.items() if look.ref(key) in there]
    return [(f"{row.first_name} {row.last_name}, {hint}", row.email, PASSWORD) for hint, row in rows]


def _stories(password_hash: str) -> Iterator[Callable[[], None]]:
    """In the order in which things depend on each other."""
    for person in PEOPLE:
        yield partial(_once, User, person.key, partial(_move_in, person, password_hash))
    for good in GOODS:
        yield partial(_once, Listing, f"listing:{good.key}", partial(_sell, good))
    for service in SERVICES:
        yield partial(_once, Offering, f"offering:{service.key}", partial(_offer, service))
    for job in JOBS:
        yield partial(_once, Task, f"task:{job.key}", partial(_post, job))
    for booking in BOOKINGS:
        yield partial(_once, Task, f"booking:{booking.key}", partial(_book, booking))
    for talk in TALKS:
        yield partial(_talk, talk)
    yield partial(_finish_town, password_hash)


def _counts() -> dict[str, int]:
    courses = [job.course for job in JOBS] + [booking.course for booking in BOOKINGS]
    return {
        "people": len(PEOPLE) + 1,
        "listings": len(GOODS),
        "tasks": len(JOBS),
        "applications": sum(len(job.offers) for job in JOBS),
        "offerings": len(SERVICES),
        "bookings": len(BOOKINGS),
        "reviews": sum(bool(course.of_worker) + bool(course.of_client) for course in courses),
        "conversations": len(TALKS),
        "messages": sum(len(talk.lines) for talk in TALKS),
        "favorites": sum(len(things.split()) for _, things in FAVORITES),
    }


def _move_in(person: Person, password_hash: str) -> None:
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
            import_ref=look.ref(person.key),
        )
    )
    publish(UserRegistered(user_id=user.id))
    auth.edit_profile(user, hourly_rate=person.rate, **_profile(person))
    user.is_verified = person.rate is not None
    story.date(("users", User.id == user.id), since=person.since, until=person.since)


def _profile(person: Person) -> JsonObject:
    first_name, _, last_name = person.name.partition(" ")
    place = look.place_in(person.key, person.home)
    return {
        "first_name": first_name,
        "last_name": last_name,
        "bio": person.bio,
        "city": PLACES[person.home].name.rpartition(", ")[2],
        "country": "Latvia",
        "is_helper": bool(person.helps),
        "skills": split_list(person.skills),
        "helper_categories": split_list(person.helps),
        "latitude": place["latitude"],
        "longitude": place["longitude"],
    }


def _sell(good: Good) -> None:
    story, sale = Story(good.key), good.sale
    seller = look.person_of(sale.seller)
    story.step()
    listing = listings.post(
        seller,
        title=good.title,
        description=good.text,
        category=sale.category,
        price=Decimal(sale.price),
        condition=sale.condition,
        tags=split_list(good.tags),
        listing_type=sale.kind,
        is_negotiable=sale.is_negotiable,
        import_ref=look.ref(f"listing:{good.key}"),
        expires_at=None,  # the town stays as it is
        **look.place_in(good.key, look.home_of(sale.seller)),
    )
    if sale.status != listing.status:
        story.step()
        listings.edit(seller, listing.id, status=sale.status)
    views = story.chance.randint(3, 20 + int(8 * sale.since))
    execute(update(Listing).where(Listing.id == listing.id).values(views_count=views))
    story.date(*look.rows_of("listing", listing.id), since=sale.since, until=sale.since / 3)


def _offer(service: Service) -> None:
    story, terms = Story(service.key), service.terms
    provider = look.person_of(terms.provider)
    story.step()
    offering = offerings.post(
        provider,
        title=service.title,
        description=service.text,
        category=terms.category,
        price=None if terms.price is None else Decimal(terms.price),
        price_type=terms.price_type,
        availability=service.availability,
        experience=service.experience,
        service_radius=terms.radius,
        import_ref=look.ref(f"offering:{service.key}"),
        **look.place_in(service.key, look.home_of(terms.provider)),
    )
    if terms.status != offering.status:
        story.step()
        offerings.edit(provider, offering.id, status=terms.status)
    story.date(*look.rows_of("offering", offering.id), since=terms.since, until=terms.since / 5)


def _post(job: Job) -> None:
    story, place = Story(job.key), look.place_in(job.key, job.place)
    story.step()
    task = tasks.post(
        look.person_of(job.owner),
        title=job.title,
        description=job.text,
        category=job.category,
        budget=job.budget,
        required_skills=split_list(job.skills),
        deadline=look.due_in(job.due),
        priority=job.priority,
        difficulty=job.difficulty,
        import_ref=look.ref(f"task:{job.key}"),
        **{**place, "location": f"{job.street}, {place['location']}"},
    )
    for offer in job.offers:
        story.step()
        applying.apply(look.person_of(offer.who), task.id, message=offer.message, proposed_price=offer.price)
    _run(story, task, job.course)


def _book(booking: Booking) -> None:
    story, client = Story(booking.key), look.person_of(booking.client)
    story.step()
    task = offerings.book(
        client,
        look.id_of(f"offering:{booking.service}"),
        message=booking.message,
        starts_at=look.due_in(booking.due),
        payment="outside",
        import_ref=look.ref(f"booking:{booking.key}"),
        **look.place_in(booking.client, look.home_of(booking.client)),
    )
    _run(story, task, booking.course)


def _run(story: Story, task: Task, course: Course) -> None:
    """The deeds in their order, then what the two say of each other."""
    deeds = course.deeds.split()
    telling = [deed for deed in deeds if deed != "confirm"][-1:]
    for deed in deeds:
        story.step()
        _deed(task, *deed.split(":"), words=course.words if [deed] == telling else "")
    for user_id, review in ((task.creator_id, course.of_worker), (task.assigned_to_id, course.of_client)):
        if review is not None:
            story.step()
            reviews.write_about_task(look.user_of(user_id), task.id, rating=review[0], content=review[1])
    story.date(*look.rows_of_task(task.id), since=course.since, until=course.until)
    look.let_time_pass_in_dispute(task.id, course.until)


def _deed(task: Task, verb: str, who: str = "", *, words: str) -> None:
    owner = look.user_of(task.creator_id)
    match verb:
        case "accept":
            _accept(owner, look.application_of(who, task), task)
        case "reject":
            applying.reject(owner, look.application_of(who, task), task.id)
        case "withdraw":
            applying.withdraw(look.person_of(who), look.application_of(who, task), task.id)
        case "start":
            tasks.start(look.user_of(task.assigned_to_id), task.id)
        case "decline":
            tasks.decline(look.user_of(task.assigned_to_id), task.id, reason=words)
        case "finish":
            tasks.finish(look.user_of(task.assigned_to_id), task.id, note=words)
        case "confirm":
            tasks.confirm(owner, task.id)
        case "dispute":
            opener = look.user_of(task.assigned_to_id) if who == "worker" else owner
            disputes.open_dispute(opener, task.id, reason="other", description=words)
        case "cancel":
            tasks.cancel(owner, task.id, reason=words)
        case _:
            raise ValueError(f"There is no deed {verb}.")


def _accept(owner: User, application_id: int, task: Task) -> None:
    application, _ = applications.find(owner, application_id, task.id)
    agreed = kept_money(applications.price_of(application, task.budget_minor), application.currency)
    price = None if agreed is None else agreed.exact
    tasks.accept_application(owner, application_id, task.id, price=price, currency=application.currency)


def _talk(talk: Talk) -> None:
    """Whoever answers has read what was written before."""
    both = {key: look.person_of(key) for key in (talk.first, talk.second)}
    (opener, greeting), *answers = talk.lines
    other = both[talk.second if opener == talk.first else talk.first]
    subject = look.subject_of(talk.about)
    if look.have_talked(both[opener], other, subject):
        return
    story = Story(talk.about + talk.first)
    story.step()
    conversation_id = _open(both[opener], other, greeting, subject)
    for who, line in answers:
        story.step()
        messaging.read_all(both[who], conversation_id)
        messaging.send(both[who], conversation_id, content=line)
    if talk.is_read:
        story.step()
        for user in both.values():
            messaging.read_all(user, conversation_id)
    rows = (
        ("conversations", Conversation.id == conversation_id),
        (
            "messages",
            Message.conversation_id == conversation_id,
        ),
    )
    story.date(*rows, since=talk.since, until=talk.until)


def _open(user: User, other: User, greeting: str, subject: dict[str, int]) -> int:
    if "offering_id" in subject:
        return messaging.contact_provider(user, subject["offering_id"], message=greeting).id
    return messaging.open_with(user, user_id=other.id, message=greeting, **subject)[0].id


def _finish_town(password_hash: str) -> None:
    """The administrator comes last and with the favorites, which have no mark of their own."""
    for key, things in FAVORITES:
        for thing in things.split():
            _keep(look.person_of(key), thing)
    _move_in(ADMIN, password_hash)


def _keep(user: User, thing: str) -> None:
    kind, item_id = thing.partition(":")[0], look.id_of(thing)
    story = Story(f"{user.import_ref} {thing}")
    since = look.age_of(thing) * story.chance.uniform(0.1, 0.8)
    story.step()
    favorites.toggle(user, item_type=kind, item_id=item_id)
    mine = (Favorite.user_id == user.id) & (Favorite.item_type == kind) & (Favorite.item_id == item_id)
    story.date(("favorites", mine), since=since, until=since)


def _once(model: Any, key: str, make: Callable[[], None]) -> None:
    if not look.is_there(model, key):
        make()
