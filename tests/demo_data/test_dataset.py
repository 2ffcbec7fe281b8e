"""The data files of the demo town: complete, consistent and part of the package."""

import tomllib
from pathlib import Path

import pytest

import config
from marketplace.demo_data.dataset import FOLDER, dataset, read
from marketplace.demo_data.icons import icon_of, mask
from marketplace.demo_data.records import DemoListing


def test_whoever_is_named_lives_here() -> None:
    data = dataset()
    people = {person.key for person in data.people}
    named = {one.seller for one in data.listings} | {one.provider for one in data.offerings}
    named |= {one.owner for one in data.tasks} | {one.client for one in data.bookings} | set(data.favorites)
    named |= {application.applicant for task in data.tasks for application in task.applications}
    named |= {key for conversation in data.conversations for key in conversation.participants}
    named |= {sender for conversation in data.conversations for sender, _ in conversation.messages}

    assert named - people == set()
    assert set(data.sign_ins) - people == {data.administrator.key}


def test_whatever_is_named_is_there() -> None:
    data = dataset()
    things = {f"listing:{one.key}" for one in data.listings} | {f"task:{one.key}" for one in data.tasks}
    things |= {f"offering:{one.key}" for one in data.offerings}
    named = {one.about for one in data.conversations if one.about}
    named |= {f"offering:{one.offering}" for one in data.bookings}

    assert named.union(*data.favorites.values()) - things == set()
    assert {one.district for one in (*data.people, *data.tasks)} <= set(data.districts)


def test_every_icon_is_used_and_shows_something() -> None:
    data, files = dataset(), read("icons")
    used = {one.icon or icon_of(one.category) for one in (*data.listings, *data.offerings)}

    assert set(files["icons"]) == used | set(files["categories"].values()) | {"label"}
    assert [name for name in files["icons"] if mask(name, 48).getbbox() is None] == []


def test_a_field_that_nobody_knows_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        DemoListing(**{**read("listings_indoors")["listings"][0], "colour": "green"})


def test_an_installed_copy_has_every_file() -> None:
    project = tomllib.loads((config.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["marketplace.demo_data"]
    package = FOLDER.parent
    packed = {path for pattern in patterns for path in package.glob(pattern)}

    assert packed == {path for path in package.rglob("*") if _is_data(path)}
    assert packed


def _is_data(path: Path) -> bool:
    return path.is_file() and path.suffix not in {".py", ".pyc"}
