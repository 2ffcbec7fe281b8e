"""Uploads: pictures and documents, and the storage they lie in."""

from functools import partial
from pathlib import Path

from marketplace.core.manifest import Manifest, Probe
from marketplace.events import uploads
from marketplace.uploads import jobs, routes, service, subscribers
from marketplace.uploads.gateways import registry as gateways_registry
from marketplace.uploads.invariants import INVARIANTS, missing_files

FILES_AT_ONCE = 100

UPLOADS = Manifest(
    name="uploads",
    floor=2,
    blueprints=(routes.bp,),
    events=(uploads,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    invariants=INVARIANTS,
    checks=(missing_files,),
    personal=Path(__file__).with_name("personal.toml"),
    erase=(partial(service.remove_some_of, batch=FILES_AT_ONCE),),
    readiness=(Probe("storage", gateways_registry.is_writable, seconds=5),),
)
