"""Fetch: from a source on the web into the store, a batch at a time; what was fetched once is not fetched again."""

from __future__ import annotations

import errno
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import msgspec

from kholo.fetch.download import download, path_of
from kholo.fetch.ledger import Ledger, Receipt
from kholo.fetch.plan import Plan, Remote
from kholo.fetch.web import Web
from kholo.model import EnvironmentFault, NetworkFault, NotThere
from kholo.store import Store

from .filling import Summary
from .ingest import Input, conflicts, take

#: Of one batch: bytes and objects that are fetched before they are ingested.
BATCH_BYTES, BATCH_OBJECTS = 256 << 20, 2_000
#: Room on the disk that a fetch leaves, and how much more a store takes than what is fetched.
_SPARE, _FACTOR = 256 << 20, 1.5
#: So many failures one after the other, and it is not the objects that are at fault.
_LOST = 5

Progress = Callable[[int, int], None]
#: Called at the end, also of a run that was broken off: what the store took, and what became of it.
Note = Callable[[Sequence[Receipt], "Fetched"], None]


class Fetched(msgspec.Struct):
    """What a fetch did. `known`: objects that were there already; `failed`: names with the reason, tried next time.

    `absent` counts objects that no listing named and that are not there: nothing is known of what they would say.
    """

    source: str
    objects: int = 0
    known: int = 0
    size: int = 0
    absent: int = 0
    failed: dict[str, str] = msgspec.field(default_factory=dict)
    ingested: Summary = msgspec.field(default_factory=Summary)


class Due(msgspec.Struct, frozen=True):
    """What of a plan has to be fetched, and what was fetched but is not in the store yet."""

    fetch: tuple[Remote, ...]
    known: int

    @property
    def size(self) -> int:
        """Bytes, as far as they are known or supposed."""
        return Plan(self.fetch).size


def folder_of(store: Store, source: str) -> Path:
    """Where the objects of a source are kept."""
    return store.root / "fetched" / source


def due(store: Store, source: str, plan: Plan) -> Due:
    """What is still to be done of a plan."""
    ledger = Ledger(folder_of(store, source))
    missing = tuple(one for one in plan.objects if not _is_there(ledger.of(one.name), one))
    return Due(missing, len(plan.objects) - len(missing))


def _is_there(receipt: Receipt | None, remote: Remote) -> bool:
    return receipt is not None and receipt.is_taken and receipt.is_current(remote)


def room(store: Store, size: int) -> None:
    """Raises `EnvironmentFault` where the disk has too little room for a fetch of `size` bytes."""
    free = shutil.disk_usage(store.root).free
    need = int(size * _FACTOR) + _SPARE
    if free < need:
        raise EnvironmentFault(
            f"{store.root}: needs about {need >> 20} MiB of room, the disk has {free >> 20} MiB; free some, ask for"
            " fewer days, or name a store on another disk"
        )


def fetch(
    store: Store,
    source: str,
    plan: Plan,
    web: Web,
    now: datetime,
    workers: int = 1,
    tell: Progress = lambda _bytes, _objects: None,
    keep: bool = True,
    fingerprints: tuple[Path, ...] = (),
    note: Note = lambda _receipts, _done: None,
) -> Fetched:
    """Fetch what is missing of a plan, and take it into the store.

    `now` (UTC) is the date of the receipts and bounds what measurements may say. `tell` is called with bytes and
    objects done. Without `keep`, objects are removed once the store has what is in them; their receipts stay. Raises
    `NetworkFault` where one thing after the other fails, `EnvironmentFault`; what was done until then stands.
    """
    todo = due(store, source, plan)
    done = Fetched(source, known=todo.known)
    taken: list[Receipt] = []
    with store.writing():
        run = _Run(store, source, web, now, tell)
        try:
            for batch in _batches(todo.fetch):
                receipts = run.receive(batch, done)
                taken += receipts
                _add(done.ingested, run.take(receipts, workers, fingerprints))
                run.mark(receipts, keep)
                if run.lost is not None:
                    raise run.lost
        finally:
            if taken:
                note(taken, done)
    if done.ingested.files:
        done.ingested.conflicts = conflicts(store)
    return done


