"""Every slice, in the order in which the API document tells of them; a new one is one more."""

from marketplace.admin.manifest import ADMIN
from marketplace.auth.manifest import AUTH
from marketplace.catalog.manifest import CATALOG
from marketplace.cli.manifest import CLI
from marketplace.core.core_manifest import CORE
from marketplace.core.manifest import Manifest
from marketplace.disputes.manifest import DISPUTES
from marketplace.favorites.manifest import FAVORITES
from marketplace.listings.manifest import LISTINGS
from marketplace.messaging.manifest import MESSAGING
from marketplace.moderation.manifest import MODERATION
from marketplace.notifications.manifest import NOTIFICATIONS
from marketplace.offerings.manifest import OFFERINGS
from marketplace.payments.manifest import PAYMENTS
from marketplace.privacy.manifest import PRIVACY
from marketplace.reviews.manifest import REVIEWS
from marketplace.search.manifest import SEARCH
from marketplace.subscriptions.manifest import SUBSCRIPTIONS
from marketplace.talent.manifest import TALENT
from marketplace.tasks.manifest import TASKS
from marketplace.uploads.manifest import UPLOADS
from marketplace.verification.manifest import VERIFICATION

SLICES: tuple[Manifest, ...] = (
    CORE,
    AUTH,
    VERIFICATION,
    CATALOG,
    UPLOADS,
    MODERATION,
    LISTINGS,
    TASKS,
    TALENT,
    OFFERINGS,
    PAYMENTS,
    SUBSCRIPTIONS,
    DISPUTES,
    MESSAGING,
    REVIEWS,
    FAVORITES,
    SEARCH,
    NOTIFICATIONS,
    ADMIN,
    PRIVACY,
    CLI,
)
