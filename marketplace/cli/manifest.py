"""The commands of an operator, which know several slices."""

from marketplace.cli.audit import audit
from marketplace.cli.copy_database import copy_database
from marketplace.cli.copy_uploads import copy_uploads
from marketplace.cli.database import database
from marketplace.cli.demo_escrow import demo_escrow
from marketplace.cli.encryption_keys import encryption_keys, vapid_key_command
from marketplace.cli.handbook import handbook
from marketplace.cli.imports import import_file
from marketplace.cli.queues import jobs_command, messages_command, notifications_command, outbox_command
from marketplace.cli.reindex import reindex
from marketplace.cli.seed import seed
from marketplace.cli.serve import serve
from marketplace.cli.settings import settings_command
from marketplace.cli.users import users
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
        messages_command,
        notifications_command,
        outbox_command,
        seed,
        serve,
        settings_command,
        users,
        vapid_key_command,
    ),
)
