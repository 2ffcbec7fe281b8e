"""The data files, read and typed once. Not a room of a slice: demo data have files where slices have tables."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from marketplace.demo_data.records import (
    DemoApplication,
    DemoBooking,
    DemoConversation,
    DemoListing,
    DemoOffering,
    DemoPerson,
    DemoReview,
    DemoTask,
    District,
)

T = TypeVar("T")
FOLDER = Path(__file__).with_name("data")
LISTING_FILES = ("listings_indoors", "listings_outdoors")
TASK_FILES = ("tasks_completed", "tasks_ended", "tasks_current")
NESTED: dict[str, Callable[..., Any]] = {"review_of_worker": DemoReview, "review_of_client": DemoReview}


@dataclass(frozen=True, slots=True)
class Dataset:
    """All of it in the order of the files, which is the order it is written in; `sign_ins` and `favorites` by the
    key of a person."""

    password: str
    sign_ins: dict[str, str]
    administrator: DemoPerson
    people: list[DemoPerson]
    districts: dict[str, District]
    listings: list[DemoListing]
    offerings: list[DemoOffering]
    tasks: list[DemoTask]
    bookings: list[DemoBooking]
    conversations: list[DemoConversation]
    favorites: dict[str, list[str]]


@cache
def dataset() -> Dataset:
    """Raises TypeError for a table with a field that is missing or unknown."""
    people = read("people")
    return Dataset(
        password=people["password"],
        sign_ins=people["sign_ins"],
        administrator=DemoPerson(**people["administrator"]),
        people=[DemoPerson(**row) for row in people["people"]],
        districts={key: District(**row) for key, row in read("districts").items()},
        listings=_rows("listings", DemoListing, *LISTING_FILES),
        offerings=_rows("offerings", DemoOffering, "offerings"),
        tasks=_rows("tasks", partial(_with_course, DemoTask), *TASK_FILES),
        bookings=_rows("bookings", partial(_with_course, DemoBooking), "bookings"),
        conversations=_rows("conversations", DemoConversation, "conversations"),
        favorites=read("favorites"),
    )


def read(name: str) -> dict[str, Any]:
    """One of the files."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _rows(kind: str, make: Callable[..., T], *files: str) -> list[T]:
    return [make(**row) for file in files for row in read(file)[kind]]


def _with_course(make: Callable[..., T], *, applications: list[dict[str, Any]] | None = None, **row: Any) -> T:
    if applications:
        row["applications"] = [DemoApplication(**one) for one in applications]
    return make(**{name: NESTED[name](**value) if name in NESTED else value for name, value in row.items()})
