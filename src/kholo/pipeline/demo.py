"""The store of `kholo demo`: its own folder, made anew where an older kholo made it in another layout."""

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


class Mark(msgspec.Struct, frozen=True):
    """What the demo has to say of its store."""

    parts: tuple[str, ...]


@contextmanager
def demo_store(folder: Path) -> Iterator[Store]:
    """The store, for the demo to take its measurements in; what is new at the end is noted as the demo's.

    A store of another layout with nothing in it but the demo's is removed and made anew. Raises `StoreError`, which
    says what to do, where there is anything else.
    """
    try:
        store = Store(folder, create=True)
    except OtherLayout as error:
        if not _is_own(folder):
            why = "it is not known to hold the demo's data alone, so it is left as it is"
            raise StoreError(f"{error}; {why}: move it away, or give another --out") from error
        shutil.rmtree(folder)
        store = Store(folder, create=True)
    before = set(store.part_ids())
    yield store
    known = _parts(folder)
    if known is None and before:
        # A store of somebody's that the demo added to.
        return
    made = sorted((known or set()) | set(store.part_ids()) - before)
    (folder / MARK).write_bytes(msgspec.json.encode(Mark(tuple(made))) + b"\n")


def _parts(folder: Path) -> set[str] | None:
    """The parts that the demo took in; None where it did not make the store."""
    try:
        return set(msgspec.json.decode((folder / MARK).read_bytes(), type=Mark).parts)
    except (OSError, msgspec.DecodeError):
        return None


def _is_own(folder: Path) -> bool:
    """Whether the demo made all that is in a store, or it follows from that."""
    known = _parts(folder)
    if known is None or folder.is_symlink():
        return False
    names = {path.name for path in folder.iterdir()}
    return names <= _FOLLOWS | {MARK, _CUSTODY} and {path.name for path in (folder / "parts").iterdir()} <= known
