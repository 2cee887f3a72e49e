"""Clients that take their time must not take that of others: real sockets on the loopback."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from kholo.serve.connections import Connections
from kholo.serve.streams import AT_ONCE

from .serving import Server, served

PAGE, LARGE = b"a page that is not small\n" * 60_000, bytes(range(256)) * 80_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    site = tmp_path_factory.mktemp("site")
    (site / "index.html").write_bytes(b"<!DOCTYPE html><title>A page</title>")
    (site / "page.bin").write_bytes(PAGE)
    (site / "large.bin").write_bytes(LARGE)
    with served("--site", site, "--rate", "0", "--at-once", "0") as running:
        yield running


def line(server: Server, said: bytes) -> socket.socket:
    """A connection of somebody with little room, who says something and reads nothing."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    made.settimeout(60)
    made.connect(("127.0.0.1", server.port))
    made.sendall(said)
    return made


def asking(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def test_a_large_file_comes_whole_and_only_when_it_is_read(server: Server) -> None:
    whole = server.get("/large.bin")
    assert (whole.status, whole.body) == (200, LARGE)
    head = server.get("/large.bin", "HEAD")
    assert (head.status, head.body, head["Content-Length"]) == (200, b"", str(len(LARGE)))
    assert server.get("/large.bin", If_None_Match=whole["ETag"]).status == 304
    assert server.get("/page.bin").body == PAGE


def test_others_get_answers_while_two_hundred_hang(server: Server) -> None:
    with ExitStack() as hanging:
        for number in range(200):
            for said in (asking("/page.bin"), b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")[: 3 if number < 50 else 1]:
                hanging.enter_context(line(server, said))
        for _ in range(AT_ONCE):
            reader = hanging.enter_context(line(server, asking("/large.bin")))
            assert reader.recv(20).startswith(b"HTTP/1.1 200")
        for _ in range(5):
            assert server.get("/").status == 200
            assert server.get("/page.bin").body == PAGE
            assert server.get("/api/v1/services").status == 200
        told = server.get("/large.bin")
        assert (told.status, told["Retry-After"], told["Content-Type"]) == (503, "5", "application/problem+json")
        assert server.get("/large.bin", "HEAD").status == 200
    deadline = time.monotonic() + 60
    while server.get("/large.bin").status != 200:
        assert time.monotonic() < deadline, "places are free again when their readers are gone"
        time.sleep(0.05)


def test_who_takes_next_to_nothing_is_cut_off_and_nobody_else() -> None:
    with ExitStack() as stack:
        ours, other = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        slow, steady, idle, elsewhere = (
            stack.enter_context(socket.create_connection(one.getsockname(), timeout=60))
            for one in (ours, ours, ours, other)
        )
        ends = [stack.enter_context(one.accept()[0]) for one in (ours, ours, ours, other)]
        for end in ends:
            end.setblocking(False)
        now = [0.0]
        readers = Connections(ours.getsockname()[1], lambda: now[0], 0, least=10_000, patience=10)
        closed = 0
        while not closed and now[0] < 60:
            for end in (ends[0], ends[1], ends[3]):
                filled(end)
            now[0] += 2
            closed = readers.look()
            drained(steady)
        # What is under way when it is looked at first may still arrive.
        assert (closed, now[0] >= 12) == (1, True)
        # As the server does once it can't write any more; and what was not sent is gone.
        with pytest.raises(BrokenPipeError):
            ends[0].send(b"x")
        ends[0].close()
        with pytest.raises(ConnectionResetError):
            while slow.recv(1 << 20):
                pass
        ends[2].send(b"still here")
        assert idle.recv(20) == b"still here"
        for end, reader in ((ends[1], steady), (ends[3], elsewhere)):
            drained(reader)
            end.setblocking(True)
            end.sendall(b"x")


def filled(end: socket.socket) -> None:
    """Send until there is no more room."""
    with suppress(BlockingIOError):
        while end.send(bytes(1 << 16)):
            pass


def drained(reader: socket.socket) -> None:
    """Read all that is there."""
    reader.setblocking(False)
    with suppress(BlockingIOError):
        while reader.recv(1 << 20):
            pass
    reader.setblocking(True)
