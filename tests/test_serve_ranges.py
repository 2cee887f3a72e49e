"""Parts of files: a download that was cut off goes on where it ended, or begins anew where the file is another one."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.serve.ranges import Part, asked_for, part_of

from .serving import Server, served

LARGE, SMALL = random.Random(8).randbytes(5 << 20), b"day,state\n" + b"2024-02-17,blocked\n" * 400
SIZES = st.integers(0, 1 << 40)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    (place / "index.html").write_text("<!DOCTYPE html><title>A page</title>" + "<p>of some length</p>" * 99)
    (place / "large.zip").write_bytes(LARGE)
    (place / "days.csv").write_bytes(SMALL)
    (place / "empty.bin").write_bytes(b"")
    return place


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[Server]:
    with served("--site", site, "--rate", "0") as running:
        yield running


@given(SIZES, SIZES, SIZES)
def test_a_range_is_the_bytes_it_names_as_far_as_they_are_there(first: int, last: int, whole: int) -> None:
    part = part_of(f"bytes={first}-{last}", whole)
    if last < first:
        assert part is None
    else:
        assert part is not None
        assert (part.first, part.size) == (first, len(range(first, min(last + 1, whole))))
    open_ended = part_of(f"bytes={first}-", whole)
    assert open_ended == Part(first, max(0, whole - first))
    # What a slice of the last bytes is.
    ending = part_of(f"bytes=-{first}", whole)
    assert (ending is None) == (whole == 0)
    if ending is not None:
        assert (ending.first + ending.size, ending.size) == (whole, min(first, whole))


@given(st.text(max_size=40) | st.from_regex(r"[bB]ytes *= *[0-9,\- ]{0,40}", fullmatch=True), SIZES)
def test_whatever_is_asked_for_is_none_or_within_the_file(header: str, whole: int) -> None:
    part = part_of(header, whole)
    if part is not None:
        assert part.first >= 0
        assert part.size == 0 or part.first + part.size <= whole
        start, _, rest = part.content_range(whole).partition("/")
        assert (rest, start.startswith("bytes ")) == (str(whole), True)


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=-", "bytes=1", "bytes=5-4", "bytes=0-1,4-5", "bytes=,0-1", "items=0-1", "bytes=a-b",
     "bytes=0-1;x", "bytes=+0-1", "bytes=0x1-2", "bytes=١-٢", "bytes=0-1\n", f"bytes={'9' * 19}-",
     f"bytes=0-{'9' * 5000}", "bytes=0--1", "bytes 0-1"],
)  # fmt: skip
def test_what_is_not_one_range_of_bytes_is_the_whole(header: str) -> None:
    assert part_of(header, 100) is None


def test_only_the_very_tag_is_good_enough_to_go_on() -> None:
    asked = {"range": "bytes=2-"}
    assert asked_for(asked, 9, '"a"') == asked_for({**asked, "if-range": ' "a"'}, 9, '"a"') == Part(2, 7)
    for tag in ('W/"a"', '"b"', "a", "*", '"a", "b"', "", "Thu, 01 Jan 1970 00:00:00 GMT"):
        assert asked_for({**asked, "if-range": tag}, 9, '"a"') is None
    assert asked_for({"if-range": '"a"'}, 9, '"a"') is None


@pytest.mark.parametrize(("name", "content"), [("large.zip", LARGE), ("days.csv", SMALL)])
def test_a_part_of_a_file_is_what_stands_there(server: Server, name: str, content: bytes) -> None:
    whole, size = server.get(f"/{name}"), len(content)
    assert (whole.status, whole["Accept-Ranges"], whole["Content-Range"]) == (200, "bytes", "None")
    for wish, first, last in (
        ("0-0", 0, 0), ("5-700", 5, 700), (f"{size - 3}-", size - 3, size - 1), ("-10", size - 10, size - 1),
        (f"7-{size * 2}", 7, size - 1), (f"-{size * 2}", 0, size - 1),
    ):  # fmt: skip
        for more in ({}, {"If_Range": whole["ETag"]}, {"Accept_Encoding": "gzip, br"}):
            part = server.get(f"/{name}", Range=f"bytes={wish}", **more)
            assert (part.status, part.body) == (206, content[first : last + 1])
            assert part["Content-Range"] == f"bytes {first}-{last}/{size}"
            assert (part["Content-Length"], part["Content-Encoding"]) == (str(last - first + 1), "None")
            assert part["ETag"] == whole["ETag"]
    for wish in (f"{size}-", f"{size * 9}-{size * 10}", "-0"):
        gone = server.get(f"/{name}", Range=f"bytes={wish}")
        assert (gone.status, gone["Content-Range"]) == (416, f"bytes */{size}")
        assert gone.json()["type"].endswith("range-not-satisfiable")
    for wish in ("bytes=0-1, 5-6", "bytes=x", "lines=1-2"):
        assert server.get(f"/{name}", Range=wish).body == content
    assert server.get(f"/{name}", Range="bytes=0-9", If_Range='"another"').body == content
    assert server.get(f"/{name}", Range="bytes=0-9", If_None_Match=whole["ETag"]).status == 304
    head = server.get(f"/{name}", "HEAD", Range="bytes=0-9")
    assert (head.status, head["Content-Length"], head["Accept-Ranges"], head["ETag"]) == (
        200, str(size), "bytes", whole["ETag"],
    )  # fmt: skip


def test_the_tag_of_what_is_packed_is_not_that_of_the_file(server: Server) -> None:
    packed = server.get("/days.csv", Accept_Encoding="gzip")
    assert packed["Content-Encoding"] == "gzip"
    again = server.get("/days.csv", Accept_Encoding="gzip", Range="bytes=5-", If_Range=packed["ETag"])
    assert (again.status, again["Content-Encoding"], again.body) == (200, "gzip", packed.body)


def test_pages_and_answers_and_empty_files_have_no_parts(server: Server) -> None:
    for target in ("/", "/api/v1/services", "/empty.bin"):
        whole, part = server.get(target), server.get(target, Range="bytes=-5")
        assert (part.status, part.body) == (200, whole.body)
    assert server.get("/")["Accept-Ranges"] == "None"
    assert server.get("/empty.bin", Range="bytes=0-").status == 416


def cut_off(server: Server, target: str, after: int) -> tuple[str, bytes]:
    """The tag of a file, and so many of its bytes: then the line went dead."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as line:
        line.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got or len(got.partition(b"\r\n\r\n")[2]) < after:
            got += line.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    (tag,) = (one.split(b": ")[1] for one in head.split(b"\r\n") if one.lower().startswith(b"etag"))
    return tag.decode(), body[:after]


