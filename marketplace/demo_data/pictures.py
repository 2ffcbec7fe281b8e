"""Drawn pictures, stored as their owners would upload them. Not a room of a slice: it writes through uploads."""

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.demo_data import queries
from marketplace.demo_data.icons import icon_of
from marketplace.demo_data.illustrations import illustration, portrait
from marketplace.demo_data.records import DemoListing, DemoOffering, DemoPerson
from marketplace.kit.errors import Busy
from marketplace.uploads import intake
from marketplace.uploads.gateways.storage import StorageFailed


@dataclass(frozen=True, slots=True)
class Picture:
    """A file in its place, thumbnails too."""

    upload_id: int
    url: str


@dataclass(slots=True)
class PictureStore:
    """Gives no pictures where none are wanted, nor any more once the storage has not answered. To be called outside
    of any transaction."""

    is_open: bool
    count: int = 0

    def of_person(self, person: DemoPerson) -> Picture | None:
        """For their profile."""
        return self._store(person.key, lambda: portrait(person.name))

    def of_listing(self, record: DemoListing) -> Picture | None:
        """The seller's."""
        return self._store(record.seller, lambda: _illustration(record))

    def of_offering(self, record: DemoOffering) -> Picture | None:
        """The provider's."""
        return self._store(record.provider, lambda: _illustration(record))

    def _store(self, owner: str, draw: Callable[[], bytes]) -> Picture | None:
        if not self.is_open:
            return None
        try:
            stored = intake.store(queries.person_of(owner).id, draw())
            upload_id, url = int(str(stored["id"])), str(stored["url"])
            intake.make_thumbnails(upload_id)
        except (Busy, StorageFailed):
            self.is_open = False
            return None
        self.count += 1
        return Picture(upload_id, url)


def _illustration(record: DemoListing | DemoOffering) -> bytes:
    return illustration(record.title, record.icon or icon_of(record.category), record.category)
