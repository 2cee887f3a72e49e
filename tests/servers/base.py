"""A web server on the loopback that remembers what it was asked, and harms its answers where it is told to."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

PIECE = 1 << 16


@dataclass(frozen=True)
class Request:
    """What was asked. `target` is as it was sent, `path` and `query` are decoded, header names are in small letters."""

    method: str
    target: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Wire:
    """How an answer goes onto the wire, if not in one go. `stop` counts bytes of the body; -1 is before the head."""

    stop: int | None = None
    end: str = "cut"
    """After `stop`: `cut` closes, `reset` sends RST, `stall` sends nothing for `seconds` and then closes."""
    seconds: float = 0
    pieces: int = 1
    pause: float = 0
    """Seconds between two pieces."""


@dataclass(frozen=True)
class Answer:
    """A body of many parts goes out in chunks, one of bytes with its length, unless the headers say another."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    again: Callable[[], Answer] | None = None
    """For a page of a listing: the same page, naming itself as the next."""
    wire: Wire = Wire()


App = Callable[[Request], Answer]


class Harm(Protocol):
    """What stands between an app and the wire."""

    def answer(self, app: App, request: Request, other: str) -> tuple[Answer, str | None]:
        """The answer as it goes out, and the kind of fault in it. `other` is another host with the same content."""


@dataclass
class Seen:
    """One request as it came, and how it was answered."""

    request: Request
    status: int = 0
    sent: int = 0
    """Bytes of the body that went to the socket."""
    fault: str | None = None


class Running:
    """A server while it runs."""

    def __init__(self, url: str, other: Running | None) -> None:
        self.url = url
        self.other = other
        """The same content on another host, without faults; only there where the server has faults."""
        self.errors: list[Exception] = []
        """What went wrong in the app or in here; raised again when the server ends."""
        self.lock = threading.Lock()
        self.max_open = 0
        """Most connections open at once, idle ones too."""
        self._seen: list[Seen] = []

    @property
    def requests(self) -> list[Seen]:
        """All requests so far, in the order of their coming."""
        with self.lock:
            return list(self._seen)

    def begin(self, request: Request) -> Seen:
        """Note that a request came."""
        seen = Seen(request)
        with self.lock:
            self._seen.append(seen)
        return seen


@contextmanager
def serve(app: App, faults: Harm | None = None, host: str = "127.0.0.1") -> Iterator[Running]:
    """The app at `Running.url` until the block ends; with faults, also without them on another host."""
    with ExitStack() as stack:
        other = stack.enter_context(_other(app)) if faults else None
        server = stack.enter_context(_Server(host, app, faults, other))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.running
        finally:
            server.shutdown()
            thread.join()
            server.hang_up()
        # Only once all connections are closed can no more errors come.
        stack.pop_all().close()
        if server.running.errors:
            raise server.running.errors[0]


@contextmanager
def _other(app: App) -> Iterator[Running]:
    """A second server on another address, or where the system has only one of the loopback, on another port."""
    try:
        socket.create_server(("127.0.0.2", 0)).close()
    except OSError:
        host = "127.0.0.1"
    else:
        host = "127.0.0.2"
    with serve(app, host=host) as running:
        yield running


def beside(apps: Mapping[str, App]) -> App:
    """Several apps on one server, each for the paths that begin with its key; the longest key wins."""

    def app(request: Request) -> Answer:
        for prefix in sorted(apps, key=len, reverse=True):
            if request.path.startswith(prefix):
                return apps[prefix](request)
        return Answer(404, {"Content-Type": "text/plain"}, b"404 page not found\n")

    return app


class _Server(ThreadingHTTPServer):
    # Threads are waited for at the end, so none outlives its test.
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, host: str, app: App, faults: Harm | None, other: Running | None) -> None:
        self.app, self.faults = app, faults
        self.open: set[socket.socket] = set()
        super().__init__((host, 0), _Handler)
        self.running = Running(f"http://{host}:{self.server_port}", other)

    def server_bind(self) -> None:
        # As the parent, without its look-up of this machine's name.
        socket.socket.bind(self.socket, self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        with self.running.lock:
            # A client that closes one connection and opens the next has one, even if its thread here did not notice.
            self.open = {known for known in self.open if not _is_over(known)} | {request}
            self.running.max_open = max(self.running.max_open, len(self.open))
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        with self.running.lock:
            self.open.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER):
            request.close()
        else:
            super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close what clients left open, so that threads end."""
        with self.running.lock:
            for connection in self.open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error."""

    def answer(self, request: Request) -> tuple[Answer, str | None]:
        if self.faults and self.running.other:
            return self.faults.answer(self.app, request, self.running.other.url)
        return self.app(request), None


def _is_over(connection: socket.socket) -> bool:
    """Whether the other side closed it."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        running = self.server.running
        parts = urlsplit(self.path)
        request = Request(
            self.command,
            self.path,
            unquote(parts.path),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        seen = running.begin(request)
        try:
            answer, seen.fault = self.server.answer(request)
            self._send(seen, answer)
        except ConnectionError:
            self.close_connection = True
        except Exception as error:
            running.errors.append(error)
            self.close_connection = True

    do_HEAD = do_GET
    do_POST = do_GET

    def _send(self, seen: Seen, answer: Answer) -> None:
        seen.status, wire = answer.status, answer.wire
        if wire.stop == -1:
            self._end(wire)
            return
        self._head(answer)
        if self.command == "HEAD" or answer.status in (204, 304):
            return
        if not isinstance(answer.body, bytes):
            for part in filter(None, answer.body):
                seen.sent += len(part)
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        body = memoryview(answer.body)[: wire.stop]
        size = min(PIECE, max(1, -(-len(body) // wire.pieces)))
        for start in range(0, len(body), size):
            if start and wire.pause:
                time.sleep(wire.pause)
            # Counted first: whoever has read them all finds them counted.
            seen.sent += len(body[start : start + size])
            self.wfile.write(body[start : start + size])
        if wire.stop is not None:
            self._end(wire)

    def _head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {name.title(): value for name, value in answer.headers.items()}
        if isinstance(answer.body, bytes):
            headers.setdefault("Content-Length", str(len(answer.body)))
        else:
            headers["Transfer-Encoding"] = "chunked"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _end(self, wire: Wire) -> None:
        self.close_connection = True
        if wire.end == "stall":
            # Wakes when the client gives up or the server ends.
            select.select([self.connection], [], [], wire.seconds)
        elif wire.end == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
