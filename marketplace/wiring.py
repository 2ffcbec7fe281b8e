"""The only module that knows all slices: their routes, their listeners, their commands."""

from flask import Flask
from flask_smorest import Api

from marketplace.auth import routes as auth_routes
from marketplace.auth import service as auth_service
from marketplace.catalog import routes as catalog_routes
from marketplace.cli.audit import audit
from marketplace.cli.copying import copy_database
from marketplace.cli.handbook import handbook
from marketplace.cli.imports import import_file
from marketplace.cli.seed import seed
from marketplace.cli.serve import serve
from marketplace.core import access, health, openapi
from marketplace.favorites import routes as favorites_routes
from marketplace.favorites import subscribers as favorites_subscribers
from marketplace.listings import routes as listings_routes
from marketplace.messaging import routes as messaging_routes
from marketplace.offerings import routes as offerings_routes
from marketplace.reviews import routes as reviews_routes
from marketplace.talent import routes as talent_routes
from marketplace.tasks import application_routes
from marketplace.tasks import routes as tasks_routes

BLUEPRINTS = (
    health.bp,
    auth_routes.bp,
    reviews_routes.profile_bp,
    catalog_routes.bp,
    listings_routes.bp,
    tasks_routes.bp,
    application_routes.bp,
    talent_routes.bp,
    offerings_routes.bp,
    messaging_routes.contact_bp,
    messaging_routes.bp,
    reviews_routes.bp,
    favorites_routes.bp,
)
LISTENERS = (favorites_subscribers,)  # importing them subscribes them

COMMANDS = (audit, copy_database, handbook, import_file, seed, serve)


def init_app(app: Flask, api: Api) -> None:
    """Plug every slice in."""
    access.load_people_with(app, auth_service.person_of)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    for command in COMMANDS:
        app.cli.add_command(command)
    openapi.complete(app, api.spec)
