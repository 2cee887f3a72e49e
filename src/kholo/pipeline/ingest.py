"""Ingest: archives into a store, in parts, on any number of workers, again and again with the same result."""

from __future__ import annotations

import hashlib
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import duckdb
import msgspec

from kholo.judge import Judge
from kholo.model import EnvironmentFault, Reject, Signal
from kholo.sources import archives
from kholo.sources.items import Item
from kholo.sources.lines import NO_DIGEST
from kholo.sources.received import Digested, Received
from kholo.sources.source import Aside, Context, Found
from kholo.store import Store, rows, write_parquet

from . import sets
from .work import Line, Worked, work

#: Items a worker takes at once: few enough to be flat in memory, whatever they hold.
CHUNK = 256
CHUNK_BYTES = 16 * 1024 * 1024
#: Chunks under way for each worker: enough to bridge the writing of a part.
AHEAD = 4
#: Measurements in one part, unless their bytes run out first.
PART = 8_192
PART_BYTES = 64 * 1024 * 1024

Tell = Callable[[int, int], None]
#: Called at the end, also of a run broken off: what was read to its end, what became of it, whether it is all.
Note = Callable[[Sequence[Received], "Summary", bool], None]


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


class Input(NamedTuple):
    """One file, and how rows call it."""

    path: Path
    name: str


def ingest(
    store: Store,
    paths: list[Path],
    stdin: IO[bytes] | None,
    now: datetime,
    workers: int = 1,
    tell: Tell = lambda _items, _bytes: None,
    fingerprints: tuple[Path, ...] = (),
    note: Note | None = None,
) -> Summary:
    """Take everything in `paths` (and `stdin`) into the store.

    `now` (UTC) bounds measurement times. `tell` is called with the items and the bytes of input done so far. With
    `note` the input is digested while it is read.
    Raises `UsageError` for a path that is not there, `StoreError` when the store can't be written.
    """
    found = [Input(path, str(path)) for path in archives.find(paths)]
    with store.writing():
        summary = take(store, found, stdin, now, workers, tell, fingerprints, note)
    summary.conflicts = conflicts(store)
    return summary


def take(
    store: Store,
    inputs: Sequence[Input],
    stdin: IO[bytes] | None,
    now: datetime,
    workers: int = 1,
    tell: Tell = lambda _items, _bytes: None,
    fingerprints: tuple[Path, ...] = (),
    note: Note | None = None,
) -> Summary:
    """As `ingest`, into a store that is held for writing already; conflicts are left for the caller to count."""
    is_whole = False
    summary = Summary(files=len(inputs) + (stdin is not None))
    reader = _Reader(inputs, stdin, tell, [] if note else None)
    try:
        _taken(store, sets.judge_for(store, fingerprints), reader, summary, now, workers)
        is_whole = True
    finally:
        if note:
            note(reader.received or [], summary, is_whole)
    return summary


def take_items(
    store: Store,
    judge: Judge,
    found: Iterable[Found],
    now: datetime,
    workers: int = 1,
    tell: Tell = lambda _items, _bytes: None,
) -> Summary:
    """As `take`, of items that were read already, judged by what is given."""
    summary = Summary()
    _taken(store, judge, _Given(found, tell), summary, now, workers)
    return summary


def _taken(store: Store, judge: Judge, reader: _Reader, summary: Summary, now: datetime, workers: int) -> None:
    try:
        with _Part(store, judge, summary, beside=workers > 1) as part:
            for done in _worked(reader.chunks(), now, judge, store, workers):
                part.take(done)
                part.take(reader.drain())
            part.take(reader.drain())
    except OSError as error:
        raise EnvironmentFault(f"{error.filename or store.root}: {error.strerror or error}") from error


