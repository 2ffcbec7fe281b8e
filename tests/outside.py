"""The outside world: real servers on loopback, and the work they are told by."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from marketplace.core.database.db import db
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import relay
from marketplace.notifications.deliveries.service import deliver_due
from tests.conftest import make_app
from tests.servers.mail import MailServer
from tests.servers.push import Browser
from tests.servers.twilio import Twilio

# A key made for these tests only.
VAPID = "TvWNK0gSRPhIS6KJDVpn9Jh3kX7eYxM3RSPZZ5oiO5g"


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server with one mailbox."""
    server = MailServer()
    yield server
    server.stop()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser that can be told."""
    made = Browser()
    yield made
    made.server.stop()


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    """An SMS provider."""
    server = Twilio()
    yield server
    server.server.stop()


@pytest.fixture
def shop(app: Flask, mail: MailServer, browser: Browser, twilio: Twilio) -> Flask:
    """The application with every channel to the outside set up."""
    allowed = {"VAPID_PRIVATE_KEY": VAPID, "VAPID_CONTACT": "mailto:op@example.com"}
    allowed["OUTGOING_ALLOWED"] = browser.server.address
    return make_app(app.config["DATABASE_URL"], **mail.settings, **twilio.settings, **allowed)


@pytest.fixture
def work(shop: Flask) -> Callable[[], None]:
    """Do everything that is due now."""

    def work_off() -> None:
        with shop.app_context():
            while sum((relay(), jobs.run_due(), deliver_due())):
                pass
            db.session.remove()

    return work_off
