"""Every slice, in the order in which the API document tells of them; a new one is one more."""

from marketplace.announcements.manifest import ANNOUNCEMENTS
from marketplace.auth.manifest import AUTH
from marketplace.back_office.manifest import BACK_OFFICE
from marketplace.catalog.manifest import CATALOG
from marketplace.cli.manifest import CLI
from marketplace.content_filter.manifest import CONTENT_FILTER
from marketplace.core.core_manifest import CORE
from marketplace.core.manifest import Manifest
from marketplace.deals.manifest import DEALS
from marketplace.disputes.manifest import DISPUTES
from marketplace.favorites.manifest import FAVORITES
from marketplace.listings.manifest import LISTINGS
from marketplace.messaging.manifest import MESSAGING
from marketplace.notifications.manifest import NOTIFICATIONS
from marketplace.offerings.manifest import OFFERINGS
from marketplace.payments.manifest import PAYMENTS
from marketplace.privacy.manifest import PRIVACY
from marketplace.reports.manifest import REPORTS
from marketplace.reviews.manifest import REVIEWS
from marketplace.search.manifest import SEARCH
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
    CONTENT_FILTER,
    LISTINGS,
    TASKS,
    TALENT,
    OFFERINGS,
    PAYMENTS,
    DEALS,
    DISPUTES,
    MESSAGING,
    REVIEWS,
    REPORTS,
    FAVORITES,
    SEARCH,
    NOTIFICATIONS,
    ANNOUNCEMENTS,
    BACK_OFFICE,
    PRIVACY,
    CLI,
)
