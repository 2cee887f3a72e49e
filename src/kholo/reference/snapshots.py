"""Reference data with dates: snapshots in a folder of the store, each whole, unchanging, and in force from a day on.

    reference/<digest>/
      snapshot.json     kind, the day from which it is in force, files, where they are from, when fetched, licence
      <files>           as they were fetched
      networks.ranges   made of them, for speed; may be deleted

The digest is over kind, day and files: who changes one of them has another snapshot.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal

import msgspec

from kholo.disk import sync
from kholo.model import ReferenceDataError, UsageError

from .fingerprints import load_fingerprints
from .networks import Networks, prepare, prepared, read_networks
from .testlists import TestLists, read_test_lists
from .unpack import unpacked

Kind = Literal["fingerprints", "networks", "test-lists"]
KINDS: tuple[Kind, ...] = ("fingerprints", "networks", "test-lists")
#: Hex digits of SHA-256 that name a snapshot.
DIGITS = 16
_HEAD = "snapshot.json"
_RANGES = "networks.ranges"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


class Kept(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """One file of a snapshot. `sha256` in hex, `size` in bytes."""

    name: str
    sha256: str
    size: int


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `snapshot.json` says. `addresses` are where the files are from, `fetched` is UTC."""

    kind: Kind
    in_force_from: date
    files: tuple[Kept, ...]
    addresses: tuple[str, ...]
    fetched: datetime
    licence: str

    @property
    def digest(self) -> str:
        """Names the snapshot."""
        lines = [self.kind, self.in_force_from.isoformat(), *(f"{file.name} {file.sha256}" for file in self.files)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:DIGITS]


class Found(msgspec.Struct, frozen=True):
    """A snapshot, and the folder it is in."""

    folder: Path
    snapshot: Snapshot

    def paths(self) -> tuple[Path, ...]:
        """Its files, once they are what they were. Raises `ReferenceDataError`."""
        return tuple(path for path, _ in self.contents())

    def contents(self) -> list[tuple[Path, bytes]]:
        """Its files with their bytes, as fetched. Raises `ReferenceDataError`."""
        contents = []
        for file in self.snapshot.files:
            path = self.folder / file.name
            try:
                data = path.read_bytes()
            except OSError as error:
                raise _broken(self.folder, f"{file.name} can't be read: {error.strerror}") from error
            if hashlib.sha256(data).hexdigest() != file.sha256:
                raise _broken(self.folder, f"{file.name} is not what was fetched")
            contents.append((path, data))
        return contents

    def networks(self) -> Networks:
        """The table of a snapshot of networks."""
        return prepared(self.folder / _RANGES, lambda: _unpacked(self.contents()), self.snapshot.digest.encode())

    def test_lists(self) -> TestLists:
        """The lists of a snapshot of test lists."""
        return read_test_lists(_unpacked(self.contents()))


def _unpacked(contents: Sequence[tuple[Path, bytes]]) -> list[tuple[str, bytes]]:
    return [(str(path), unpacked(str(path), data)) for path, data in contents]


def _broken(folder: Path, why: str) -> ReferenceDataError:
    return ReferenceDataError(
        f"{folder}: not a usable snapshot of reference data: {why}. Remove the folder; `kholo reference update` fetches"
        " what is there now, a copy of the store has it as it was"
    )


