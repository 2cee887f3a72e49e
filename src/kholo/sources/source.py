"""What a source is: one archive, in one module of this room. `docs/adding-a-source.md` says how to write one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from kholo.model import Measurement, Observation, Reject, Signal

from .items import Item

if TYPE_CHECKING:
    from kholo.fetch.plan import Fetch


class Aside(msgspec.Struct, frozen=True):
    """Rows that only say something of other rows, such as where a resolver stands: counted, not kept by themselves."""

    rows: int = 1


class Observed(msgspec.Struct):
    """A measurement whose source knows its observations without a step between."""

    rows: list[Observation]


Found = Item | Reject | Aside
Decoded = tuple[Measurement, Any]
Given = Decoded | Signal | Aside | Reject


def _unknown_line(_address: str, _day: date) -> tuple[str, str]:
    return "AS0", ""


class Context(msgspec.Struct, frozen=True):
    """What decoding may know besides the bytes.

    `now` (UTC) bounds what a clock may say. `line_of` gives the network ("AS0": unknown) and the country ("": unknown)
    that an address belonged to on a day.
    """

    now: datetime
    line_of: Callable[[str, date], tuple[str, str]] = _unknown_line


class CsvTable(msgspec.Struct, frozen=True):
    """A kind of table, told by the columns it must have; `items` gets all lines, the first of them the columns."""

    needed: tuple[str, ...]
    items: Callable[[str, Iterable[Found]], Iterator[Found]]


class File(msgspec.Struct, frozen=True):
    """One open file. `name` is how rows call it; files of the same folder may be read through `path`."""

    name: str
    path: Path
    stream: IO[bytes]


Reader = Callable[[File], Iterator[Found] | None]


class Source(msgspec.Struct, frozen=True):
    """One archive: how its data are told, decoded and fetched.

    `recognises` looks at the bytes of one item, quickly: what two sources recognise goes to the first by id, OONI
    before all. `decode` turns an item into measurements and signals; what it raises becomes a reject. `tables` are
    kinds of CSV, `files` are readers of files whose whole name fits a pattern (`fnmatch`), where a line or a file
    is no item by itself; a reader gives None for a file that only has the name, which is then read as any other.
    `fetch`: how `kholo fetch ID` gets it. `terms`: what the archive lets one do with its data.
    """

    id: str
    name: str
    what: str
    address: str
    terms: str
    recognises: Callable[[bytes], bool]
    decode: Callable[[Item, Context], Iterator[Given]]
    tables: tuple[CsvTable, ...] = ()
    files: tuple[tuple[str, Reader], ...] = ()
    fetch: Fetch | None = None
