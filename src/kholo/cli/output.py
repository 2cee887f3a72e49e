"""Printing rows: as a table for a person, as JSON Lines for a program, as CSV or Parquet for a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from kholo.model import UsageError
from kholo.model.text import clean
from kholo.publish.csvtext import write_csv
from kholo.store import write_parquet

_ENCODER = msgspec.json.Encoder()


def json_rows(rows: Iterable[Any]) -> None:
    """JSON Lines on standard output: times in RFC 3339 UTC, absent is null."""
    out = sys.stdout.buffer
    for row in rows:
        out.write(_ENCODER.encode(row) + b"\n")
    out.flush()


def table(rows: Iterable[dict[str, Any]], columns: dict[str, str], limit: int | None = None) -> int:
    """An aligned table on standard output; gives the number of rows. `columns` maps keys to headings.

    With a `limit`, only so many rows are held and shown, and a last line says how many there are.
    """
    shown: list[list[str]] = []
    count = 0
    for row in rows:
        count += 1
        if limit is None or count <= limit:
            shown.append([_cell(row.get(key)) for key in columns])
    if not shown:
        return count
    grid = [list(columns.values()), *shown]
    widths = [max(len(line[place]) for line in grid) for place in range(len(columns))]
    for line in grid:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if limit is not None and count > limit:
        click.echo(f"… and {count - limit} more: --limit 0 shows all, --json and --out write all")
    return count


def _cell(value: Any) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, list | tuple):
        return ", ".join(clean(str(item), 60) for item in value)
    return clean(str(value), 60)


def write_file(rows: Iterable[dict[str, Any]], path: Path, kind: str) -> None:
    """Rows into a `.csv` or `.parquet` file of table `kind`, and says so. Raises `UsageError` for any other name."""
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as stream:
            write_csv(rows, stream)
    elif path.suffix == ".parquet":
        write_parquet(kind, b"".join(_ENCODER.encode(row) + b"\n" for row in rows), path)
    else:
        raise UsageError(f"{path}: the name must end in .csv or .parquet")
    click.echo(f"written: {path}")


def for_programs(rows: Iterable[dict[str, Any]], as_json: bool, path: Path | None, kind: str) -> bool:
    """Rows as JSON Lines, or into a file, where one of the two was asked for; whether it was."""
    if as_json:
        json_rows(rows)
    elif path is not None:
        write_file(rows, path, kind)
    return as_json or path is not None


def counted(rows: Iterable[dict[str, Any]], tally: dict[str, int], key: str) -> Iterator[dict[str, Any]]:
    """Pass rows on, counting the values of `key`."""
    for row in rows:
        tally[row[key]] = tally.get(row[key], 0) + 1
        yield row
