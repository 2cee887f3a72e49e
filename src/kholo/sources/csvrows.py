"""Tables as CSV: which kind one is, and its rows, each with the line it stands in."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import msgspec

from kholo.model import Reject

from .envelope import Refused
from .items import Item
from .registry import csv_table
from .source import Found

_ENCODE = msgspec.json.Encoder(order="sorted").encode


def table(name: str, lines: Iterable[Found]) -> Iterator[Found]:
    """The items of a table, as the source reads it that has tables with these columns."""
    waiting = iter(lines)
    for found in waiting:
        if not isinstance(found, Item):
            yield found
            continue
        refused: list[Reject] = []
        _, columns = next(texts([found], refused.append), (0, []))
        yield from refused
        try:
            kind = csv_table(columns)
        except Refused as error:
            yield Item(name, found.line, found.data).reject(error.reason, error.detail)
            return
        yield from kind.items(name, chain([found], waiting))


def texts(lines: Iterable[Found], refuse: Callable[[Reject], None]) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row with its line. Lines that are too long, no UTF-8 or no CSV are refused."""
    at = Item("", 0, b"")

    def text() -> Iterator[str]:
        nonlocal at
        for found in lines:
            if isinstance(found, Reject):
                refuse(found)
                continue
            if not isinstance(found, Item):
                continue
            at = found
            try:
                yield found.data.decode() + "\n"
            except UnicodeDecodeError:
                refuse(found.reject("not_utf8", "the text is not UTF-8"))

    reader = csv.reader(text(), strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            refuse(at.reject("not_csv", str(error)))
            continue
        yield at.line, cells


def items(kind: str) -> Callable[[str, Iterable[Found]], Iterator[Found]]:
    """A reader for tables of which each row is an item by itself: `{"<kind>": {"<column>": "<cell>"}}`.

    A row with more or fewer cells than there are columns is a reject.
    """

    def read(name: str, lines: Iterable[Found]) -> Iterator[Found]:
        refused: list[Reject] = []
        rows = texts(lines, refused.append)
        columns = next(rows, (0, []))[1]
        for line, cells in rows:
            yield from refused
            refused.clear()
            received = ",".join(cells).encode()
            if len(cells) == len(columns):
                yield Item(name, line, _ENCODE({kind: dict(zip(columns, cells, strict=True))}), received)
            else:
                why = f"{len(cells)} cells under {len(columns)} columns"
                yield Item(name, line, received).reject("wrong_row", why)
        yield from refused

    return read
