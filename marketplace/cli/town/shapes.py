"""What the demo town's pages are written in. Days count back from today."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A district and the middle of it."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who lives here; `rate` is EUR an hour."""

    key: str
    name: str
    username: str
    home: str
    since: int
    bio: str
    skills: str = ""
    helps: str = ""
    rate: int | None = None
    role: str = "user"


@dataclass(frozen=True, slots=True)
class Sale:
    """Who sells it as what, for how much, since when."""

    seller: str
    category: str
    price: str
    condition: str | None
    since: float
    status: str = "active"
    kind: str = "sale"
    is_negotiable: bool = False


@dataclass(frozen=True, slots=True)
class Good:
    """A classified."""

    key: str
    sale: Sale
    title: str
    text: str
    tags: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """An application."""

    who: str
    message: str
    price: int | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """From the first to the last step; the deeds are verbs, some with a name: "accept:oleg start"."""

    since: float
    until: float
    deeds: str = ""
    words: str = ""  # the note of the worker, or the reason of whoever ended it
    of_worker: tuple[int, str] | None = None
    of_client: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A task on the board; `due` is days from now."""

    key: str
    owner: str
    category: str
    budget: int | None
    street: str
    place: str
    title: str
    text: str
    course: Course
    offers: tuple[Offer, ...] = ()
    skills: str = ""
    due: int | None = None
    priority: str = "normal"
    difficulty: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Who offers it as what, how it is paid."""

    provider: str
    category: str
    price: str | None
    price_type: str
    since: int
    radius: int = 15
    status: str = "active"


@dataclass(frozen=True, slots=True)
class Service:
    """An offering."""

    key: str
    terms: Terms
    title: str
    text: str
    availability: str = ""
    experience: str = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """An offering somebody booked."""

    key: str
    service: str
    client: str
    message: str
    course: Course
    due: int | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: the two write lines by turns or not; `about` is "listing:green-sofa" or nothing."""

    about: str
    first: str
    second: str
    since: float
    until: float
    lines: tuple[tuple[str, str], ...]
    is_read: bool = True
