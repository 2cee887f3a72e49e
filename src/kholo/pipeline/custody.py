"""What commands write into the custody log of a store: each of them what it used and what it made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from kholo.disk import file_digest
from kholo.fetch.ledger import Receipt
from kholo.publish import CaseView
from kholo.sources.archives import find
from kholo.sources.received import Received
from kholo.store import Store
from kholo.store.custody import Action, Custody, Thing, listing

from .casework import identity_of
from .fetch import Fetched
from .filling import Summary

#: Files named in one entry; of more there are several.
LISTED = 1_000


class Keeper:
    """Adds entries to the log of one store, all of one moment (UTC) and one person.

    Raises `EnvironmentFault` at once where the log can't be written: nothing is done that it could not tell.
    """

    def __init__(self, store: Store, now: datetime, by: str | None) -> None:
        self._log, self._now, self._by = Custody(store.root).ready(), now, by

    def ingested(self, files: Sequence[Received], summary: Summary, is_whole: bool) -> None:
        """Input files and what became of the items in them; the counts stand in the last entry.

        Of a run that was broken off the file under way has no digest, since it was not read to its end.
        """
        what = [Thing(file.name, file.sha256, size=file.size) for file in files]
        while len(what) > LISTED:
            self._log.add("ingest", self._now, what[:LISTED], by=self._by)
            what = what[LISTED:]
        about = {} if is_whole else {"broken_off": "yes"}
        self._log.add("ingest", self._now, what, counts=_counts(summary), about=about, by=self._by)

    def fetched(self, receipts: Sequence[Receipt], done: Fetched) -> None:
        """Objects by number, bytes and one digest; the ledger has the receipt of each."""
        objects = listing({receipt.name: receipt.sha256 for receipt in receipts})
        counts = {"objects": len(receipts), "bytes": sum(receipt.size for receipt in receipts)}
        self._log.add(
            "fetch", self._now, [Thing(done.source, objects)], counts=counts | _counts(done.ingested), by=self._by
        )

    def set_up(self, action: Action, name: str, about: Mapping[str, str], counts: Mapping[str, int]) -> None:
        """Reference data, or a set of verdicts, under its name."""
        self._log.add(action, self._now, [Thing(name)], about=about, counts=counts, by=self._by)

    def made(self, action: Action, seen: CaseView, out: Path, files: Iterable[Path]) -> None:
        """Files made of a case: the digests of what decided, and one over all of them, named from inside of `out`."""
        digests = {_inside(path, out): file_digest(path) for path in files}
        about = {
            "as_of": seen.as_of.isoformat().replace("+00:00", "Z"), "case_digest": seen.versions.case,
            "ruleset": seen.versions.ruleset, "reference": seen.versions.reference,
        }  # fmt: skip
        what = [Thing(out.name, listing(digests))]
        self._log.add(
            action, self._now, what, case=seen.case.id, counts={"files": len(digests)}, about=about, by=self._by
        )

    def sealed(self, action: Action, name: str, digest: str, case: str, about: Mapping[str, str]) -> None:
        """A dossier that was made, signed, stamped, redacted or put into a log: the SHA-256 of its file."""
        self._log.add(action, self._now, [Thing(name, digest)], case=case, about=about, by=self._by)

    def changed(self, action: Action, case: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Files of a case that are not as they were; no entry where all are."""
        names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
        for begin in range(0, len(names), LISTED):
            what = [Thing(name, after.get(name), before.get(name)) for name in names[begin : begin + LISTED]]
            self._log.add(action, self._now, what, case=case, by=self._by)


@contextmanager
def editing(log: Keeper, action: Action, folder: Path) -> Iterator[None]:
    """What the block changes in a case folder goes into the log, also where it is broken off."""
    before = _digests(folder)
    try:
        yield
    finally:
        log.changed(action, identity_of(folder), before, _digests(folder))


def _counts(summary: Summary) -> dict[str, int]:
    numbers = msgspec.structs.asdict(summary)
    return {name: numbers[name] for name in ("files", "read", "new", "known", "signals", "new_signals", "rejected")}


def _digests(folder: Path) -> dict[str, str]:
    """The files of a case by their path inside of it."""
    return {_inside(path, folder): file_digest(path) for path in find([folder])} if folder.is_dir() else {}


def _inside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path != folder and path.is_relative_to(folder) else path.name
