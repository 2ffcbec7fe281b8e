"""What the tables of the data files hold, by the names of their fields. Days count back from today, money is EUR."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class District:
    """The middle of a part of town."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """An account with its profile; the rate is EUR an hour."""

    key: str
    name: str
    username: str
    district: str
    joined_days_ago: int
    bio: str
    skills: list[str] = field(default_factory=list)
    helper_categories: list[str] = field(default_factory=list)
    hourly_rate: int | None = None
    role: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoListing:
    """A classified; `icon` is what its picture shows where the category's would mislead."""

    key: str
    seller: str
    category: str
    title: str
    description: str
    price: str
    posted_days_ago: float
    condition: str | None = None
    tags: list[str] = field(default_factory=list)
    status: str = "active"
    listing_type: str = "sale"
    is_negotiable: bool = False
    icon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOffering:
    """A service that can be booked; the radius is km."""

    key: str
    provider: str
    category: str
    title: str
    description: str
    price_type: str
    posted_days_ago: int
    price: str | None = None
    availability: str = ""
    experience: str = ""
    service_radius: int = 15
    status: str = "active"
    icon: str = ""


@dataclass(frozen=True, slots=True)
class DemoReview:
    """What one of the two says of the other in the end."""

    rating: int
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happens to a task; the actions are verbs, some with a name: "accept:oleg", "start"."""

    posted_days_ago: float
    last_step_days_ago: float
    actions: list[str] = field(default_factory=list)
    note: str = ""  # the worker's at the end, or the reason of whoever ended it
    review_of_worker: DemoReview | None = None
    review_of_client: DemoReview | None = None


@dataclass(frozen=True, slots=True)
class DemoApplication:
    """Somebody who would do a task."""

    applicant: str
    message: str
    price: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTask(Course):
    """A task on the board."""

    key: str
    owner: str
    category: str
    title: str
    description: str
    street: str
    district: str
    budget: int | None = None
    required_skills: list[str] = field(default_factory=list)
    due_in_days: int | None = None
    priority: str = "normal"
    difficulty: str | None = None
    applications: list[DemoApplication] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoBooking(Course):
    """An offering somebody booked."""

    key: str
    offering: str
    client: str
    message: str
    due_in_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoConversation:
    """Messages as (sender, text); `about` is "listing:green-sofa" or nothing."""

    participants: list[str]
    first_days_ago: float
    last_days_ago: float
    messages: list[list[str]]
    about: str = ""
    is_read: bool = True
