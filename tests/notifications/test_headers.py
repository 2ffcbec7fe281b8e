"""The headers of letters as they travel: folded, never encoded where they are structured."""

import re

import pytest

from marketplace.notifications.gateways.channel import OutboundMessage
from marketplace.notifications.gateways.smtp import SmtpChannel
from tests.servers.mail import MailServer
from tests.servers.waiting import PATIENCE

WAY_OUT = "https://api.example.com/api/notifications/unsubscribe?token=" + "InRva2VuIGFuZCBtb3JlIg." * 12
LONG = "a" * 60 + "." + "b" * 60 + ".example.com"
STRUCTURED = ("from", "to", "date", "message-id", "auto-submitted", "list-unsubscribe", "list-unsubscribe-post")


def headers(server: MailServer, *, sender: str, site_name: str = "Tirgus", **how: str) -> dict[str, str]:
    """What a server was sent, unfolded, by their names in small letters."""
    letter = {"id": "1-2", "to": "liga@example.com", "title": "News", "text": "Hello.", "unsubscribe": WAY_OUT, **how}
    place = {"host": "127.0.0.1", "port": server.port, "user": "", "password": "", "security": "none"}
    SmtpChannel(**place, sender=sender, site_name=site_name, timeout=PATIENCE).send(OutboundMessage(**letter))  # type: ignore[arg-type]
    lines = server.mailbox.raw[-1].partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
    assert max(map(len, lines)) <= 998
    unfolded = re.sub(r"\n(?=[ \t])", "", "\n".join(lines))
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in unfolded.split("\n"))}


def test_a_way_out_is_one_plain_address(mail: MailServer) -> None:
    found = headers(mail, sender="no-reply@example.com")
    assert found["list-unsubscribe"] == f"<{WAY_OUT}>"
    assert found["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("sender", [f"no-reply@{LONG}", f"Sludinājumu portāls <no-reply@{LONG}>"])
def test_no_structured_header_is_encoded_however_long(mail: MailServer, sender: str) -> None:
    found = headers(mail, sender=sender, to=f"{'x' * 60}@{LONG}", id="d" * 80, title="Ziņas par tavu darbu " * 20)
    assert [name for name in STRUCTURED if "=?" in found[name] and name != "from"] == []
    assert found["from"].endswith(f"<no-reply@{LONG}>")
    assert found["to"] == f"{'x' * 60}@{LONG}"
    assert found["message-id"] == f"<{'d' * 80}@{LONG}>"
    assert "=?utf-8?" in found["subject"]


def test_a_way_out_with_letters_of_its_own_is_percent_encoded(mail: MailServer) -> None:
    found = headers(mail, sender="no-reply@example.com", unsubscribe="https://api.example.com/ā?token=a%20b")
    assert found["list-unsubscribe"] == "<https://api.example.com/%C4%81?token=a%20b>"


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("no-reply@example.com", "Tirgus <no-reply@example.com>"),
        ("Pats <no-reply@example.com>", "Pats <no-reply@example.com>"),
    ],
)
def test_a_sender_without_a_name_has_the_sites(mail: MailServer, sender: str, shown: str) -> None:
    assert headers(mail, sender=sender)["from"] == shown
