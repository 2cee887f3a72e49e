"""Bringing the index up to the store and the cases, and seeing when there is something to do."""

from __future__ import annotations

import fcntl
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from kholo import __version__
from kholo.judge import Judge
from kholo.model import StoreError, UsageError
from kholo.pipeline import sets
from kholo.pipeline.attach import Extra
from kholo.pipeline.cases import view
from kholo.pipeline.sets import judge_for
from kholo.pipeline.site import write_site
from kholo.pipeline.verdicts import derive, verdict_files
from kholo.store import Store

from . import facts
from .fill import Told, fill, state_of
from .index import LAYOUT, VERDICTS, Current, Place, opened

SITE, PICTURES = "site", "pictures"


class Sources(msgspec.Struct, frozen=True):
    """What is served: a store, case folders, both. `folder` is where the index lies.

    `extra` is what the site carries besides, `as_of` the moment up to which all is counted (None: that of each look),
    `fingerprints` are files of further block pages.
    """

    folder: Path
    store: Path | None = None
    cases: tuple[Path, ...] = ()
    is_site_made: bool = True
    extra: Extra = Extra()
    as_of: datetime | None = None
    fingerprints: tuple[Path, ...] = ()

    def judge(self, store: Store | None) -> Judge:
        """Who judges."""
        return judge_for(store, self.fingerprints)


def case_folders(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """The case folders among these, or in them. Raises `UsageError` for one that has none."""
    found: list[Path] = []
    for path in given:
        inside = [path] if (path / "case.toml").is_file() else sorted(one.parent for one in path.glob("*/case.toml"))
        if not inside:
            raise UsageError(f"{path}: neither a case folder nor a folder of case folders: no case.toml")
        found += inside
    return tuple(found)


def made_from(sources: Sources, as_of: datetime) -> str:
    """Tells states of the sources apart without reading them.

    Parts, reference data, files of the cases and of what the site carries, this version, and the day.
    """
    moment = sources.as_of or f"{as_of:%Y-%m-%d}"
    said = f"{moment}\n{LAYOUT} {__version__}\n{sources.extra}\n{sources.is_site_made}"
    digest = hashlib.blake2b(said.encode(errors="replace"), digest_size=12)
    if sources.store is not None:
        store = Store(sources.store)
        digest.update("\n".join([sets.name_of(sources.judge(store)), *store.part_ids()]).encode())
    for given in (*sources.cases, *sources.extra.sources):
        for path in (given, *sorted(given.rglob("*"))):
            status = path.stat()
            digest.update(f"\n{path} {status.st_mtime_ns} {status.st_size}".encode(errors="replace"))
    return digest.hexdigest()


def refresh(sources: Sources, as_of: datetime, tell: Told = lambda _done, _all: None) -> Current:
    """Bring the index up to its sources, and put it in force; `as_of` is the moment of looking.

    Raises `CaseError`, `StoreError` and their like.
    """
    place = Place(sources.folder)
    sources.folder.mkdir(parents=True, exist_ok=True)
    with _held(sources.folder / "lock", "another process is writing to this index"):
        before = place.current()
        mark = made_from(sources, as_of)
        if before is not None and before.made_from == mark and (sources.folder / before.facts).exists():
            return before
        store = Store(sources.store) if sources.store else None
        judge = sources.judge(store)
        current = Current("", "", mark, as_of)
        made = list(facts.of_judge(judge))
        if store is not None:
            current, networks = _verdicts(place, store, judge, current, before, tell)
            made += [*networks, *facts.of_store(store, judge)]
        views = [view(folder, store, judge, sources.as_of or as_of) for folder in sources.cases]
        for one in views:
            made += facts.of_case(one)
        if sources.is_site_made:
            with TemporaryDirectory(prefix="work-", dir=sources.folder) as work:
                out, pictures = sources.folder / SITE, sources.folder / PICTURES
                write_site(views, store, judge, sources.extra, out, Path(work), pictures)
        name, digest = facts.write(made, sources.folder)
        current = msgspec.structs.replace(current, facts=name, facts_digest=digest)
        if before is not None and _same(before, current):
            current = msgspec.structs.replace(current, changed=before.changed)
        place.publish(current)
        place.tidy(before, current)
        return current


def _same(one: Current, other: Current) -> bool:
    return (one.facts_digest, one.verdicts_digest) == (other.facts_digest, other.verdicts_digest)


def _verdicts(
    place: Place, store: Store, judge: Judge, current: Current, before: Current | None, tell: Told
) -> tuple[Current, list[facts.Fact]]:
    """Judge what is new and index it; a file of its own for each set of verdicts."""
    derive(store, judge)
    name = sets.name_of(judge)
    files = verdict_files(store, name)
    parts = [path.stem for path in files]
    of_set = hashlib.blake2b(f"{name} {LAYOUT}".encode(), digest_size=8).hexdigest()
    file = f"verdicts-{of_set}.sqlite"
    path = place.folder / file
    is_known = before is not None and before.verdicts == file and path.exists()
    if is_known and not _is_beginning(path, parts):
        # Parts are gone: what they said can't be taken back row by row.
        file = f"{path.stem}-{state_of(name, parts)}.sqlite"
        path, is_known = place.folder / file, False
    if not is_known:
        path.unlink(missing_ok=True)
    db = opened(path, is_new=not is_known, schema=VERDICTS)
    try:
        generation = fill(db, store, files, tell)
        networks = list(facts.of_networks(db))
    except sqlite3.Error as error:
        raise StoreError(f"{path}: can't be written: {error}; remove {place.folder}, and it is made anew") from error
    finally:
        db.close()
    if not is_known:
        opened(path).close()
    made = msgspec.structs.replace(
        current, verdicts=file, verdicts_digest=state_of(name, parts), generation=generation, set_name=name
    )
    return made, networks


def _is_beginning(path: Path, parts: list[str]) -> bool:
    """Whether all that an index holds is still in the store."""
    db = opened(path)
    try:
        return {part for (part,) in db.execute("SELECT id FROM parts")} <= set(parts)
    finally:
        db.close()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold an index for one server. Two, with other cases each, would undo what the other did. Raises `StoreError`."""
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder / "serving", "another kholo serve runs on this store; --workers adds to that one"):
        yield


@contextmanager
def _held(path: Path, otherwise: str) -> Iterator[None]:
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{path.parent}: {otherwise}") from None
        yield
