"""Readers that take next to nothing of what they asked for, and clients with very many connections: those are closed,
so that others find room.

Granian and hyper bound the time for the head of a request, and neither that for the reading of an answer nor what one
client holds. Only Linux says how far a reader is; elsewhere nothing is closed, and a proxy in front has to see to it.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import termios
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from .limits import network_of

#: A reader that something is waiting for has to take so many bytes in so many seconds.
LEAST, PATIENCE = 16_384, 60.0
#: Seconds between two looks.
_EVERY = 5.0
_OWN = Path("/proc/self/fd")
#: Where `tcpi_bytes_acked` stands in Linux's `struct tcp_info` (include/uapi/linux/tcp.h).
_ACKED = slice(120, 128)


class Taken(msgspec.Struct, frozen=True):
    """How many bytes a reader had, and when that was looked at (seconds)."""

    many: int
    when: float


class Connections:
    """Looks at the connections of this process that came in at a port; `most` of them are one client's (0: any)."""

    def __init__(
        self, port: int, clock: Callable[[], float], most: int, least: int = LEAST, patience: float = PATIENCE
    ) -> None:
        self._port, self._clock, self._most, self._least, self._patience = port, clock, most, least, patience
        self._known: dict[int, Taken] = {}

    def look(self) -> int:
        """Close those that took too little for too long, and of a client with too many the latest; how many."""
        now, known, closed = self._clock(), self._known, 0
        self._known = {}
        clients: Counter[str] = Counter()
        for name, number in _sockets():
            with _duplicate(number) as line:
                client = _client(line, self._port) if line else None
                if line is None or client is None:
                    continue
                clients[client] += 1
                seen = _seen(line, known.get(name), now, self._least)
                is_one_too_many = self._most and clients[client] > self._most
                if is_one_too_many or (seen is not None and now - seen.when >= self._patience):
                    _cut(line)
                    closed += 1
                elif seen is not None:
                    self._known[name] = seen
        return closed

    def watch(self) -> None:
        """Look now and then, for as long as the process lives. Does nothing where the system does not say."""
        if not _OWN.is_dir():
            return
        pause = threading.Event()
        while not pause.wait(_EVERY):
            # Where no more files can be opened there is nothing to look with; the next look may have it.
            with suppress(OSError):
                self.look()


def _sockets() -> list[tuple[int, int]]:
    """The open sockets of this process: what tells them apart, the older ones first as a rule, and their numbers."""
    found = []
    for path in _OWN.iterdir():
        with suppress(OSError):
            target = str(path.readlink())
            if target.startswith("socket:["):
                found.append((int(target[8:-1]), int(path.name)))
    return sorted(found)


@contextmanager
def _duplicate(number: int) -> Iterator[socket.socket | None]:
    """A socket of this process once more, for as long as it is looked at; None where it is gone already."""
    try:
        copy = os.dup(number)
    except OSError:
        yield None
        return
    try:
        line = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        yield None
        return
    with line:
        yield line


def _client(line: socket.socket, port: int) -> str | None:
    """Whose connection it is; None where it did not come in at the port."""
    try:
        is_ours = line.family in (socket.AF_INET, socket.AF_INET6) and line.getsockname()[1] == port
        return network_of(line.getpeername()[0]) if is_ours else None
    except OSError:
        # Nobody is at the other end: it is the one that waits for connections, or one that is gone.
        return None


def _seen(line: socket.socket, before: Taken | None, now: float, least: int) -> Taken | None:
    """How much its reader had when it last took so much; None where nothing waits for it."""
    taken = _taken(line)
    if taken is None:
        return None
    return before if before is not None and 0 <= taken - before.many < least else Taken(taken, now)


def _taken(line: socket.socket) -> int | None:
    """Bytes that the reader of a connection has taken; None where nothing waits for it."""
    try:
        waiting = fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, bytes(4))
        if not any(waiting):
            return None
        told = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED.stop)
    except OSError:
        return None
    return int(struct.unpack("=Q", told[_ACKED])[0])


def _cut(line: socket.socket) -> None:
    """End a connection; what waits for its reader is thrown away."""
    with suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.shutdown(socket.SHUT_RDWR)