class _Reader:
    """Reads items of all files one after the other; what is no item is kept for the end of each chunk."""

    def __init__(
        self, inputs: Sequence[Input], stdin: IO[bytes] | None, tell: Tell, received: list[Received] | None
    ) -> None:
        self._inputs, self._stdin, self._tell = inputs, stdin, tell
        self.received = received
        self._other = Worked([], [])
        self._items = 0
        self._bytes = 0

    def drain(self) -> Worked:
        """What could not be read, or is no item, since the last call."""
        other, self._other = self._other, Worked([], [])
        return other

    def chunks(self) -> Iterator[list[Item]]:
        chunk: list[Item] = []
        size = 0
        for found in self._found():
            if isinstance(found, Reject):
                self._other.rejects.append(found)
                continue
            if isinstance(found, Aside):
                self._other.aside += found.rows
                continue
            chunk.append(found)
            size += len(found.data)
            if len(chunk) >= CHUNK or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _found(self) -> Iterator[Found]:
        for path, name in self._inputs:
            try:
                with path.open("rb") as stream, self._digested(stream, name) as read:
                    yield from self._counted(archives.read_file(path, name, read), read.tell)
                self._bytes += path.stat().st_size
            except OSError as error:
                yield Reject(name, 0, "unreadable_file", error.strerror or "can't be read", NO_DIGEST)
        if self._stdin is not None:
            with self._digested(self._stdin, "-") as read:
                yield from self._counted(archives.read_stream("-", read), lambda: 0)

    @contextmanager
    def _digested(self, stream: IO[bytes], name: str) -> Iterator[IO[bytes]]:
        """The stream, and at the end its digest where somebody asked for it."""
        if self.received is None:
            yield stream
            return
        digested = Digested(stream)
        yield digested.buffered
        self.received.append(digested.received(name))

    def _counted(self, found: Iterable[Found], position: Callable[[], int]) -> Iterator[Found]:
        for item in found:
            self._items += 1
            if self._items % CHUNK == 0:
                self._tell(self._items, self._bytes + position())
            yield item
        self._tell(self._items, self._bytes + position())


class _Given(_Reader):
    """Items that come from elsewhere than files."""

    def __init__(self, found: Iterable[Found], tell: Tell) -> None:
        super().__init__([], None, tell, None)
        self._given = found

    def _found(self) -> Iterator[Found]:
        yield from self._counted(self._given, lambda: 0)


_WORKER: dict[str, tuple[Context, Judge]] = {}


def _start_worker(root: Path, name: str, now: datetime) -> None:
    judge = sets.load(Store(root), name)
    _WORKER["with"] = Context(now, judge.reference.line_of), judge


def _in_worker(items: list[Item]) -> Worked:
    return work(items, *_WORKER["with"])


def _worked(chunks: Iterator[list[Item]], now: datetime, judge: Judge, store: Store, workers: int) -> Iterator[Worked]:
    """The chunks, worked, in order. With several workers a bounded number is under way at once.

    `store` has kept the judge's set by then.
    """
    if workers <= 1:
        context = Context(now, judge.reference.line_of)
        yield from (work(chunk, context, judge) for chunk in chunks)
        return
    given = (store.root, sets.name_of(judge), now)
    with ProcessPoolExecutor(workers, initializer=_start_worker, initargs=given) as pool:
        under_way: deque[Future[Worked]] = deque(
            pool.submit(_in_worker, chunk) for chunk in islice(chunks, workers * AHEAD)
        )
        while under_way:
            done = under_way.popleft().result()
            if (chunk := next(chunks, None)) is not None:
                under_way.append(pool.submit(_in_worker, chunk))
            yield done


class _Part:
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

    def __enter__(self) -> _Part:
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


def conflicts(store: Store) -> int:
    """How many ids stand for more than one content in the store."""
    with store.connect() as db:
        query = (
            "SELECT count(*) FROM (SELECT 1 FROM measurements GROUP BY measurement_uid, kind"
            " HAVING count(DISTINCT content) > 1)"
        )
        (count,) = db.execute(query).fetchone() or (0,)
    return int(count)


def default_workers(cpus: int) -> int:
    """One worker a core, the reader counted among them; one where processes can't be forked cheaply."""
    return max(1, cpus) if sys.platform != "win32" else 1
