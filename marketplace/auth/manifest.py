"""Accounts, sign-ins, API keys and second factors."""

from pathlib import Path

from marketplace.auth import activity, client_context, jobs, routes, service, step_up, subscribers
from marketplace.auth.account_admin import routes as account_admin_routes
from marketplace.auth.account_admin import service as account_admin_service
from marketplace.auth.email import routes as email_routes
from marketplace.auth.invariants import INVARIANTS
from marketplace.auth.keys import routes as keys_routes
from marketplace.auth.keys import service as keys_service
from marketplace.auth.keys import usage
from marketplace.auth.phone import routes as phone_routes
from marketplace.auth.profiles import routes as profiles_routes
from marketplace.auth.second_factor import routes as second_factor_routes
from marketplace.auth.sign_in_risk import rules as sign_in_risk_rules
from marketplace.core.http.access import Loaders
from marketplace.core.manifest import Manifest
from marketplace.events import auth

AUTH = Manifest(
    name="auth",
    floor=1,
    blueprints=(
        routes.bp,
        profiles_routes.bp,
        profiles_routes.people_bp,
        email_routes.bp,
        phone_routes.bp,
        second_factor_routes.bp,
        keys_routes.bp,
        account_admin_routes.bp,
    ),
    loaders=Loaders(service.person_of, keys_service.holder_of, step_up.demand),
    events=(auth,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    own=((5.0, activity.flush), (5.0, usage.flush)),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
    erase=(account_admin_service.unname,),
    rule_files={"SECURITY_RULES": sign_in_risk_rules.rules, "GEOIP_DATABASE": client_context.geoip},
)
