"""Plugs the slices' manifests into an application, and runs their background work."""

from collections.abc import Iterable
from functools import partial

from flask import Flask
from flask_smorest import Api

from marketplace.core.cache import shared_cache
from marketplace.core.http import access
from marketplace.core.http.blueprint import Blueprint
from marketplace.core.manifest import Lane, Manifest, subjects_of
from marketplace.core.ops import readiness, rule_files
from marketplace.core.queues import outbox
from marketplace.core.queues.background import (
    Background,
    Work,
    all_of,
    celery_for,
    state_of_threads,
    state_of_workers,
    wake_workers,
)


def register(app: Flask, api: Api, slices: tuple[Manifest, ...]) -> None:
    """Plug every slice in; raises ConfigurationError where a file of rules cannot be used."""
    app.extensions["slices"], app.extensions["subjects"] = slices, subjects_of(slices)
    shared_cache.end_topics(app, [(topic, facts) for one in slices for topic, facts in one.topics.items()])
    outbox.follow(app.extensions["subjects"].values())
    for loaders in filter(None, (one.loaders for one in slices)):
        access.load_people_with(app, loaders)
    for prepare in (prepare for one in slices for prepare in one.setup):
        prepare(app)
    with app.app_context():
        for blueprint in _in_document_order(bp for one in slices for bp in one.blueprints):
            api.register_blueprint(blueprint)
    rule_files.check(app, {setting: read for one in slices for setting, read in one.rule_files.items()})
    for plug_in in (plug_in for one in slices for plug_in in one.sockets):
        plug_in(app)
    for probe in (probe for one in slices for probe in one.readiness):
        readiness.add(app, probe.name, probe.ask, vital=probe.vital, seconds=probe.seconds)
    app.extensions["background"] = []
    readiness.add(app, "workers", partial(_workers, app), vital=app.config["JOBS"] == "embedded")
    for command in (command for one in slices for command in one.commands):
        app.cli.add_command(command)


def background(app: Flask) -> list[Background]:
    """The threads of a web process: they do the work, or tell the workers of it."""
    own = [pair for one in app.extensions["slices"] for pair in one.own]
    if app.config["JOBS"] == "celery":
        threads = [Background(app, wake_workers(celery_for(app.config["REDIS_URL"])), own, sweeping=False)]
    else:
        first, *others = (work_of(app, lane) for lane in Lane)
        threads = [Background(app, first, own, sweeping=True)]
        threads += [Background(app, work, sweeping=True) for work in others]
    app.extensions["background"] = threads
    return threads


def work_of(app: Flask, *lanes: Lane) -> Work:
    """Everything that waits in these lanes, until nothing is due."""
    queues = [(lane, work) for one in app.extensions["slices"] for lane, work in one.background]
    return all_of(*(work for wanted in lanes for lane, work in queues if lane == wanted))


def _in_document_order(blueprints: Iterable[Blueprint]) -> list[Blueprint]:
    """As wiring has them; one that `follows` another stands behind it, whatever slice that is of."""
    every = list(blueprints)
    ordered = [one for one in every if not one.follows]
    for one in (one for one in every if one.follows):
        ordered.insert([other.name for other in ordered].index(one.follows) + 1, one)
    return ordered


def _workers(app: Flask) -> str:
    """Workers elsewhere may be gone and this process serves on: whoever waits for it to be ready may be one of them."""
    mine = state_of_threads(app.extensions["background"])
    return state_of_workers(app.config["REDIS_URL"]) if app.config["JOBS"] == "celery" else mine
