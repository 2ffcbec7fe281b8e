"""The only module that knows all slices: their routes, their listeners, their commands."""

from flask import Flask
from flask_smorest import Api

from marketplace.admin import dispute_routes, money_routes, people_routes, verification_routes
from marketplace.admin import routes as admin_routes
from marketplace.auth import jobs as auth_jobs
from marketplace.auth import last_use, mail_routes, places, profile_routes, proofs
from marketplace.auth import routes as auth_routes
from marketplace.auth import service as auth_service
from marketplace.auth import subscribers as auth_subscribers
from marketplace.auth.keys import routes as keys_routes
from marketplace.auth.keys import service as keys
from marketplace.auth.keys import usage as key_usage
from marketplace.auth.phone import routes as phone_routes
from marketplace.auth.second_factor import routes as second_factor_routes
from marketplace.auth.signals import rules as signal_rules
from marketplace.catalog import routes as catalog_routes
from marketplace.cli.audit import audit
from marketplace.cli.copying import copy_database
from marketplace.cli.database import database
from marketplace.cli.demo_escrow import demo_escrow
from marketplace.cli.handbook import handbook
from marketplace.cli.imports import import_file
from marketplace.cli.keys import encryption_keys, vapid_key_command
from marketplace.cli.people import users
from marketplace.cli.queues import (
    jobs_command,
    letters_command,
    notifications_command,
    outbox_command,
)
from marketplace.cli.reindex import reindex
from marketplace.cli.seed import seed
from marketplace.cli.serve import serve
from marketplace.cli.settings import settings_command
from marketplace.cli.uploads import copy_uploads
from marketplace.core import access, cache, counters, health, job_routes, jobs, metrics, outbox, readiness, rule_files
from marketplace.core import sweeps as core_jobs
from marketplace.core.background import Background, all_of, celery_for, state_of_threads, state_of_workers, wake_workers
from marketplace.disputes import jobs as disputes_jobs
from marketplace.disputes import routes as disputes_routes
from marketplace.disputes import subscribers as disputes_subscribers
from marketplace.events import auth, disputes, listings, offerings, reviews, tasks, verification
from marketplace.events.base import Event
from marketplace.favorites import routes as favorites_routes
from marketplace.favorites import subscribers as favorites_subscribers
from marketplace.listings import jobs as listings_jobs
from marketplace.listings import routes as listings_routes
from marketplace.listings import subscribers as listings_subscribers
from marketplace.messaging import room_routes
from marketplace.messaging import routes as messaging_routes
from marketplace.messaging import sockets as messaging_sockets
from marketplace.moderation import service as moderation
from marketplace.notifications import delivering, dispute_subscribers, payment_subscribers, push_routes
from marketplace.notifications import jobs as notifications_jobs
from marketplace.notifications import routes as notifications_routes
from marketplace.notifications import subscribers as notifications_subscribers
from marketplace.offerings import routes as offerings_routes
from marketplace.offerings import subscribers as offerings_subscribers
from marketplace.payments import calling, inbox, payout_routes, reconciling, suspicion
from marketplace.payments import jobs as payments_jobs
from marketplace.payments import routes as payments_routes
from marketplace.payments import service as payments
from marketplace.privacy import jobs as privacy_jobs
from marketplace.privacy import routes as privacy_routes
from marketplace.reviews import jobs as reviews_jobs
from marketplace.reviews import routes as reviews_routes
from marketplace.search import jobs as search_jobs
from marketplace.search import routes as search_routes
from marketplace.search import saved_routes
from marketplace.search import subscribers as search_subscribers
from marketplace.subscriptions import calling as subscriptions_calling
from marketplace.subscriptions import jobs as subscriptions_jobs
from marketplace.subscriptions import plans
from marketplace.subscriptions import routes as subscriptions_routes
from marketplace.subscriptions import subscribers as subscriptions_subscribers
from marketplace.talent import routes as talent_routes
from marketplace.tasks import application_routes, payment_routes
from marketplace.tasks import jobs as tasks_jobs
from marketplace.tasks import routes as tasks_routes
from marketplace.tasks import subscribers as tasks_subscribers
from marketplace.uploads import jobs as uploads_jobs
from marketplace.uploads import routes as uploads_routes
from marketplace.uploads import subscribers as uploads_subscribers
from marketplace.uploads.gateways import chosen
from marketplace.verification import routes as verification_api

