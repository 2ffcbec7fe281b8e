"""E-mail by SMTP (RFC 5321)."""

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import quote

from marketplace.kit.clock import now
from marketplace.kit.normalization import ascii_domain
from marketplace.notifications.gateways.channel import OutboundMessage, Refused, TryLater

# Structured headers that the library does not know: it would make encoded words of long ones (RFC 2047, 5).
AS_THEY_ARE = {"list-unsubscribe", "list-unsubscribe-post", "list-id", "auto-submitted", "message-id"}
IN_ADDRESSES = "!#$%&'()*+,/:;=?@[]~"  # everything that URIs may hold (RFC 3986); the rest is percent-encoded
PERMANENT = range(500, 600)


class LetterPolicy(EmailPolicy):
    """As the library folds and encodes, but for what must stand as it is, on a line of up to 998 characters."""

    def fold(self, name: str, value: Any) -> str:
        """One header with its line ends."""
        return f"{name}: {value}{self.linesep}" if name.lower() in AS_THEY_ARE else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The same as bytes."""
        return self.fold(name, value).encode() if name.lower() in AS_THEY_ARE else super().fold_binary(name, value)


POLICY = LetterPolicy()


@dataclass(frozen=True, slots=True)
class SmtpChannel:
    """One server; `security` is starttls, tls or none, `timeout` seconds count for each step."""

    host: str
    port: int
    user: str
    password: str
    security: str
    sender: str
    site_name: str
    timeout: float

    def send(self, letter: OutboundMessage) -> str:
        """The Message-ID, which stays the same when it has to be sent again."""
        message = compose(letter, self.sender, self.site_name)
        try:
            with self._connected() as server:
                self._refuse_unreachable(server, letter.to)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            raise _failure(code, reason) from None
        except smtplib.SMTPResponseException as error:
            raise _failure(error.smtp_code, error.smtp_error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise TryLater(f"{type(error).__name__}: {error}") from None
        return str(message["Message-ID"])

    def _refuse_unreachable(self, server: smtplib.SMTP, address: str) -> None:
        """A mailbox whose own name is not ASCII needs a server that takes it (RFC 6531): no later try will help."""
        server.ehlo_or_helo_if_needed()
        if not ascii_domain(address).isascii() and not server.has_extn("smtputf8"):
            raise Refused(f"{self.host} takes no address whose name has letters beyond ASCII (no SMTPUTF8).")

    def _connected(self) -> smtplib.SMTP:
        context = None if self.security == "none" else ssl.create_default_context()  # reads many certificates
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def compose(letter: OutboundMessage, sender: str, site_name: str) -> EmailMessage:
    """Text and HTML, with a one-click way out (RFC 8058); a sender without a name has the site's."""
    name, address = parseaddr(sender)
    user, _, domain = ascii_domain(address).rpartition("@")
    message = EmailMessage(POLICY)
    message["From"] = Address(name or site_name, user, domain)
    message["To"] = ascii_domain(letter.to)
    message["Subject"] = letter.title
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{letter.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        message["List-Unsubscribe"] = f"<{quote(letter.unsubscribe, safe=IN_ADDRESSES)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    return message


def _failure(code: int, reason: bytes | str) -> Exception:
    """5xx is for ever (RFC 5321, 4.2.1), but for a refused sign-in, which an operator will mend."""
    text = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
    wrong_password = code in {530, 534, 535, 538}
    kind = Refused if code in PERMANENT and not wrong_password else TryLater
    return kind(f"{code} {text}")
