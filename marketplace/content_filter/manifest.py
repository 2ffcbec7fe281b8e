"""What may not be said: the filter of texts."""

from pathlib import Path

from marketplace.content_filter import service
from marketplace.core.manifest import Manifest

CONTENT_FILTER = Manifest(
    name="content_filter",
    floor=2,
    setup=(service.init_app,),
    personal=Path(__file__).with_name("personal.toml"),
    rule_files={"CONTENT_RULES": service.rules},
)
