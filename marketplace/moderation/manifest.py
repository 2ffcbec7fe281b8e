"""What may not be said: the filter of texts."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.moderation import service

MODERATION = Manifest(
    name="moderation",
    floor=2,
    setup=(service.init_app,),
    personal=Path(__file__).with_name("personal.toml"),
    rule_files={"CONTENT_RULES": service.rules},
)
