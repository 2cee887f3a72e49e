"""What the detector found in earlier runs, kept in the store: a new day computes only the series that it touches.

Nothing depends on it. Entries are found by a digest of everything they follow from; a file that can't be read, or is
of another kind, is as good as none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from kholo.detect.stretches import Memory, Stretch
from kholo.disk import replaced
from kholo.model import EnvironmentFault
from kholo.store import Store

#: Entries above which those that this run had no use for are dropped.
_MOST = 200_000
_SIZE = 16
_TYPE = dict[bytes, list[Stretch]]


class _Used(dict[bytes, list[Stretch]]):
    """A memory that knows which of its entries were asked for or added."""

    def __init__(self, known: _TYPE) -> None:
        super().__init__(known)
        self.used: set[bytes] = set()

    def __getitem__(self, key: bytes) -> list[Stretch]:
        self.used.add(key)
        return super().__getitem__(key)


@contextmanager
def remembered(store: Store) -> Iterator[Memory]:
    """The memory of a store; what it learned is written at the end. A store that can't be written stays as it is."""
    path = store.root / "detected" / "stretches"
    known = _read(path)
    memory = _Used(known)
    yield memory
    if len(memory) > len(known):
        kept = sorted(memory if len(memory) <= _MOST else memory.used)
        with suppress(EnvironmentFault):
            _write(path, {key: memory[key] for key in kept})


def _read(path: Path) -> _TYPE:
    with suppress(OSError, msgspec.DecodeError):
        content = path.read_bytes()
        if _digest(content[_SIZE:]) == content[:_SIZE]:
            return msgspec.msgpack.decode(content[_SIZE:], type=_TYPE)
    return {}


def _write(path: Path, known: _TYPE) -> None:
    content = msgspec.msgpack.encode(known)
    with replaced(path, is_lasting=False) as draft:
        draft.write_bytes(_digest(content) + content)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_SIZE).digest()
