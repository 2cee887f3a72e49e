"""Incidents to tell about, and receivers on this machine, for the tests of the alert room."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from kholo.alert import Channel, Limits, Mail, News, Outcome, Teller, server, tell
from kholo.model import Bracket, Grade, Incident, NetworkSpell, State

DAY = timedelta(days=1)
START = datetime(2024, 2, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    """So many days after the start."""
    return START + DAY * number


def around(number: float, width: float = 0.25) -> Bracket:
    """A bracket that begins on that day."""
    return Bracket(day(number), day(number + width))


def incident(begin: float, end: float | None = None, last: float | None = None, **more: object) -> Incident:
    """An incident from one day to another; without an end it was last seen on day `last`, or five days on."""
    onset = more.pop("onset", None) or around(begin)
    assert isinstance(onset, Bracket)
    fields: dict[str, object] = {
        "service": "x",
        "place": "PK",
        "networks": ("AS9260",),
        "state": State.BLOCKED,
        "mechanisms": ("tls.reset",),
        "onset": onset,
        "end": None if end is None else around(end),
        "last_seen": day(begin + 5 if last is None else last) if end is None else day(end),
        "reports": 41,
        "results": 60,
        "grade": Grade.A,
        "spells": (NetworkSpell("AS9260", State.BLOCKED, onset, None, onset.latest, 41, 60),),
        "simulated": False,
    } | more
    name = f"{fields['service']}-{fields['place']}-{fields['state']}-{onset.latest:%Y%m%d}"
    return Incident(**({"incident_id": name} | fields))  # type: ignore[arg-type]


class Hook:
    """A web server that answers as told: a status and headers for each request, in turn, then 204."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.hang: threading.Event | None = None
        self.url = ""


@contextmanager
def hook() -> Iterator[Hook]:
    """A web server on the loopback."""
    state = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.paths.append(self.path)
            state.headers.append(dict(self.headers))
            state.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            if state.hang:
                state.hang.wait(20)
                return
            status, headers = state.answers.pop(0) if state.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        try:
            yield state
        finally:
            if state.hang:
                state.hang.set()
            server.shutdown()
            thread.join()


class Post:
    """A mail server that answers as told; `replies` maps a command to an answer other than the usual one."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.commands: list[str] = []
        self.replies: dict[str, str] = {}
        self.extensions: tuple[str, ...] = ()
        self.tls: ssl.SSLContext | None = None
        self.port = 0


@contextmanager
def post() -> Iterator[Post]:
    """A mail server on the loopback: one connection at a time, as much of RFC 5321 as a client needs."""
    state = Post()
    usual = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", "RSET": "250 ok", "QUIT": "221 bye"}

    def talk(connection: socket.socket, greeting: str = "220 here") -> None:
        with connection, connection.makefile("rwb") as stream:

            def say(line: str) -> None:
                stream.write(line.encode() + b"\r\n")
                stream.flush()

            if greeting:
                say(greeting)
            for raw in stream:
                line = raw.decode().strip()
                state.commands.append(line)
                word = line.split(" ")[0].upper()
                if word == "EHLO":
                    names = ["here", *state.extensions]
                    for place, name in enumerate(names):
                        say(f"250{' ' if place == len(names) - 1 else '-'}{name}")
                    continue
                if word == "STARTTLS" and state.tls:
                    say("220 go on")
                    talk(state.tls.wrap_socket(connection, server_side=True), "")
                    return
                answer = state.replies.get(word, usual.get(word, "502 no"))
                say(answer)
                if word == "DATA" and answer.startswith("354"):
                    lines = _until_dot(stream.readline)
                    state.letters.append(b"".join(lines).decode())
                    say(state.replies.get(".", "250 taken"))
                if word == "QUIT":
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        state.port = server.getsockname()[1]
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                connection.settimeout(2)
                try:
                    talk(connection)
                except OSError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield state
        finally:
            done.set()
            thread.join()


def _until_dot(readline: Callable[[], bytes]) -> list[bytes]:
    lines: list[bytes] = []
    while (line := readline()) not in (b".\r\n", b""):
        lines.append(line.removeprefix(b"."))
    return lines


MANY = [incident(20, place=place) for place in ("PK", "UG", "IN")]


class Run:
    """A watch whose clock and pauses are the test's."""

    def __init__(self, folder: Path, *channels: Channel, limits: Limits | None = None) -> None:
        self.folder, self.channels, self.limits = folder, channels, limits or Limits()
        self.pauses: list[float] = []
        self.at = day(30)

    def look(self, *now: Incident, at: float | None = None) -> list[Outcome]:
        self.at = day(at) if at is not None else self.at + DAY / 24
        return tell(self.folder, self.channels, now, self.at, self.limits, Teller(self._wait))

    def _wait(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return False


def mail(mails: Post, to: str = "desk@example.org", user: str | None = None, password: str | None = None) -> Mail:
    """A channel to the mail server of the test."""
    return Mail(to, "kholo@example.net", server(f"127.0.0.1:{mails.port}", user, password), timeout=2)


def said(found: Sequence[News]) -> list[str]:
    """The kinds of some news."""
    return [item.kind.value for item in found]
