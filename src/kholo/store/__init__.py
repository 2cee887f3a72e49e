"""A store: one folder of Parquet files, written in parts that are there whole or not at all.

    store/
      kholo-store.json          what it is, and the version of its layout
      parts/<id>/<table>.parquet  the facts: measurements, observations, rejects, signals
      verdicts/<ruleset>-<reference>/<id>.parquet   derived, may be deleted at any time
      detected/                 what the detector found before, so as not to compute it again; may be deleted
      sets/<ruleset>-<reference>/   the rules and reference data that made them
      reference/<digest>/       snapshots of reference data, each in force from a day on
      fetched/<source>/         objects that `kholo fetch` got, as received, and their receipts
      custody.jsonl             who did what to which bytes, in lines that are only added
      follow.json               what `kholo watch --fetch` goes on with
      told/                     what `kholo watch` told, and to whom it still has to
      tmp/                      what a run that was cut off left behind; the next one removes it
      lock                      held by the one process that writes

A part appears by renaming its folder, after its files reached the disk: that is the commit. Readers need no lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from kholo.disk import sync
from kholo.model import OtherLayout, StoreError

from .schema import FACTS, TABLES, columns, columns_of, empty

__all__ = ["FACTS", "TABLES", "Store", "columns", "columns_of"]

LAYOUT = 3
#: Bytes of one row as JSON: the body of a page is cut at 64 KiB, which escapes can make six times longer.
MAX_ROW = 4 << 20
_MARK = "kholo-store.json"


class Store:
    """A store at `root`. Opening creates it when `create` is set. Raises `StoreError` when it can't be used."""

    def __init__(self, root: Path, create: bool = False) -> None:
        self.root = root
        self.parts = root / "parts"
        self.sets = root / "sets"
        self.reference = root / "reference"
        mark = root / _MARK
        try:
            if create and not mark.exists():
                self._create(mark)
            layout = json.loads(mark.read_text())["layout"]
        except FileNotFoundError as error:
            raise StoreError(f"{root}: there is no store here; `kholo ingest PATH --store {root}` makes one") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{root}: can't be used as a store: {error}") from error
        if layout != LAYOUT:
            raise OtherLayout(f"{root}: written in layout {layout!r}; this kholo reads layout {LAYOUT}")

    def _create(self, mark: Path) -> None:
        if self.root.exists() and any(self.root.iterdir()):
            raise StoreError(f"{self.root}: is neither empty nor a store; name another folder")
        self.parts.mkdir(parents=True)
        mark.write_text(json.dumps({"layout": LAYOUT, "what": "a kholo store: measurements and what follows"}) + "\n")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the store for writing, and clear away what a run that was cut off left. Raises `StoreError` if held."""
        with (self.root / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(f"{self.root}: another process is writing to this store; try again later") from None
            shutil.rmtree(self.root / "tmp", ignore_errors=True)
            yield

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection that has each table of facts as a view. In memory, spilling to the store's own `tmp`."""
        connection = duckdb.connect()
        connection.execute("SET threads = 2")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET memory_limit = '1GB'")
        connection.execute("SET temp_directory = ?", [str(self.root / "tmp" / "spill")])
        for table in FACTS:
            self.view(connection, table, self.files(table))
        return connection

    def files(self, table: str) -> list[Path]:
        """The Parquet files of a table of facts, sorted."""
        return sorted(self.parts.glob(f"*/{table}.parquet"))

    def part_ids(self) -> list[str]:
        """The ids of all parts, sorted."""
        return sorted(path.name for path in self.parts.iterdir() if path.is_dir())

    @staticmethod
    def view(connection: duckdb.DuckDBPyConnection, table: str, files: list[Path], name: str = "") -> None:
        """Make `table` a view over these files (none: an empty one).

        A view under a `name` of its own has one column more: `filename`, the file that a row stands in.
        """
        head = f"CREATE OR REPLACE VIEW {name or table} AS SELECT *"
        if not files:
            connection.execute(f"{head}{', NULL AS filename' if name else ''} FROM ({empty(table)})")
            return
        names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
        connection.execute(f"{head} FROM read_parquet([{names}]{', filename = true' if name else ''})")

    def add_part(self, part: str, tables: dict[str, bytes]) -> None:
        """Write one part: JSON Lines by table become Parquet, and the part appears. Known parts are left alone."""
        target = self.parts / part
        if target.exists():
            return
        folder = self.root / "tmp" / part
        folder.mkdir(parents=True, exist_ok=True)
        for table, lines in sorted(tables.items()):
            if lines:
                write_parquet(table, lines, folder / f"{table}.parquet")
        sync(folder)
        folder.rename(target)
        sync(self.parts)

    def derived(self, name: str) -> Path:
        """The folder of one set of derived verdicts. It may be deleted at any time."""
        folder = self.root / "verdicts" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def write_parquet(table: str, lines: bytes, path: Path) -> None:
    """JSON Lines to a Parquet file, which appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may derive the same at the same time: each writes beside, and the last rename stands.
    raw, ready = (path.with_suffix(f".{os.getpid()}.{kind}") for kind in ("jsonl", "partial"))
    raw.write_bytes(lines)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.execute(
            f"COPY (SELECT * FROM read_json(?, format = 'newline_delimited', columns = {columns(table)},"  # noqa: S608
            f" maximum_object_size = {MAX_ROW})) TO '{str(ready).replace(chr(39), chr(39) * 2)}'"
            " (FORMAT parquet, COMPRESSION zstd)",
            [str(raw)],
        )
    raw.unlink()
    sync(ready)
    ready.rename(path)


def rows(cursor: duckdb.DuckDBPyConnection, size: int = 4_096) -> Iterator[dict[str, Any]]:
    """The rows of a query that was executed, as dicts, in bounded memory."""
    names = [column[0] for column in cursor.description or ()]
    while chunk := cursor.fetchmany(size):
        yield from (dict(zip(names, map(_aware, row), strict=True)) for row in chunk)


def _aware(value: Any) -> Any:
    """Stored times carry no zone: they are UTC, and say so from here on."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def unaware(moment: datetime) -> datetime:
    """A time as the tables hold it: UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
