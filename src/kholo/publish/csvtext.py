"""CSV that a spreadsheet can open without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, TextIO

import msgspec

from .dates import stamp
from .safe import cell, visible


def write_csv(rows: Iterable[dict[str, Any]], stream: TextIO, columns: Sequence[str] = ()) -> None:
    """CSV with a header; `columns` names it, or the first row does.

    Cells that a spreadsheet would run as a formula get an apostrophe before them; characters that can't be seen are
    written out. Lists are joined by semicolons, what has parts of its own is JSON, times are RFC 3339 UTC, and what is
    absent is empty.
    """
    writer = _writer(stream, columns) if columns else None
    for row in rows:
        writer = writer or _writer(stream, list(row))
        writer.writerow({key: _plain(value) for key, value in row.items()})


def csv_bytes(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> bytes:
    """The same as bytes; a table without rows has its header."""
    stream = io.StringIO(newline="")
    write_csv(rows, stream, columns)
    return stream.getvalue().encode()


def _writer(stream: TextIO, columns: Sequence[str]) -> csv.DictWriter[str]:
    writer = csv.DictWriter(stream, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    return writer


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, msgspec.Struct) or (
        isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct)
    ):
        return _plain(msgspec.json.encode(value).decode())
    if isinstance(value, list | tuple):
        return _plain(";".join(str(item) for item in value))
    return cell(visible(value)) if isinstance(value, str) else value
