"""People who help, as everybody finds them."""

from tests.factories import things
from tests.factories.people import Person


def _found(by: Person, **query: object) -> list[int]:
    return [one["id"] for one in by.get("/api/helpers", query_string=query).json["helpers"]]


def test_whoever_offers_to_help_or_has_helped_is_a_helper(anna: Person, juris: Person) -> None:
    assert _found(juris) == []
    anna.put("/api/auth/profile", json={"is_helper": True, "helper_categories": "repair"})
    assert _found(juris) == [anna.id]
    assert _found(juris, category="repair") == [anna.id]
    assert _found(juris, category="moving") == []

    anna.put("/api/auth/profile", json={"is_helper": False})
    assert _found(juris) == []
    things.completed_task(juris, anna)
    assert _found(juris) == [anna.id]


def test_who_is_suspended_is_found_no_more(anna: Person, juris: Person, admin: Person) -> None:
    anna.put("/api/auth/profile", json={"is_helper": True})
    assert admin.post(f"/api/admin/users/{anna.id}/ban", json={"reason": "Spam."}).status_code == 200
    assert _found(juris) == []
