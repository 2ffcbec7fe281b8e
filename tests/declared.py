"""What the slices' manifests declare, for tests that go through all of it."""

from marketplace.auth.keys.scopes import scopes_of
from marketplace.cli.handbook import lifecycles
from marketplace.wiring import SLICES

SCOPES = scopes_of(SLICES)
LIFECYCLES = lifecycles(SLICES)
COMMANDS = tuple(command for one in SLICES for command in one.commands)
RULES = {setting: read for one in SLICES for setting, read in one.rule_files.items()}
