"""The application factory."""

from collections.abc import Mapping
from typing import Any

import click
from flask import Flask
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

import config
import marketplace.core.ops.garbage_collection  # noqa: F401 before all that is large
from marketplace import wiring
from marketplace.core.cache import shared_cache
from marketplace.core.database import db, migrations
from marketplace.core.http import access, json, openapi, query_parameters, rate_limits, response_headers
from marketplace.core.http.blueprint import IdConverter, LateRule, TextConverter
from marketplace.core.http.body_drain import BodyDrain
from marketplace.core.http.docs import pages
from marketplace.core.lists import vocabulary
from marketplace.core.ops import garbage_collection, logs
from marketplace.core.realtime import connections
from marketplace.core.registration import register

EXPOSED = ["ETag", "Link", "Location", "Retry-After", "X-Request-ID", "Idempotency-Replayed"]
EXPOSED += [query_parameters.HEADER, "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
PREFLIGHT_SECONDS = 600  # in which a browser asks no second time whether it may


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """An application with the settings of the environment, or with these."""
    app = Flask("marketplace", static_folder=None)
    app.config.update(settings or _settings_of_process())
    url = app.config["DATABASE_URL"] = db.normalise_url(app.config["DATABASE_URL"])
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = db.engine_options(url, app.config["THREADS"])
    app.url_rule_class = LateRule
    app.url_map.converters |= {"int": IdConverter, "default": TextConverter}
    for part in (json, response_headers, logs, db, shared_cache, vocabulary, access, rate_limits, connections):
        part.init_app(app)
    app.before_request(response_headers.refuse_without_host)  # once there is a clock and a name for what is refused
    migrations.init_app(app, db.db, str(config.ROOT / "migrations"))
    with_cookies = app.config["COOKIE_SIGN_IN"]
    known = {"origins": app.config["CORS_ORIGINS"], "expose_headers": EXPOSED, "supports_credentials": with_cookies}
    # http says Vary: Origin of everything, refusals too
    CORS(app, **known, max_age=PREFLIGHT_SECONDS, always_send=False, vary_header=False)
    register(app, openapi.init_app(app), wiring.SLICES)
    app.register_blueprint(pages.bp)
    app.wsgi_app = response_headers.OneAddress(logs.EveryRequest(app.wsgi_app))  # type: ignore[method-assign]
    if app.config["TRUSTED_PROXIES"]:
        count = app.config["TRUSTED_PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.wsgi_app = BodyDrain(app.wsgi_app)  # type: ignore[method-assign]
    garbage_collection.resume()
    return app


def _settings_of_process() -> Mapping[str, object]:
    given = config.environment_of_process()
    settings = config.load(given)
    for sentence in config.warnings(given):
        click.echo(f"Warning: {sentence}", err=True)
    return settings