def _batches(objects: Sequence[Remote]) -> Iterator[list[Remote]]:
    """Bounded by bytes and number; the same plan gives the same batches."""
    batch: list[Remote] = []
    size = 0
    for one in objects:
        if batch and (len(batch) >= BATCH_OBJECTS or size + one.supposed > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.supposed
    if batch:
        yield batch


class _Run:
    """One run over one source."""

    def __init__(self, store: Store, source: str, web: Web, now: datetime, tell: Progress) -> None:
        self._store, self._source, self._web, self._now, self._tell = store, source, web, now, tell
        self._folder = folder_of(store, source)
        self._ledger = Ledger(self._folder)
        self._lock = threading.Lock()
        self._bytes = self._objects = self._failures = 0
        self.lost: NetworkFault | None = None

    def receive(self, batch: list[Remote], done: Fetched) -> list[Receipt]:
        """Fetch a batch over a few connections; the receipts of what is there, in the order of the batch."""
        with ThreadPoolExecutor(self._web.connections) as pool:
            found = list(pool.map(self._one, batch))
        receipts = []
        for remote, result in zip(batch, found, strict=True):
            if isinstance(result, Receipt):
                receipts.append(result)
                done.size += result.size
            elif isinstance(result, NotThere) and remote.size is None:
                done.absent += 1
            elif isinstance(result, NetworkFault):
                done.failed[remote.name] = str(result)
        done.objects += len(receipts)
        return receipts

    def _one(self, remote: Remote) -> Receipt | NetworkFault | None:
        """None: not tried, since all is lost."""
        try:
            known = self._ledger.of(remote.name)
            if known is not None and self._is_kept(known, remote):
                return known
            if self.lost is not None:
                return None
            receipt = download(self._web, remote, self._folder, self._now, self._got)
        except NotThere as error:
            return error
        except NetworkFault as error:
            with self._lock:
                self._failures += 1
                if self._failures >= _LOST:
                    self.lost = error
            return error
        except OSError as error:
            raise self._disk(error) from error
        with self._lock:
            self._failures = 0
            self._objects += 1
            # Written down at once: a break loses nothing that has come.
            self._ledger.add([receipt])
            self._tell(self._bytes, self._objects)
        return receipt

    def _is_kept(self, known: Receipt, remote: Remote) -> bool:
        """Fetched by a run that was cut off before the store had it."""
        path = path_of(self._folder, remote.name)
        return known.is_current(remote) and path.is_file() and path.stat().st_size == known.size

    def _got(self, size: int) -> None:
        with self._lock:
            self._bytes += size
            self._tell(self._bytes, self._objects)

    def _disk(self, error: OSError) -> EnvironmentFault:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            for part in self._folder.rglob(".*.part"):
                part.unlink(missing_ok=True)
            return EnvironmentFault(f"{self._folder}: the disk is full; free some room, then run the same again")
        return EnvironmentFault(f"{error.filename or self._folder}: {error.strerror or error}")

    def take(self, receipts: list[Receipt], workers: int, fingerprints: tuple[Path, ...]) -> Summary:
        """Into the store. Rows name the object as `source/name`, wherever the store lies."""
        inputs = [Input(path_of(self._folder, receipt.name), f"{self._source}/{receipt.name}") for receipt in receipts]
        return take(self._store, inputs, None, self._now, workers, fingerprints=fingerprints)

    def mark(self, receipts: list[Receipt], keep: bool) -> None:
        """What the store has need not come again."""
        if receipts:
            self._ledger.add([msgspec.structs.replace(receipt, is_taken=True) for receipt in receipts])
        if not keep:
            for receipt in receipts:
                path_of(self._folder, receipt.name).unlink(missing_ok=True)


def _add(total: Summary, more: Summary) -> None:
    """Sums, save for conflicts: they are of the whole store, and counted at the end."""
    for name in ("files", "read", "new", "known", "signals", "new_signals", "aside", "rejected"):
        setattr(total, name, getattr(total, name) + getattr(more, name))
    for reason, count in more.reasons.items():
        total.reasons[reason] = total.reasons.get(reason, 0) + count
