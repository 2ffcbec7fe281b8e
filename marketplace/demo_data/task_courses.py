"""Tasks and bookings, lived through to where they stand. Not a room of a slice: it writes through many services."""

from marketplace.auth.models import User
from marketplace.core.database.prices import kept_money
from marketplace.demo_data import queries
from marketplace.demo_data.records import Course, DemoBooking, DemoTask
from marketplace.demo_data.timestamps import Story
from marketplace.disputes import service as disputes_service
from marketplace.offerings import service as offerings_service
from marketplace.reviews import service as reviews_service
from marketplace.tasks import service as tasks_service
from marketplace.tasks.applications import queries as applications_queries
from marketplace.tasks.applications import service as applications_service
from marketplace.tasks.models import Task, price_of


def create_task(record: DemoTask) -> None:
    """With its applications, what was done, and the reviews."""
    story, place = Story(record.key), queries.place_in(record.key, record.district)
    story.step()
    task = tasks_service.post(
        queries.person_of(record.owner),
        title=record.title,
        description=record.description,
        category=record.category,
        budget=record.budget,
        required_skills=record.required_skills,
        deadline=queries.due_in(record.due_in_days),
        priority=record.priority,
        difficulty=record.difficulty,
        import_ref=queries.ref(f"task:{record.key}"),
        **{**place, "location": f"{record.street}, {place['location']}"},
    )
    for one in record.applications:
        story.step()
        applications_service.apply(
            queries.person_of(one.applicant), task.id, message=one.message, proposed_price=one.price
        )
    _run(story, task, record)


def create_booking(record: DemoBooking) -> None:
    """At the client's."""
    story, client = Story(record.key), queries.person_of(record.client)
    story.step()
    task = offerings_service.book(
        client,
        queries.id_of(f"offering:{record.offering}"),
        message=record.message,
        starts_at=queries.due_in(record.due_in_days),
        payment="outside",
        import_ref=queries.ref(f"booking:{record.key}"),
        **queries.place_in(record.client, queries.district_of(record.client)),
    )
    _run(story, task, record)


def _run(story: Story, task: Task, course: Course) -> None:
    """The actions in their order, then what the two say of each other."""
    with_note = [action for action in course.actions if action != "confirm"][-1:]
    for action in course.actions:
        story.step()
        _act(task, *action.split(":"), note=course.note if [action] == with_note else "")
    for user_id, review in (
        (task.creator_id, course.review_of_worker),
        (task.assigned_to_id, course.review_of_client),
    ):
        if review is not None:
            story.step()
            author = queries.user_of(user_id)
            reviews_service.write_about_task(author, task.id, rating=review.rating, content=review.content)
    story.date(*queries.rows_of_task(task.id), since=course.posted_days_ago, until=course.last_step_days_ago)
    queries.let_time_pass_in_dispute(task.id, course.last_step_days_ago)


def _act(task: Task, verb: str, who: str = "", *, note: str) -> None:
    owner = queries.user_of(task.creator_id)
    match verb:
        case "accept":
            _accept(owner, queries.application_of(who, task), task)
        case "reject":
            applications_service.reject(owner, queries.application_of(who, task), task.id)
        case "withdraw":
            applications_service.withdraw(queries.person_of(who), queries.application_of(who, task), task.id)
        case "start":
            tasks_service.start(queries.user_of(task.assigned_to_id), task.id)
        case "decline":
            tasks_service.decline(queries.user_of(task.assigned_to_id), task.id, reason=note)
        case "finish":
            tasks_service.finish(queries.user_of(task.assigned_to_id), task.id, note=note)
        case "confirm":
            tasks_service.confirm(owner, task.id)
        case "dispute":
            opener = queries.user_of(task.assigned_to_id) if who == "worker" else owner
            disputes_service.open_dispute(opener, deal=task.deal_reference, reason="other", description=note)
        case "cancel":
            tasks_service.cancel(owner, task.id, reason=note)
        case _:
            raise ValueError(f"There is no action {verb}.")


def _accept(owner: User, application_id: int, task: Task) -> None:
    application, _ = applications_queries.find(owner, application_id, task.id)
    agreed = kept_money(price_of(application, task.budget_minor), application.currency)
    price = None if agreed is None else agreed.exact
    tasks_service.accept_application(owner, application_id, task.id, price=price, currency=application.currency)
