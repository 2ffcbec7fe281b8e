"""A stale token that a browser still sends must not keep anybody from signing in."""

from datetime import UTC, datetime, timedelta

import time_machine

from tests.factories.people import PASSWORD, Person


def test_an_expired_token_sent_along_does_not_stop_a_log_in(anna: Person) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2), tick=False):
        assert anna.get("/api/auth/profile").status_code == 401
        answer = anna.post("/api/auth/login", json={"email": "anna@example.com", "password": PASSWORD})
        assert answer.status_code == 200
        assert Person(anna.app, token=answer.json["token"]).get("/api/auth/profile").status_code == 200