def test_a_download_that_was_cut_off_goes_on(server: Server) -> None:
    tag, begun = cut_off(server, "/large.zip", 1_234_567)
    rest = server.get("/large.zip", Range=f"bytes={len(begun)}-", If_Range=tag)
    assert rest.status == 206
    assert begun + rest.body == LARGE


def test_a_file_that_changed_in_between_comes_whole(server: Server, site: Path) -> None:
    file = site / "changing.zip"
    file.write_bytes(LARGE)
    tag, begun = cut_off(server, "/changing.zip", 100_000)
    status = file.stat()
    other = LARGE[::-1]
    for write in (written, replaced):
        write(file, other)
        # A copy that keeps the time of its source must not pass for the file that was there before.
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        rest = server.get("/changing.zip", Range=f"bytes={len(begun)}-", If_Range=tag)
        assert (rest.status, rest["Content-Range"], rest.body) == (200, "None", other)
        assert rest["ETag"] != tag
        tag, other = rest["ETag"], other[::-1]


def written(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def replaced(file: Path, content: bytes) -> None:
    beside = file.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(file)


def test_memory_does_not_grow_with_the_file(server: Server, site: Path) -> None:
    def peak() -> int:
        lines = [line for pid in server.workers() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    size = 300 << 20
    with (site / "huge.bin").open("wb") as out:
        out.truncate(size)
    server.get("/large.zip", Range="bytes=1-")
    before = peak()
    got = 0
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as line:
        line.sendall(b"GET /huge.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=1000-\r\nConnection: close\r\n\r\n")
        while part := line.recv(1 << 20):
            got += len(part)
    assert got > size - 1_000
    assert peak() < before + 60_000
