"""Archives made to do harm: tars that would fill the memory or never end, and lines across the edges of chunks."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.model import Reject
from kholo.packed import BROKEN, TooLarge, inflated
from kholo.sources import archives
from kholo.sources import lines as lines_of
from kholo.sources.items import Item

MIB = 1 << 20
SPARSE = {f"GNU.sparse.{key}": value for key, value in
          {"major": "1", "minor": "0", "name": "a", "realsize": "3"}.items()}  # fmt: skip


def member(kind: bytes, size: int, pax: dict[str, str] | None = None) -> bytes:
    info = tarfile.TarInfo("a")
    info.type, info.size, info.pax_headers = kind, size, pax or {}
    return info.tobuf(tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT)


#: A header, and what is repeated after it so many times.
HARMFUL = {
    "records of a member without end": (member(tarfile.XHDTYPE, 64 * MIB), bytes(MIB), 64),
    "a name without end": (member(tarfile.GNUTYPE_LONGNAME, 64 * MIB), b"a" * MIB, 64),
    "a map of holes without end": (member(tarfile.REGTYPE, 32 * MIB, SPARSE) + b"9999999\n", b"1\n" * (MIB // 2), 32),
    "a map of holes that is no map": (member(tarfile.REGTYPE, 2048, SPARSE), b"1".ljust(2048), 1),
    "a member larger than any disk": (member(tarfile.REGTYPE, 1 << 60), bytes(512), 1),
}


def packed(name: str) -> io.BytesIO:
    header, unit, times = HARMFUL[name]
    whole = io.BytesIO()
    with gzip.GzipFile(fileobj=whole, mode="wb", compresslevel=1) as stream:
        stream.write(header)
        for _ in range(times):
            stream.write(unit)
    return io.BytesIO(whole.getvalue())


@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_tar_is_a_reject_in_bounded_memory(name: str) -> None:
    stream = packed(name)
    tracemalloc.start()
    found = list(archives.read_file(Path("a.tar.gz"), "a.tar.gz", stream))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found[-1], Reject)
    assert found[-1].reason == "damaged_tar"
    assert most < 8 * MIB


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 230), st.integers(0, 255))
def test_a_packed_file_is_given_whole_or_not_at_all(data: bytes, limit: int, place: int, byte: int) -> None:
    packed = gzip.compress(data, mtime=0)
    if len(data) > limit:
        with pytest.raises(TooLarge):
            inflated(packed, limit)
    else:
        assert inflated(packed, limit) == data
        assert inflated(packed + packed, 2 * limit) == data + data
    with pytest.raises(BROKEN):
        inflated(packed[:-1], len(data))
    changed = bytearray(packed)
    changed[place % len(packed)] = byte
    with suppress(TooLarge, *BROKEN):
        assert inflated(bytes(changed), len(data)) == data


def test_a_few_bytes_do_not_fill_the_memory() -> None:
    packed = gzip.compress(bytes(64 * MIB), 1)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        inflated(packed, MIB)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * MIB


def posts(count: int) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for number in range(count):
            info = tarfile.TarInfo(f"{number}.post")
            info.size = 2
            archive.addfile(info, io.BytesIO(b"{}"))
    return whole.getvalue()


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 3 * 1024), st.integers(0, 255)), max_size=12), st.integers(0, 10_240))
def test_no_change_of_a_tar_escapes(changes: list[tuple[int, int]], size: int) -> None:
    data = bytearray(posts(3))
    for place, byte in changes:
        data[place] = byte
    found = list(archives.read_file(Path("a.tgz"), "a.tgz", io.BytesIO(gzip.compress(bytes(data[:size])))))
    assert {item.reason for item in found if isinstance(item, Reject)} <= {"damaged_tar", "too_large"}


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=30),
    st.integers(1, 50),
    st.integers(1, 30),
    st.booleans(),
)
def test_lines_are_the_same_however_they_are_cut(lines: list[bytes], chunk: int, most: int, is_ended: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_of, "CHUNK", chunk)
        patch.setattr(lines_of, "MAX_ITEM", most)
        stream = io.BytesIO(b"\n".join(lines) + b"\n" * is_ended)
        found = [
            one for one in archives.read_file(Path("a.jsonl"), "a.jsonl", stream) if isinstance(one, Item | Reject)
        ]
    rejected = {item.line for item in found if isinstance(item, Reject)}
    kept = {number: line.strip() for number, line in enumerate(lines, 1) if line.strip() and number not in rejected}
    assert {item.line: item.data for item in found if isinstance(item, Item)} == kept
    assert all(len(lines[number - 1]) > most for number in rejected)
    assert all(len(line) <= most for line in kept.values())
    assert [item.line for item in found] == sorted({*kept, *rejected})
