"""E-mail: each message is one plain-text letter to one address."""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import msgspec

from kholo.model import UsageError
from kholo.publish.atom import name_of

from .channel import DEADLINE, TIMEOUT, Undelivered, key_of, within
from .told import Message, Past
from .wording import body, title

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TLS_PORT = 465


class Server(msgspec.Struct, frozen=True):
    """A mail server. `user` and `password` are sent over TLS only, or to this machine, and never shown."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port})"


def server(given: str, user: str | None = None, password: str | None = None) -> Server:
    """`host:port`, as a server. Raises `UsageError`."""
    host, _, port = given.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not _HOST.fullmatch(host) or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise UsageError(f"--smtp: {given!a} is not host:port, such as localhost:25")
    if (user is None) != (password is None):
        raise UsageError("KHOLO_SMTP_USER and KHOLO_SMTP_PASSWORD go together: one of them is missing")
    return Server(host, int(port), user, password)


def address(given: str) -> str:
    """A plain mail address, without a name. Raises `UsageError`."""
    if not _ADDRESS.fullmatch(given):
        raise UsageError(f"{given!a} is not a plain mail address, such as desk@example.org")
    return given


class Mail:
    """Writes to one address; with port 465 over TLS, else with STARTTLS where the server has it."""

    has_log = False

    def __init__(self, to: str, sender: str, at: Server, timeout: float = TIMEOUT, deadline: float = DEADLINE) -> None:
        self._to = address(to)
        self._sender = address(sender)
        self._server = at
        self._timeout = timeout
        self._deadline = deadline
        self.name = f"mail to {self._to}"
        self.key = key_of("mail", self._to)

    def refresh(self, past: Past) -> None:
        """Nothing to do."""

    def send(self, message: Message, past: Past) -> None:  # noqa: ARG002
        """Send once. Raises `Undelivered`."""
        mail = letter(message, self._to, self._sender)
        within(self._deadline, lambda: self._send(mail))

    def _send(self, mail: EmailMessage) -> None:
        try:
            smtp = self._connect()
            try:
                smtp.send_message(mail, self._sender, [self._to])
            finally:
                # The server has the letter or hasn't; how the parting goes changes nothing.
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    smtp.quit()
                smtp.close()
        except smtplib.SMTPAuthenticationError:
            raise Undelivered("the server does not take the user name and password", is_refused=True) from None
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = error.recipients.get(self._to, (0, b""))
            raise Undelivered(f"the server refuses the address ({code})", is_refused=code >= 500) from None
        except smtplib.SMTPResponseException as error:
            raise Undelivered(f"the server answers {error.smtp_code}", is_refused=error.smtp_code >= 500) from None
        except smtplib.SMTPException as error:
            raise Undelivered(f"the server can't be used: {type(error).__name__}") from None
        except (OSError, ValueError) as error:
            raise Undelivered(f"the server can't be reached: {getattr(error, 'strerror', None) or error}") from None

    def _connect(self) -> smtplib.SMTP:
        at, context = self._server, ssl.create_default_context()
        if at.port == _TLS_PORT:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(at.host, at.port, timeout=self._timeout, context=context)
            is_private = True
        else:
            smtp = smtplib.SMTP(at.host, at.port, timeout=self._timeout)
            is_private = at.host in _LOOPBACK
        try:
            smtp.ehlo_or_helo_if_needed()
            if not is_private and smtp.has_extn("starttls"):
                smtp.starttls(context=context)
                smtp.ehlo()
                is_private = True
            if at.user is not None and at.password is not None:
                if not is_private:
                    raise Undelivered("the server offers no TLS: the password is not sent", is_refused=True)
                smtp.login(at.user, at.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def letter(message: Message, to: str, sender: str) -> EmailMessage:
    """The message as a letter. The same message has the same Message-ID, so that a double is known as one."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"kholo <{sender}>"
    mail["To"] = to
    mail["Subject"] = title(message)
    mail["Date"] = format_datetime(message.at)
    domain = sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{message.message_id}@{domain}>"
    if len(message.news) == 1:
        # Mail programs show the news of one incident together.
        mail["References"] = f"<{name_of(message.news[0].thread)}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body(message), cte="quoted-printable")
    return mail
