"""A folder of a Satellite scan: what other files say of the rows of its results, in bounded memory.

Version 1 keeps the places of resolvers, the answers of control resolvers and the networks of addresses in files of
their own; version 2 keeps the pages that were fetched from odd addresses in one. A file that is missing, or of which
there is too much, is something not known: the rows are read all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TypeVar, cast

import msgspec
from msgspec import Raw

from kholo.model import MAX_BODY
from kholo.packed import Inflated

from . import lines
from .items import Item
from .lines import Bytes
from .satellite import Fetched, Joined, is_table
from .source import File, Found
from .vantagepoint import Page

#: Entries kept of one table. The largest scans have some 100,000 resolvers and a million addresses.
MAX_ENTRIES = 2_000_000
MAX_TEXT = 256
MAX_LIST = 64
#: Bytes of pages kept in memory; more go to a file without a name, up to so many.
IN_MEMORY = 32 << 20
MAX_PAGES = 8 << 30

T = TypeVar("T")
_ENCODE = msgspec.json.Encoder().encode
_MARKS = (b'"passed"', b'"in_control_group"')
_BROKEN = (msgspec.DecodeError, UnicodeError, RecursionError)


class _Place(msgspec.Struct, gc=False):
    resolver: str
    country: str


class _Control(msgspec.Struct, gc=False):
    query: str
    answers: list[str]


class _Network(msgspec.Struct, gc=False):
    ip: str
    asnum: int


class _Row(msgspec.Struct, gc=False):
    """Just what is needed to find what belongs to a row."""

    resolver: str = ""
    query: str = ""
    answers: dict[str, Raw] | None = None
    test_url: str = ""
    response: Raw = Raw(b"null")
    anomaly: bool | None = None


class _Trip(msgspec.Struct, gc=False):
    response: dict[str, Raw] | None = None


_ROW = msgspec.json.Decoder(_Row)
_TRIPS = msgspec.json.Decoder(list[_Trip] | None)
_TABLE = msgspec.json.Decoder(dict[str, Raw])
_PAGE = msgspec.json.Decoder(Fetched)


def results(file: File) -> Iterator[Found] | None:
    """The rows of `results.json` or `interference.json`; None where the file is of something else."""
    with _opened(file.path) as stream:
        first = next(iter(lines.split(file.name, stream)), None)
    is_ours = isinstance(first, Item) and any(mark in first.data for mark in _MARKS)
    return _joined(file) if is_ours else None


def _joined(file: File) -> Iterator[Found]:
    folder = _Folder(file.path.parent)
    try:
        for found in lines.split(file.name, _unpacked(file.path, file.stream)):
            yield folder.join(found) if isinstance(found, Item) else found
    finally:
        folder.close()


@contextmanager
def _opened(path: Path) -> Iterator[Bytes]:
    with path.open("rb") as stream:
        yield _unpacked(path, stream)


def _unpacked(path: Path, stream: IO[bytes]) -> Bytes:
    return cast(Bytes, Inflated(stream) if path.suffix == ".gz" else stream)


class _Folder:
    """The files beside the results, read when the first row needs them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tables: tuple[dict[str, str], dict[str, list[str]], dict[str, int]] | None = None
        self._pages: _Pages | None = None

    def close(self) -> None:
        """Let go of the pages."""
        if self._pages is not None:
            self._pages.close()

    def join(self, item: Item) -> Item:
        """The row with what the folder says of it; as it is where that can't be told."""
        try:
            row = _ROW.decode(item.data)
            beside = self._version1(row) if row.resolver else self._version2(row)
        except _BROKEN:
            return item
        beside.satellite_row = Raw(item.data)
        return Item(item.file, item.line, _ENCODE(beside), item.data, item.uid)

    def _version1(self, row: _Row) -> Joined:
        if self._tables is None:
            self._tables = (
                {made.resolver: made.country[:MAX_TEXT] for made in self._rows("tagged_resolvers", _Place)},
                {made.query: made.answers[:MAX_LIST] for made in self._rows("answers_control", _Control)},
                {made.ip: made.asnum for made in self._rows("tagged_answers", _Network)},
            )
        places, controls, networks = self._tables
        known = {ip: networks[ip] for ip in row.answers or () if ip in networks}
        return Joined(Raw(b""), places.get(row.resolver, ""), controls.get(row.query, []), known)

    def _version2(self, row: _Row) -> Joined:
        if not row.anomaly:
            return Joined(Raw(b""))
        if self._pages is None:
            self._pages = _Pages(self._lines("blockpages"))
        found = (self._pages.get(ip, row.test_url) for ip in _addresses(row.response)[:MAX_LIST])
        return Joined(Raw(b""), pages=[page for page in found if page is not None])

    def _rows(self, stem: str, kind: type[T]) -> Iterator[T]:
        """The rows of a table that have the form of `kind`."""
        decoder = msgspec.json.Decoder(kind)
        for count, item in enumerate(self._lines(stem)):
            if count >= MAX_ENTRIES:
                return
            try:
                yield decoder.decode(item.data)
            except _BROKEN:
                continue

    def _lines(self, stem: str) -> Iterator[Item]:
        """The lines of a file of the folder, packed or not; none where there is no such file."""
        for path in (self._path / f"{stem}.json", self._path / f"{stem}.json.gz"):
            if path.is_file() and not path.is_symlink():
                with _opened(path) as stream:
                    yield from (found for found in lines.split(stem, stream) if isinstance(found, Item))
                return


def _addresses(response: Raw) -> list[str]:
    if is_table(response):
        return list(_TABLE.decode(response))
    return [ip for trip in _TRIPS.decode(response) or () for ip in trip.response or ()]


class _Pages:
    """Pages by address and name, each kept once, on disk where there are many."""

    def __init__(self, rows: Iterator[Item]) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (closed with the folder)
        self._at: dict[bytes, tuple[int, int]] = {}
        kept: dict[bytes, tuple[int, int]] = {}
        size = 0
        for item in rows:
            try:
                made = _PAGE.decode(item.data)
            except _BROKEN:
                continue
            if not isinstance(made.http, Page):
                continue
            made.http.body = (made.http.body or "")[: 2 * MAX_BODY]
            page = _ENCODE(made.http)
            digest = hashlib.sha256(page).digest()
            if digest not in kept:
                if len(kept) >= MAX_ENTRIES or size + len(page) > MAX_PAGES:
                    break
                self._file.write(page)
                kept[digest] = size, len(page)
                size += len(page)
            self._at[_key(made.ip, made.keyword)] = kept[digest]

    def get(self, ip: str, name: str) -> Fetched | None:
        """The page that the address gave for the name."""
        place = self._at.get(_key(ip, name))
        if place is None:
            return None
        self._file.seek(place[0])
        return Fetched(ip, name, msgspec.json.decode(self._file.read(place[1]), type=Page))

    def close(self) -> None:
        """The file goes with it."""
        self._file.close()


def _key(ip: str, name: str) -> bytes:
    return hashlib.sha256(f"{ip}\n{name}".encode("utf-8", "replace")).digest()[:16]
