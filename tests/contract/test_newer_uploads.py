"""Uploads as the newer client reads them."""

import pytest

from tests.contract.client import Browser, has
from tests.contract.newer_tables import STORAGE, UPLOADED
from tests.factories import things


def test_it_is_said_where_files_are_kept(anybody: Browser, anna: Browser) -> None:
    for person in (anybody, anna):
        status = person.get("/api/uploads/status").json
        assert has(status, STORAGE)
        assert status == {"configured": True, "provider": "local"}


@pytest.mark.parametrize(
    ("way", "category"),
    [("", "image"), ("task-image", "task"), ("chat-image", "chat"), ("avatar", "avatar"), ("document", "document")],
)
def test_an_upload_says_what_it_is_for_and_how_large(anna: Browser, way: str, category: str) -> None:
    stored = things.upload(anna.in_process, way)
    assert has(stored, UPLOADED)
    assert (stored["category"], stored["size"] > 0) == (category, True)
