"""Ingest: archives into a store, in parts, on any number of workers, again and again with the same result."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from kholo.judge import Judge
from kholo.model import EnvironmentFault, Reject
from kholo.sources import archives
from kholo.sources.items import Item
from kholo.sources.lines import NO_DIGEST
from kholo.sources.received import Digested, Received
from kholo.sources.source import Aside, Context, Found
from kholo.store import Store

from . import sets
from .filling import Filling, Summary
from .work import Worked, work

#: Items a worker takes at once: few enough to be flat in memory, whatever they hold.
CHUNK = 256
CHUNK_BYTES = 16 * 1024 * 1024
#: Chunks under way for each worker: enough to bridge the writing of a part.
AHEAD = 4
Tell = Callable[[int, int], None]
#: Called at the end, also of a run broken off: what was read to its end, what became of it, whether it is all.
Note = Callable[[Sequence[Received], "Summary", bool], None]


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
        with Filling(store, judge, summary, beside=workers > 1) as part:
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
