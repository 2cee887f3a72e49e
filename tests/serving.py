"""A running `kholo serve`, on a port of this machine, for tests that ask it things."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from . import commands
from .commands import COMMAND


class Got:
    """A whole answer, read by the standard library."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()

    def json(self) -> Any:
        return json.loads(self.body)

    def __getitem__(self, header: str) -> str:
        return str(self.headers[header])


class Server:
    """A server that runs. `said` is what it wrote before it listened."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, target: str, method: str = "GET", /, **headers: str) -> Got:
        """Ask on a connection of its own."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, headers=named)
            return Got(connection.getresponse())

    def send(self, data: bytes) -> bytes:
        """Send bytes as they are, and read until the other side closes; it may do so before all is sent."""
        parts = []
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as line, suppress(ConnectionError):
            line.sendall(data)
            # It fails where the other side has closed already, and never waits.
            with suppress(OSError):
                line.shutdown(socket.SHUT_WR)
            while part := line.recv(65_536):
                parts.append(part)
        return b"".join(parts)

    def walk(self, target: str) -> Iterator[dict[str, Any]]:
        """All rows of a list, page by page."""
        following: str | None = target
        while following:
            page = self.get(following).json()
            yield from page["data"]
            following = page["next"]

    def workers(self) -> list[int]:
        """The processes that answer."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]


def kholo(*arguments: str | Path) -> None:
    """Run a command, which must succeed."""
    done = commands.kholo(*arguments)
    assert done.returncode == 0, done.stderr


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(*arguments: object) -> Iterator[Server]:
    """A server with these options, until the end of the block; then it is stopped and must end well."""
    port = free_port()
    looks = () if {"--plain", "--address"} & set(arguments) else ("--plain",)
    command = [*COMMAND, "serve", "--port", str(port), *looks, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    server = Server(process, port)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(server.url), process.communicate()
        _wait(port, process)
        yield server
    finally:
        process.terminate()
        said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said[1], said[1]


def _wait(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        assert process.poll() is None, process.communicate()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            continue
        return
    raise AssertionError("nothing listens")
