"""OONI's own observation rows as CSV: one row an endpoint, all rows of a measurement under its `measurement_uid`.

The rows of a measurement may stand anywhere in the file, so they are put in order first, in a temporary database on
disk: memory stays flat. Column names are those of OONI's tables (ooni/data, `oonipipeline`, `WebObservation`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

import msgspec

from kholo.model import Reject

from . import csvrows
from .items import MAX_ITEM, Item
from .source import Found

#: What a file must have to be such a table, and what else of it is read.
NEEDED = (
    "measurement_uid", "measurement_start_time", "probe_cc", "probe_asn", "test_name", "hostname", "ip",
    "dns_failure", "dns_answer", "tcp_success", "tcp_failure", "tls_success", "tls_failure",
)  # fmt: skip
READ = (
    *NEEDED, "report_id", "input", "test_version", "resolver_asn", "port", "dns_engine", "http_request_url",
    "http_failure",
)  # fmt: skip
#: Rows of one measurement above which it is rejected: the largest real ones have some hundreds.
MAX_ROWS = 10_000
_ENCODE = msgspec.json.Encoder(order="sorted").encode


class Row(msgspec.Struct, gc=False):
    """One row, every column as the text that stood there, "" where there was none."""

    measurement_uid: str
    measurement_start_time: str
    probe_cc: str
    probe_asn: str
    test_name: str
    hostname: str = ""
    ip: str = ""
    port: str = ""
    report_id: str = ""
    input: str = ""
    test_version: str = ""
    resolver_asn: str = ""
    dns_engine: str = ""
    dns_failure: str = ""
    dns_answer: str = ""
    tcp_success: str = ""
    tcp_failure: str = ""
    tls_success: str = ""
    tls_failure: str = ""
    http_request_url: str = ""
    http_failure: str = ""


class Rows(msgspec.Struct, gc=False):
    """The rows of one measurement, in the order of their text."""

    observation_rows: list[Row]


def items(name: str, lines: Iterable[Found]) -> Iterator[Found]:
    """One item a measurement, from the lines of a table; `line` is the line of its first row.

    A line that is no row is a reject.
    """
    rejects: list[Reject] = []
    with sqlite3.connect("") as db:
        db.execute("CREATE TABLE t (uid TEXT, line INTEGER, text BLOB)")
        rows = csvrows.texts(lines, rejects.append)
        columns = next(rows, (0, []))[1]
        db.executemany("INSERT INTO t VALUES (?, ?, ?)", _rows(name, columns, rows, rejects.append))
        yield from rejects
        ordered = db.execute("SELECT uid, line, text FROM t ORDER BY uid, text, line")
        for _, group in groupby(ordered, key=lambda row: row[0]):
            yield _item(name, group)


def _rows(
    name: str, columns: list[str], rows: Iterable[tuple[int, list[str]]], refuse: Callable[[Reject], None]
) -> Iterator[tuple[str, int, bytes]]:
    wanted = [(columns.index(column), column) for column in READ if column in columns]
    uid = columns.index("measurement_uid")
    for line, cells in rows:
        if len(cells) != len(columns) or not cells[uid]:
            why = f"{len(cells)} cells under {len(columns)} columns" if cells[uid:] else "no measurement_uid"
            refuse(Item(name, line, ",".join(cells).encode()).reject("wrong_row", why))
            continue
        yield cells[uid], line, _ENCODE({column: cells[place] for place, column in wanted if cells[place]})


def _item(name: str, group: Iterable[tuple[str, int, bytes]]) -> Found:
    texts: list[bytes] = []
    first, size = 0, 0
    for _, line, text in group:
        first = min(first or line, line)
        size += len(text)
        if len(texts) <= MAX_ROWS and size <= MAX_ITEM:
            texts.append(text)
    item = Item(name, first, b'{"observation_rows":[' + b",".join(dict.fromkeys(texts)) + b"]}")
    if len(texts) > MAX_ROWS or size > MAX_ITEM:
        return item.reject("too_large", f"a measurement of more than {MAX_ROWS} rows or {MAX_ITEM} bytes")
    return item
