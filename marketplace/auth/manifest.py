"""People, their sign-ins, keys and second factors."""

from pathlib import Path

from marketplace.auth import (
    jobs,
    last_use,
    mail_routes,
    places,
    profile_routes,
    proofs,
    routes,
    service,
    standing,
    subscribers,
)
from marketplace.auth.invariants import INVARIANTS
from marketplace.auth.keys import routes as keys_routes
from marketplace.auth.keys import service as keys
from marketplace.auth.keys import usage as key_usage
from marketplace.auth.phone import routes as phone_routes
from marketplace.auth.second_factor import routes as second_factor_routes
from marketplace.auth.signals import rules as signal_rules
from marketplace.core.access import Loaders
from marketplace.core.manifest import Manifest
from marketplace.events import auth as events

AUTH = Manifest(
    name="auth",
    floor=1,
    blueprints=(
        routes.bp,
        profile_routes.bp,
        profile_routes.people_bp,
        mail_routes.bp,
        phone_routes.bp,
        second_factor_routes.bp,
        keys_routes.bp,
    ),
    loaders=Loaders(service.person_of, keys.holder_of, proofs.demand),
    events=(events,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    own=((5.0, last_use.flush), (5.0, key_usage.flush)),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
    erase=(standing.unname,),
    rule_files={"SECURITY_RULES": signal_rules.rules, "GEOIP_DATABASE": places.geoip},
)