def find(folder: Path) -> list[Found]:
    """The snapshots in a folder, by kind and day. Raises `ReferenceDataError` naming one that is broken."""
    if not folder.is_dir():
        return []
    found = [_read(path) for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    found.sort(key=lambda one: (one.snapshot.kind, one.snapshot.in_force_from))
    for one, after in pairwise(found):
        if (one.snapshot.kind, one.snapshot.in_force_from) == (after.snapshot.kind, after.snapshot.in_force_from):
            raise ReferenceDataError(
                f"{one.folder} and {after.folder.name}: both snapshots of {one.snapshot.kind} are in force from"
                f" {one.snapshot.in_force_from} on; remove one of them"
            )
    return found


def _read(folder: Path) -> Found:
    try:
        snapshot = msgspec.json.decode((folder / _HEAD).read_bytes(), type=Snapshot)
        if snapshot.digest != folder.name:
            raise ValueError(f"it is snapshot {snapshot.digest}, not what its name says")
        if not snapshot.files or not all(_NAME.fullmatch(file.name) for file in snapshot.files):
            raise ValueError("its files have no plain names")
        for file in snapshot.files:
            if (folder / file.name).stat().st_size != file.size:
                raise ValueError(f"{file.name} is not what was fetched")
    except OSError as error:
        name = Path(error.filename or _HEAD).name
        raise _broken(folder, f"{name} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _broken(folder, str(error)) from error
    return Found(folder, snapshot)


def in_force(found: Sequence[Found], kind: Kind, day: date) -> Found | None:
    """The snapshot of a kind that is in force on a day: before the first one, the first. None: there is none."""
    of_kind = [one for one in found if one.snapshot.kind == kind]
    begun = [one for one in of_kind if one.snapshot.in_force_from <= day]
    return begun[-1] if begun else of_kind[0] if of_kind else None


class New(msgspec.Struct, frozen=True):
    """What is to be kept: files (names and bytes), and what `Snapshot` says of them."""

    kind: Kind
    files: Sequence[tuple[str, bytes]]
    addresses: tuple[str, ...]
    in_force_from: date
    fetched: datetime
    licence: str


def add(folder: Path, new: New) -> tuple[Snapshot, bool]:
    """Keep files as a snapshot. False beside it: the same is in force on that day already, and nothing was added.

    Raises `UsageError` where another one is in force from that very day on, and `ReferenceDataError` for files that
    can't be used. Nobody else may write there at the same time.
    """
    _check_names(new.files)
    kept = tuple(sorted(Kept(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in new.files))
    now = in_force(find(folder), new.kind, new.in_force_from)
    if now is not None and now.snapshot.files == kept:
        return now.snapshot, False
    if now is not None and now.snapshot.in_force_from == new.in_force_from:
        raise UsageError(
            f"another snapshot of {new.kind}, {now.snapshot.digest}, is in force from {new.in_force_from} on, and what"
            " holds on a day does not change; name a later day with --in-force-from, or remove its folder"
        )
    snapshot = Snapshot(new.kind, new.in_force_from, kept, new.addresses, new.fetched, new.licence)
    _write(folder, snapshot, new.files)
    return snapshot, True


def _check_names(files: Sequence[tuple[str, bytes]]) -> None:
    names = [name for name, _ in files]
    for name in names:
        if not _NAME.fullmatch(name) or name in (_HEAD, _RANGES):
            raise UsageError(f"{name!r}: a file of reference data needs a plain name of letters, digits, '.', '-', '_'")
        if names.count(name) > 1:
            raise UsageError(f"{name}: two files have this name; a snapshot keeps each under its own")


def _write(folder: Path, snapshot: Snapshot, files: Sequence[tuple[str, bytes]]) -> None:
    """The folder appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".*"):
        shutil.rmtree(left, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=".", dir=folder))
    try:
        for name, data in files:
            _put(draft / name, data)
        _put(draft / _HEAD, msgspec.json.format(msgspec.json.encode(snapshot), indent=2) + b"\n")
        _use(Found(draft, snapshot))
        draft.chmod(0o755)
        draft.rename(folder / snapshot.digest)
    except ReferenceDataError as error:
        # The person knows the file under its own name.
        raise ReferenceDataError(str(error).replace(f"{draft}{os.sep}", "")) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    sync(path)


def _use(found: Found) -> None:
    """Read it once as it will be read, and keep what is slow to make. Raises `ReferenceDataError`."""
    if found.snapshot.kind == "fingerprints":
        load_fingerprints(found.paths())
    elif found.snapshot.kind == "test-lists":
        found.test_lists()
    else:
        table = read_networks(_unpacked(found.contents()))
        _put(found.folder / _RANGES, prepare(table, found.snapshot.digest.encode()))
