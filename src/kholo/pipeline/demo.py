"""The store of `kholo demo`: its own folder, made anew where an older kholo made it, or made it of other data."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kholo.model import OtherLayout, StoreError
from kholo.store import Store

#: Stands in a store that the demo made, and names the parts that it took in.
MARK = "kholo-demo.json"
#: What else stands in a store without anybody having brought it: all of it follows from the parts.
_FOLLOWS = frozenset({"kholo-store.json", "parts", "verdicts", "detected", "sets", "served", "tmp", "lock"})
_CUSTODY = "custody.jsonl"
#: What the demo itself does to its store.
_DOES = frozenset({"ingest"})
_AWAY = "it is not known to hold the demo's data alone, so it is left as it is: move it away, or give another --out"


class Mark(msgspec.Struct, frozen=True):
    """What the demo has to say of its store: which parts are its own, and the SHA-256 of the file they are made of."""

    parts: tuple[str, ...]
    #: Of stores that an older kholo made, it is not known.
    made_of: str = ""


class _Line(msgspec.Struct, frozen=True):
    action: str


@contextmanager
def demo_store(folder: Path, made_of: str) -> Iterator[Store]:
    """The store, for the demo to take in the file of that SHA-256; what is new at the end is noted as the demo's.

    A store of another layout, or of another simulated country, with nothing in it but the demo's is removed and made
    anew: two invented countries in one store would be neither. Raises `StoreError`, which says what to do, where such a
    store has anything else in it, such as a custody log with what somebody did.
    """
    mark = _mark(folder)
    if mark and mark.made_of != made_of:
        if _own(folder) is None:
            raise StoreError(f"{folder}: holds another simulated country, and more; {_AWAY}")
        shutil.rmtree(folder)
    try:
        store = Store(folder, create=True)
    except OtherLayout as error:
        if _own(folder) is None:
            raise StoreError(f"{error}; {_AWAY}") from error
        shutil.rmtree(folder)
        store = Store(folder, create=True)
    before = set(store.part_ids())
    yield store
    mark = _mark(folder)
    if mark is None and before:
        # A store of somebody's that the demo added to.
        return
    parts = set(mark.parts if mark else ()) | set(store.part_ids()) - before
    (folder / MARK).write_bytes(msgspec.json.encode(Mark(tuple(sorted(parts)), made_of)) + b"\n")


def _mark(folder: Path) -> Mark | None:
    """What the demo left in a store; None where it did not make it."""
    try:
        return msgspec.json.decode((folder / MARK).read_bytes(), type=Mark)
    except (OSError, msgspec.DecodeError):
        return None


def _own(folder: Path) -> Mark | None:
    """The demo's mark, where the demo made all that is in a store, or it follows from that."""
    mark = _mark(folder)
    if mark is None or folder.is_symlink():
        return None
    names = {path.name for path in folder.iterdir()}
    parts = {path.name for path in folder.glob("parts/*")}
    is_own = names <= _FOLLOWS | {MARK, _CUSTODY} and parts <= set(mark.parts) and _done(folder) <= _DOES
    return mark if is_own else None


def _done(folder: Path) -> set[str]:
    """What the custody log says was done; a line that can't be read is something else."""
    try:
        lines = (folder / _CUSTODY).read_bytes().splitlines()
        return {msgspec.json.decode(line, type=_Line).action for line in lines}
    except FileNotFoundError:
        return set()
    except (OSError, msgspec.DecodeError):
        return {""}
