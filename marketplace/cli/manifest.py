"""The commands of an operator, which know several slices."""

from marketplace.cli.audit import audit
from marketplace.cli.copying import copy_database
from marketplace.cli.database import database
from marketplace.cli.demo_escrow import demo_escrow
from marketplace.cli.handbook import handbook
from marketplace.cli.imports import import_file
from marketplace.cli.keys import encryption_keys, vapid_key_command
from marketplace.cli.people import users
from marketplace.cli.queues import jobs_command, letters_command, notifications_command, outbox_command
from marketplace.cli.reindex import reindex
from marketplace.cli.seed import seed
from marketplace.cli.serve import serve
from marketplace.cli.settings import settings_command
from marketplace.cli.uploads import copy_uploads
from marketplace.core.manifest import Manifest

CLI = Manifest(
    name="cli",
    floor=11,
    commands=(
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
    ),
)
