"""Pictures of the demo data: drawn, stored as a client would, and shown."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select

from marketplace.auth.models import User
from marketplace.cli.seed import seed as seed_command
from marketplace.core.database.db import fetch
from marketplace.core.queues.outbox import relay
from marketplace.demo_data import content, service
from marketplace.demo_data.dataset import Dataset, dataset
from marketplace.demo_data.icons import mask
from marketplace.demo_data.illustrations import illustration, initials, portrait
from marketplace.listings.models import Listing
from marketplace.offerings.models import Offering
from marketplace.uploads.models import Upload, UploadUse
from tests.conftest import make_app

SHOWN = {"user": (User, User.avatar_url), "listing": (Listing, Listing.images), "offering": (Offering, Offering.images)}


def small() -> Dataset:
    """One person of each kind and one thing of each kind."""
    data = dataset()
    people = [person for person in data.people if person.key in {"baiba", "oleg"}]
    nothing: dict[str, Any] = {"tasks": [], "bookings": [], "conversations": [], "favorites": {}}
    return replace(data, people=people, listings=data.listings[:1], offerings=data.offerings[:1], **nothing)


@pytest.fixture
def small_town(context: Flask) -> Flask:
    """Filled with that, pictures too."""
    report = service.seed(small())
    assert (report.has_pictures, report.counts["pictures"]) == (True, 5)
    return context


def test_a_client_sees_them_and_their_thumbnails(small_town: Flask) -> None:
    client = small_town.test_client()
    listing = client.get("/api/listings").json["listings"][0]
    offering = client.get("/api/offerings").json["offerings"][0]
    seller = client.get(f"/api/auth/users/{listing['seller_id']}").json

    for url in (*listing["image_urls"], *offering["image_urls"], seller["avatar_url"]):
        picture, small_one = client.get(url), client.get(url.replace(".jpg", "-small.webp"))
        assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")
        assert Image.open(BytesIO(picture.data)).width >= 320
        assert max(Image.open(BytesIO(small_one.data)).size) == 160


def test_they_belong_to_whoever_shows_them_since_then(small_town: Flask) -> None:
    owners = {"user": User.id, "listing": Listing.seller_id, "offering": Offering.creator_id}

    for thing, (model, _) in SHOWN.items():
        sent = (Upload.owner_id, Upload.created_at, Upload.has_thumbnails)
        used = select(*sent, model.created_at.label("since"), owners[thing].label("owner"))
        used = used.join(UploadUse, UploadUse.upload_id == Upload.id).join(model, model.id == UploadUse.thing_id)
        rows = fetch(used.where(UploadUse.thing == thing))
        assert rows
        for row in rows:
            assert (row.owner_id, row.created_at, row.has_thumbnails) == (row.owner, row.since, True)


@pytest.mark.parametrize("database", ["sqlite"])
def test_everybody_and_everything_on_offer_has_one(app: Flask) -> None:
    runner = app.test_cli_runner()
    built = runner.invoke(seed_command)
    again = runner.invoke(seed_command)

    assert built.exit_code == 0, built.output
    assert again.output == "The demo town is here already; nothing was changed.\n"
    with app.app_context():
        links = [row[0] for _, column in SHOWN.values() for row in fetch(select(column))]
        assert [link for link in links if not link] == []
        assert len(fetch(select(Upload.id))) == len(links) == 120


def test_whoever_has_none_yet_when_it_was_interrupted_gets_one(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(content, "set_avatar", _fall_over)
        with pytest.raises(RuntimeError):
            service.seed(small())

    service.seed(small())

    assert fetch(select(User.id).where(User.avatar_url == "")) == []


def _fall_over(*_: Any) -> None:
    raise RuntimeError("the power went out")


def test_a_full_quota_and_a_small_limit_do_not_matter(app: Flask) -> None:
    strict = make_app(
        app.config["DATABASE_URL"], UPLOAD_QUOTA_BYTES="1", UPLOAD_QUOTA_FILES="1", UPLOAD_MAX_BYTES="1024"
    )
    with strict.app_context():
        assert service.seed(small()).counts["pictures"] == 5
        assert strict.config["UPLOAD_QUOTA_BYTES"] == 1


def test_a_town_without_pictures_is_left_without(context: Flask) -> None:
    service.seed(small(), with_pictures=False)

    report = service.seed(small())

    assert (report.is_new, report.counts["pictures"]) == (False, 0)
    assert fetch(select(Upload.id)) == []
    assert relay() == 0


def test_the_same_is_drawn_the_same_and_another_differently() -> None:
    first = illustration("Green sofa", "sofa", "furniture")

    assert illustration("Green sofa", "sofa", "furniture") == first
    assert illustration("Blue sofa", "sofa", "furniture") != first
    assert portrait("Līga Ozola") == portrait("Līga Ozola") != portrait("Oleg Smirnov")


@pytest.mark.parametrize(
    ("title", "letters"),
    [
        ("Green velvet sofa", "GV"),
        ("Ādažu čipsi", "AC"),
        ("Двухъярусная кровать", "DK"),
        ("27 inch monitor", "IM"),
        ("日本", ""),
    ],
)
def test_initials_are_letters_that_the_font_has(title: str, letters: str) -> None:
    assert initials(title) == letters


def test_an_unknown_icon_is_no_empty_picture() -> None:
    with pytest.raises(KeyError):
        mask("unicorn", 24)
