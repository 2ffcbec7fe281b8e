"""A real SMTP server that keeps what it is given, and misbehaves on demand."""

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.waiting import PATIENCE


class Mailbox:
    """Handler of aiosmtpd; `mood` is what happens to the next mails."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.mood = "well"
        self.waiting = 0

    @property
    def letters(self) -> dict[str, EmailMessage]:
        """What a mailbox shows: one letter a Message-ID."""
        return {str(mail["Message-ID"]): mail for mail in self.received}

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        """Refuse, or take the address."""
        if self.mood in {"no such user", "try later"}:
            return "550 5.1.1 no such user" if self.mood == "no such user" else "451 4.7.1 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep it; the answer may get lost."""
        if self.mood == "hang":
            self.waiting += 1
            await asyncio.Event().wait()
        if self.mood == "die before":
            server.transport.abort()
            return "451 gone"
        self.raw.append(bytes(envelope.content or b""))
        self.received.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        if self.mood == "die after":
            server.transport.abort()
        return "250 OK"


class _FreePort(Controller):
    """aiosmtpd looks at the port it was told, which is 0 for any."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class MailServer:
    """On a free port of loopback; takes names of mailboxes beyond ASCII where `utf8`."""

    def __init__(self, *, utf8: bool = True) -> None:
        self.mailbox = Mailbox()
        self._controller = _FreePort(self.mailbox, hostname="127.0.0.1", port=0, enable_SMTPUTF8=utf8)
        self._controller.start()
        self.port = self._controller.port

    @property
    def settings(self) -> dict[str, str]:
        """What the application needs to use it."""
        place = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(self.port), "SMTP_SECURITY": "none"}
        return {**place, "SMTP_TIMEOUT": str(PATIENCE), "MAIL_FROM": "Market <market@example.com>"}

    def stop(self) -> None:
        """End it."""
        self._controller.stop(no_assert=True)