BLUEPRINTS = (
    health.bp,
    metrics.bp,
    job_routes.bp,
    auth_routes.bp,
    profile_routes.bp,
    profile_routes.people_bp,
    mail_routes.bp,
    phone_routes.bp,
    second_factor_routes.bp,
    keys_routes.bp,
    verification_api.bp,
    reviews_routes.profile_bp,
    catalog_routes.bp,
    uploads_routes.bp,
    listings_routes.bp,
    tasks_routes.bp,
    application_routes.bp,
    talent_routes.bp,
    offerings_routes.bp,
    payment_routes.bp,
    payment_routes.tasks_bp,
    payments_routes.bp,
    payout_routes.bp,
    payout_routes.payouts_bp,
    subscriptions_routes.plans_bp,
    subscriptions_routes.bp,
    disputes_routes.bp,
    messaging_routes.contact_bp,
    messaging_routes.bp,
    room_routes.bp,
    room_routes.blocks_bp,
    reviews_routes.bp,
    favorites_routes.bp,
    search_routes.bp,
    saved_routes.bp,
    notifications_routes.bp,
    push_routes.bp,
    admin_routes.bp,
    people_routes.bp,
    verification_routes.bp,
    money_routes.bp,
    dispute_routes.bp,
    privacy_routes.bp,
)
LISTENERS = (
    auth_subscribers,
    uploads_subscribers,
    listings_subscribers,
    tasks_subscribers,
    offerings_subscribers,
    disputes_subscribers,
    search_subscribers,
    favorites_subscribers,
    notifications_subscribers,
    payment_subscribers,
    dispute_subscribers,
    subscriptions_subscribers,
)  # importing them subscribes them
JOBS = (
    core_jobs,
    auth_jobs,
    uploads_jobs,
    listings_jobs,
    tasks_jobs,
    reviews_jobs,
    notifications_jobs,
    *(search_jobs, privacy_jobs, payments_jobs, disputes_jobs),
    subscriptions_jobs,
)  # likewise
ASKING = (subscriptions_calling,)  # importing it registers what is asked of payment providers, and what they tell
TOPICS: dict[str, tuple[type[Event], ...]] = {  # lists that strangers share, and the facts that change them
    "listings": (listings.ListingPosted, listings.ListingChanged, listings.ListingDeleted, listings.ListingExpired),
    "tasks": (
        *(tasks.TaskPosted, tasks.TaskChanged, tasks.TaskDeleted, tasks.TaskAssigned, tasks.TaskDeclined),
        *(tasks.TaskCancelled, tasks.TaskExpired, tasks.TaskStarted, tasks.TaskDone, tasks.TaskCompleted),
        *(tasks.TaskDisputed, tasks.ApplicationSent, tasks.ApplicationWithdrawn, disputes.DisputeResolved),
    ),
    "offerings": (offerings.OfferingPosted, offerings.OfferingChanged, offerings.OfferingDeleted),
    "people": (
        *(auth.UserRegistered, auth.ProfileChanged, auth.AccountSuspended, auth.AccountReinstated),
        *(auth.AccountErased, verification.VerificationDecided, reviews.ReviewWritten),
        tasks.TaskCompleted,
    ),
}
FACTS = (outbox.relay,)
WORK = (jobs.plan, jobs.run_due, delivering.deliver_due)
MONEY = (calling.call_due, inbox.read_due)
OWN = (
    (1.0, counters.flush),
    (5.0, last_use.flush),
    (5.0, key_usage.flush),
)  # what a process has in memory, nobody else can write

COMMANDS = (
    audit,
    reindex,
    copy_database,
    copy_uploads,
    database,
    demo_escrow,
    encryption_keys,
    handbook,
    import_file,
    jobs_command,
    letters_command,
    notifications_command,
    outbox_command,
    seed,
    serve,
    settings_command,
    users,
    vapid_key_command,
)


RULES = {
    "FEE_RULES": payments.fee_rules,
    "PAYOUT_RULES": suspicion.in_force,
    "SECURITY_RULES": signal_rules.rules,
    "CONTENT_RULES": moderation.rules,
    "PLANS_FILE": plans.all_plans,
    "GEOIP_DATABASE": places.geoip,
}  # setting → what reads the file it names


def init_app(app: Flask, api: Api) -> None:
    """Plug every slice in."""
    for topic, facts in TOPICS.items():
        for fact in facts:
            cache.topics[fact] = tuple({*cache.topics.get(fact, ()), topic})
    loaders = access.Loaders(auth_service.person_of, keys.holder_of, proofs.demand)
    access.load_people_with(app, loaders)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    rule_files.check(app, RULES)
    metrics.add(reconciling.figures)
    health.init_app(app)
    readiness.add(app, "storage", chosen.is_writable, seconds=5)
    app.extensions["background"] = []
    readiness.add(app, "workers", lambda: _workers(app), vital=app.config["JOBS"] == "embedded")
    messaging_sockets.register(app)
    moderation.init_app(app)
    for command in COMMANDS:
        app.cli.add_command(command)


def background(app: Flask) -> list[Background]:
    """The threads of a web process: they do the work, or tell the workers of it."""
    if app.config["JOBS"] == "celery":
        threads = [Background(app, wake_workers(celery_for(app.config["REDIS_URL"])), OWN, sweeping=False)]
    else:
        threads = [
            Background(app, all_of(*FACTS), OWN, sweeping=True),
            Background(app, all_of(*WORK), sweeping=True),
            Background(app, all_of(*MONEY), sweeping=True),
        ]
    app.extensions["background"] = threads
    return threads


def _workers(app: Flask) -> str:
    """Workers elsewhere may be gone and this process serves on: whoever waits for it to be ready may be one of them."""
    mine = state_of_threads(app.extensions["background"])
    return state_of_workers(app.config["REDIS_URL"]) if app.config["JOBS"] == "celery" else mine
