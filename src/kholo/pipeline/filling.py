"""A store as it is filled: what is new is collected until it is enough for a part, written, and counted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import duckdb
import msgspec

from kholo.judge import Judge
from kholo.model import Reject, Signal
from kholo.store import Store, rows, write_parquet

from . import sets
from .work import Line, Worked

#: Measurements in one part, unless their bytes run out first.
PART = 8_192
PART_BYTES = 64 * 1024 * 1024


class Summary(msgspec.Struct):
    """What an ingest did. `new` counts measurements added, `known` those that were there already.

    `signals` counts statements about lines as a whole, `new_signals` those of them that were added. `aside`: rows
    that only say something of other rows.
    """

    files: int = 0
    read: int = 0
    new: int = 0
    known: int = 0
    signals: int = 0
    new_signals: int = 0
    aside: int = 0
    rejected: int = 0
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    conflicts: int = 0


class Filling:
    """Collects what is new until a part is full, and writes it: with workers, beside their work.

    Parts are written one after the other, since what is known depends on those before. Leaving the `with` block writes
    the rest and waits for all of it.
    """

    def __init__(self, store: Store, judge: Judge, summary: Summary, beside: bool) -> None:
        self._store, self._summary = store, summary
        self._derived = store.derived(sets.keep(store, judge))
        self._lines: dict[tuple[str, str], Line] = {}
        self._rejects: set[Reject] = set()
        self._signals: set[Signal] = set()
        self._size = 0
        self._writer = ThreadPoolExecutor(1) if beside else None
        self._under_way: Future[_Counts] | None = None

    def __enter__(self) -> Filling:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        try:
            if kind is None:
                self.flush()
                self._wait()
        finally:
            if self._writer is not None:
                self._writer.shutdown()

    def take(self, done: Worked) -> None:
        for line in done.lines:
            self._summary.read += 1
            if self._lines.setdefault((line.uid, line.content), line) is not line:
                self._summary.known += 1
            else:
                self._size += len(line.observations) + len(line.verdict) + len(line.measurement)
        for reject in done.rejects:
            self._summary.rejected += 1
            self._summary.reasons[reject.reason] = self._summary.reasons.get(reject.reason, 0) + 1
            self._rejects.add(reject)
        self._summary.aside += done.aside
        self._summary.signals += len(done.signals)
        self._signals.update(done.signals)
        if len(self._lines) + len(self._rejects) + len(self._signals) >= PART or self._size >= PART_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what the store does not have yet as one part. At most one part is being written at a time."""
        full = self._lines, self._rejects, self._signals
        self._lines, self._rejects, self._signals, self._size = {}, set(), set(), 0
        if self._writer is None:
            self._count(self._write(*full))
            return
        self._wait()
        self._under_way = self._writer.submit(self._write, *full)

    def _wait(self) -> None:
        if self._under_way is not None:
            self._count(self._under_way.result())
            self._under_way = None

    def _count(self, counts: _Counts) -> None:
        self._summary.known += counts.known
        self._summary.new += counts.new
        self._summary.new_signals += counts.new_signals

    def _write(self, collected: dict[tuple[str, str], Line], refused: set[Reject], said: set[Signal]) -> _Counts:
        """Write a part, and count what was known already and what is new."""
        lines, rejects, signals = self._unknown(collected, refused, said)
        counts = _Counts(len(collected) - len(lines), len(lines), len(signals))
        if not lines and not rejects and not signals:
            return counts
        part = _part_id(lines, rejects, signals)
        verdicts = b"".join(line.verdict for line in lines)
        if verdicts:
            write_parquet("verdicts", verdicts, self._derived / f"{part}.parquet")
        self._store.add_part(
            part,
            {
                "measurements": b"".join(line.measurement for line in lines),
                "observations": b"".join(line.observations for line in lines),
                "rejects": _json_lines(rejects),
                "signals": _json_lines(signals),
            },
        )
        return counts

    def _unknown(
        self, collected: dict[tuple[str, str], Line], refused: set[Reject], said: set[Signal]
    ) -> tuple[list[Line], list[Reject], list[Signal]]:
        with self._store.connect() as db:
            known = _known(db, "measurements", ("measurement_uid", "content"), list(collected))
            # The same bytes are the same measurement, also where a later kholo, or another table of networks, reads
            # something else in them.
            bytes_of = [(line.uid, line.digest) for line in collected.values()]
            same = _known(db, "measurements", ("measurement_uid", "digest"), bytes_of)
            keys = [(item.file, str(item.line), item.reason, item.digest) for item in refused]
            old = _known(db, "rejects", ("file", "line", "reason", "digest"), keys)
            heard = _known_signals(db, said) if said else set()
        lines = [
            line for key, line in sorted(collected.items()) if key not in known and (line.uid, line.digest) not in same
        ]
        rejects = [item for item in sorted(refused) if (item.file, str(item.line), item.reason, item.digest) not in old]
        return lines, rejects, sorted((one for one in said if _said(one) not in heard), key=_order)


class _Counts(NamedTuple):
    known: int
    new: int
    new_signals: int


def _json_lines(rows: Sequence[Any]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


#: What makes two statements the same, wherever they were read.
_SAID = ("source", "signal", "kind", "place", "network", "service", "since", "until", "value", "usual", "simulated")


def _said(signal: Signal) -> tuple[Any, ...]:
    return tuple(getattr(signal, name) for name in _SAID)


def _order(signal: Signal) -> bytes:
    """Statements may lack what others have, and so can't be compared as they are."""
    return msgspec.json.encode(signal)


def _known_signals(db: duckdb.DuckDBPyConnection, said: set[Signal]) -> set[tuple[Any, ...]]:
    """What the store heard already, of the sources and in the time of `said`."""
    query = f"SELECT {', '.join(_SAID)} FROM signals WHERE list_contains(?, source) AND since BETWEEN ? AND ?"  # noqa: S608
    times = [one.since.replace(tzinfo=None) for one in said]
    found = db.execute(query, [sorted({one.source for one in said}), min(times), max(times)])
    return {tuple(row.values()) for row in rows(found)}


def _known(
    db: duckdb.DuckDBPyConnection, table: str, key: tuple[str, ...], candidates: Sequence[tuple[str, ...]]
) -> set[tuple[str, ...]]:
    """Which of the candidates the table has already."""
    if not candidates:
        return set()
    columns = ", ".join(f"unnest(?::VARCHAR[]) AS {name}" for name in key)
    same = " AND ".join(f"have.{name}::VARCHAR = want.{name}" for name in key)
    picked = ", ".join(f"want.{name}" for name in key)
    query = f"SELECT {picked} FROM (SELECT {columns}) want SEMI JOIN {table} have ON {same}"  # noqa: S608
    lists = [list(column) for column in zip(*candidates, strict=True)]
    return set(db.execute(query, lists).fetchall())


def _part_id(lines: list[Line], rejects: list[Reject], signals: list[Signal]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line.uid}\n{line.content}\n".encode())
    for item in rejects:
        digest.update(f"{item.file}\n{item.line}\n{item.reason}\n{item.digest}\n".encode())
    digest.update(_json_lines(signals))
    return digest.hexdigest()[:24]
