"""One client can't hold what there is for all: real sockets on the loopback."""

from __future__ import annotations

import select
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from kholo.serve.connections import Connections
from kholo.serve.crowd import Crowd, Tokens, Turns
from kholo.serve.problems import Problem
from kholo.serve.streams import OF_ONE

from . import raw
from .serving import Got, Server, kholo, served

LARGE = bytes(range(256)) * 40_000
MOST = 3
ONE, OTHER = "192.0.2.1", "192.0.2.2"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("crowd")
    (place / "site").mkdir()
    (place / "site" / "index.html").write_text("<!DOCTYPE html><title>A page</title>")
    (place / "site" / "large.bin").write_bytes(LARGE)
    (place / "one.json").write_bytes(raw.encode(raw.measurement()))
    kholo("ingest", place / "one.json", "--store", place / "store")
    return place


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    told = ("--store", folder / "store", "--site", folder / "site", "--rate", "0", "--at-once", MOST, "--behind-proxy")
    with served(*told) as running:
        yield running


def asking(server: Server, path: str, client: str) -> socket.socket:
    """A connection on which something was asked, whose answer nobody has read."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.settimeout(60)
    line.connect(("127.0.0.1", server.port))
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\r\n".encode())
    return line


def get(server: Server, path: str, client: str) -> Got:
    return server.get(path, X_Forwarded_For=client)


def test_one_client_takes_some_of_the_places_for_large_files(server: Server) -> None:
    with ExitStack() as hanging:
        for _ in range(OF_ONE):
            assert hanging.enter_context(asking(server, "/large.bin", ONE)).recv(20).startswith(b"HTTP/1.1 200")
        told = get(server, "/large.bin", ONE)
        assert (told.status, told["Content-Type"]) == (429, "application/problem+json")
        assert int(told["Retry-After"]) >= 1
        assert get(server, "/", ONE).status == 200
        assert get(server, "/large.bin", OTHER).body == LARGE
    deadline = time.monotonic() + 60
    while get(server, "/large.bin", ONE).status != 200:
        assert time.monotonic() < deadline, "places are free again when their readers are gone"
        time.sleep(0.05)


def test_one_client_waits_for_a_few_answers_and_others_for_none_of_them(server: Server, folder: Path) -> None:
    (facts,) = (folder / "store" / "served").glob("facts-*.sqlite")
    with ExitStack() as hanging:
        # Who reads the file waits until it is free.
        lock = hanging.enter_context(closing(sqlite3.connect(facts, isolation_level=None)))
        lock.execute("BEGIN EXCLUSIVE")
        answered: list[socket.socket] = []
        waiting: list[socket.socket] = []
        while not answered:
            line = asking(server, f"/api/v1/days?limit={len(waiting) + 1}", ONE)
            waiting.append(hanging.enter_context(line))
            answered, _, _ = select.select(waiting, [], [], 0.2)
        told = answered[0].recv(4_096)
        assert told.startswith(b"HTTP/1.1 429"), told
        assert b"\r\nretry-after: 1\r\n" in told.lower()
        assert len(waiting) == MOST + 1
        assert get(server, "/", OTHER).status == 200
        assert get(server, "/", ONE).status == 429
        lock.execute("ROLLBACK")
        for line in waiting:
            assert line is answered[0] or line.recv(4_096).startswith(b"HTTP/1.1 200")
    assert get(server, "/api/v1/days?limit=99", ONE).status == 200


def test_a_turn_is_left_for_whoever_has_none() -> None:
    turns, go = Turns(3, 9), threading.Event()
    inside = threading.Semaphore(0)

    def hold(client: bytes) -> None:
        with turns.turn(client):
            inside.release()
            go.wait(60)

    threads = [threading.Thread(target=hold, args=(b"one",)) for _ in range(9)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        assert inside.acquire(timeout=60)
    # A third of the same client would be there by now if it could be.
    assert not inside.acquire(timeout=0.1)
    with turns.turn(b"other"), pytest.raises(Problem, match="your address"), turns.turn(b"one"):
        pass
    go.set()
    for thread in threads:
        thread.join(60)
    with turns.turn(b"one"):
        pass


def test_a_crowd_remembers_nobody_who_is_gone() -> None:
    crowd = Crowd(2)
    assert [crowd.enter(b"one") is not None for _ in range(3)] == [True, True, False]
    assert crowd.enter(b"other") is not None
    for client in (b"one", b"one", b"other"):
        crowd.leave(client)
    with pytest.raises(KeyError):
        crowd.leave(b"one")


def test_of_a_client_with_too_many_connections_the_latest_are_cut() -> None:
    with ExitStack() as stack:
        ours = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = ours.getsockname()[1]
        lines = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 60, (f"127.0.0.{number}", 0)))
            for number in (1, 1, 2, 1, 1)
        ]
        ends = [stack.enter_context(ours.accept()[0]) for _ in lines]
        assert Connections(port, lambda: 0.0, 0).look() == 0
        looking = Connections(port, lambda: 0.0, 2)
        assert looking.look() == 2
        for line, end, is_cut in zip(lines, ends, (False, False, False, True, True), strict=True):
            if is_cut:
                end.close()
                with suppress(ConnectionResetError):
                    assert line.recv(1) == b""
            else:
                end.sendall(b"x")
                assert line.recv(1) == b"x"


def test_who_waits_longest_has_the_next_turn() -> None:
    """And nobody overtakes: not even who gives a turn back and wants another at once."""
    tokens, order = Tokens(1), list[int]()

    def wait(number: int) -> None:
        tokens.get()
        order.append(number)
        tokens.put()

    tokens.get()
    threads = []
    for number in range(20):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while tokens.waiting <= number:
            time.sleep(0.001)
    tokens.put()
    wait(20)
    for thread in threads:
        thread.join()
    assert order == list(range(21))
