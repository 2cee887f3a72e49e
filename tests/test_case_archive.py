"""`kholo case archive` against a real server on the loopback: what is kept, what is told, nothing half-written."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from kholo.fetch.page import Page, Visitor, is_public, warc
from kholo.fetch.wait import Patience, Timing
from kholo.model import CaseError, NetworkFault
from kholo.pipeline.archive import archive
from kholo.record import load_case

from .broken_case import write
from .commands import kholo
from .servers import Answer, Request, Running, serve
from .servers.base import Wire

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SERVICES = ("chirp", "x")
PAGE = "<p>سروس بند نہیں ہے</p>".encode()


def site(request: Request) -> Answer:
    """A small press."""
    answers = {
        "/page": Answer(200, {"Content-Type": "text/html", "Set-Cookie": "session=SECRET", "X-By": "caf\xe9"}, PAGE),
        "/parts": Answer(200, {"Content-Type": "text/plain"}, [b"one ", b"two"]),
        "/moved": Answer(302, {"Location": "/page"}),
        "/refused": Answer(403, {}, b"no\x1b[31m robots"),
        "/cut": Answer(200, {}, b"x" * 5_000, wire=Wire(stop=100)),
    }
    return answers.get(request.path, Answer(404, {}, b"gone"))


@contextmanager
def visiting(waits: list[float] | None = None, *, only_public: bool = False) -> Iterator[Visitor]:
    pauses: list[float] = [] if waits is None else waits
    timing, patience = Timing(pauses.append, time.monotonic, lambda: 0.5), Patience(tries=2, connect=2.0, read=2.0)
    visitor = Visitor(timing, patience, is_public if only_public else lambda _address: True)
    try:
        yield visitor
    finally:
        visitor.close()


@pytest.fixture
def server() -> Iterator[Running]:
    with serve(site) as running:
        yield running


def case(folder: Path, server: Running, *paths: str) -> Path:
    """A case whose entries `order`, `stay`, `appeal` … have these pages as their source, all others none."""
    write(folder)
    for path in (folder / "entries").iterdir():
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith("address =")))
    for name, page in zip(("order", "stay", "appeal", "contempt"), paths, strict=False):
        path = folder / f"entries/{name}.toml"
        path.write_text(path.read_text().replace("[[source]]", f'[[source]]  # seen\naddress = "{server.url}{page}"'))
    return folder


def records(path: Path) -> list[tuple[str, str, str, bytes]]:
    """Type, address, status line and content of each record; the library checks the digests while it reads."""
    found = []
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream, check_digests="raise"):
            line = record.http_headers.statusline if record.http_headers else ""
            address = record.rec_headers.get_header("WARC-Target-URI") or ""
            found.append((record.rec_type, address, line, record.content_stream().read()))
    return found


def test_a_page_is_kept_whole_and_its_entry_names_it(tmp_path: Path, server: Running) -> None:
    folder = case(tmp_path / "case", server, "/page")
    before = (folder / "entries/order.toml").read_text()
    with visiting() as visitor:
        (kept,) = archive(folder, None, visitor, SERVICES, lambda: NOW)
    assert (kept.entry_id, kept.outcome) == ("order", "kept")
    assert kept.archived is not None
    data = (folder / kept.archived).read_bytes()
    assert kept.sha256 == hashlib.sha256(data).hexdigest()
    info, asked, answer = records(folder / kept.archived)
    assert (info[0], asked[0], answer[0]) == ("warcinfo", "request", "response")
    assert f"GET /page HTTP/1.1\r\nHost: {server.url.removeprefix('http://')}\r\n".encode() in gzip.decompress(data)
    assert (answer[1], answer[2], answer[3]) == (f"{server.url}/page", "200 OK", PAGE)
    assert b"SECRET" not in gzip.decompress(data)
    named = f'archived = "{kept.archived}"\nsha256 = "{kept.sha256}"\n'
    assert (folder / "entries/order.toml").read_text() == before.replace(
        "read = 2025-06-01\n", f"read = 2025-06-01\n{named}"
    )
    load_case(folder, SERVICES)


def test_what_has_a_copy_is_not_fetched_again(tmp_path: Path, server: Running) -> None:
    folder = case(tmp_path / "case", server, "/page", "/parts")
    with visiting() as visitor:
        assert len(list(archive(folder, None, visitor, SERVICES, lambda: NOW))) == 2
        assert list(archive(folder, None, visitor, SERVICES, lambda: NOW)) == []
    assert len(server.requests) == 2


def test_an_address_of_several_entries_is_fetched_once(tmp_path: Path, server: Running) -> None:
    folder = case(tmp_path / "case", server, "/page", "/page", "/none", "/none")
    with visiting() as visitor:
        found = list(archive(folder, None, visitor, SERVICES, lambda: NOW))
    assert [kept.outcome for kept in found] == ["kept", "shared", "gone", "gone"]
    assert found[0].archived == found[1].archived
    assert [seen.request.path for seen in server.requests] == ["/page", "/none"]


def test_two_visits_of_one_host_have_a_pause_between_them(tmp_path: Path, server: Running) -> None:
    waits: list[float] = []
    with visiting(waits) as visitor:
        list(archive(case(tmp_path / "case", server, "/page", "/parts"), None, visitor, SERVICES, lambda: NOW))
    assert waits == [2.0]


def test_where_a_page_sends_on_every_step_is_kept(tmp_path: Path, server: Running) -> None:
    folder = case(tmp_path / "case", server, "/moved", "/parts")
    with visiting() as visitor:
        moved, parts = archive(folder, None, visitor, SERVICES, lambda: NOW)
    assert moved.archived is not None
    assert parts.archived is not None
    steps = [
        (kind, address.removeprefix(server.url), line) for kind, address, line, _ in records(folder / moved.archived)
    ]
    assert steps[1:] == [
        ("request", "/moved", "/moved HTTP/1.1"),
        ("response", "/moved", "302 Found"),
        ("request", "/page", "/page HTTP/1.1"),
        ("response", "/page", "200 OK"),
    ]
    assert records(folder / parts.archived)[-1][3] == b"one two"


@pytest.mark.parametrize(
    ("page", "outcome", "because"),
    [
        ("/none", "gone", "there is nothing at"),
        ("/refused", "failed", "refuses the request (403)"),
        ("/cut", "failed", "the connection failed"),
    ],
)
def test_a_page_that_can_not_be_had_is_named_and_leaves_nothing(
    tmp_path: Path, server: Running, page: str, outcome: str, because: str
) -> None:
    folder = case(tmp_path / "case", server, page, "/page")
    before = (folder / "entries/order.toml").read_text()
    with visiting() as visitor:
        bad, good = archive(folder, None, visitor, SERVICES, lambda: NOW)
    assert (bad.outcome, bad.address, bad.archived, good.outcome) == (outcome, f"{server.url}{page}", None, "kept")
    assert because in bad.because
    assert (folder / "entries/order.toml").read_text() == before
    copies = {path.name for path in (folder / "sources").iterdir()} - {"page.txt", "names.csv"}
    assert copies == {str(good.archived).removeprefix("sources/")}


def test_addresses_of_the_own_network_are_not_visited(tmp_path: Path, server: Running) -> None:
    folder = case(tmp_path / "case", server, "/page")
    with visiting(only_public=True) as visitor:
        (kept,) = archive(folder, None, visitor, SERVICES, lambda: NOW)
        with pytest.raises(NetworkFault, match="of this machine or its network"):
            visitor.page("http://169.254.169.254/latest/meta-data")
    assert (kept.outcome, server.requests) == ("failed", [])
    assert [is_public(f"http://{host}/") for host in ("127.0.0.1", "[::1]", "10.0.0.1", "8.8.8.8")] == [False] * 3 + [
        True
    ]


def test_the_same_page_at_the_same_time_is_the_same_bytes(server: Running) -> None:
    with visiting() as visitor:
        first, second = (warc(_without_date(visitor.page(f"{server.url}/page")), NOW) for _ in range(2))
    assert first == second


def _without_date(page: Page) -> Page:
    (hop,) = page.hops
    kept = tuple(pair for pair in hop.headers if pair[0] != "Date")
    return Page((type(hop)(hop.address, hop.status, hop.reason, kept),), page.body)


def test_a_wrong_case_is_not_touched(tmp_path: Path, server: Running) -> None:
    folder = case(tmp_path / "case", server, "/page")
    (folder / "entries/vote.toml").write_text("id = ")
    with visiting() as visitor, pytest.raises(CaseError):
        list(archive(folder, None, visitor, SERVICES, lambda: NOW))
    assert server.requests == []


def test_the_command(tmp_path: Path, server: Running) -> None:
    folder = case(tmp_path / "case", server, "/page", "/refused")
    refused = kholo("case", "archive", folder)
    assert (refused.returncode, refused.stdout.count(b"of this machine or its network")) == (1, 2)
    done = kholo("case", "archive", folder, "stay", "--local")
    assert done.returncode == 1
    assert b"stay: failed: http" in done.stdout
    assert b"\x1b" not in done.stdout
    done = kholo("case", "archive", folder, "order", "--local", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "kept"
    assert b"did you mean 'order'" in kholo("case", "archive", folder, "ordr").stderr
