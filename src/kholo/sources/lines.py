"""JSON Lines: split into items, in memory that is flat whatever the length of a line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import IO, Protocol

from kholo.model import Reject
from kholo.packed import BROKEN, CHUNK, NotPacked

from .items import MAX_ITEM, Item
from .source import Found

NO_DIGEST = hashlib.sha256(b"").hexdigest()


class Bytes(Protocol):
    """What reading lines needs of a stream: whatever there is, up to a size."""

    def read1(self, size: int = -1, /) -> bytes: ...


def split(name: str, stream: Bytes) -> Iterator[Found]:
    """Lines, split chunk by chunk: far cheaper than asking for one at a time."""
    number, rest, ahead = 0, b"", b""
    try:
        while chunk := ahead or stream.read1(CHUNK):
            ahead = b""
            *lines, tail = chunk.split(b"\n")
            if lines:
                # Only a line that two chunks share is copied.
                lines[0], rest = rest + lines[0], tail
            else:
                rest += tail
            for line in lines:
                number += 1
                if line := line.strip():
                    yield Item(name, number, line) if len(line) <= MAX_ITEM else _too_long(name, number, line)
            if len(rest) > MAX_ITEM:
                number += 1
                reject, ahead = oversized(name, number, rest, stream)
                rest = b""
                yield reject
        if rest := rest.strip():
            yield Item(name, number + 1, rest)
    except BROKEN as error:
        yield cut(name, number + 1, error)


def oversized(name: str, number: int, head: bytes, stream: Bytes) -> tuple[Reject, bytes]:
    """Read past a line that is too long, keeping only its digest; what comes after it is given back."""
    digest, size = hashlib.sha256(), 0
    while head:
        line, ended, rest = head.partition(b"\n")
        digest.update(line)
        size += len(line)
        if ended:
            return too_large(name, number, size, digest.hexdigest()), rest
        head = stream.read1(CHUNK)
    return too_large(name, number, size, digest.hexdigest()), b""


def _too_long(name: str, number: int, line: bytes) -> Reject:
    return too_large(name, number, len(line), hashlib.sha256(line).hexdigest())


def too_large(name: str, number: int, size: int, digest: str = NO_DIGEST) -> Reject:
    """An item that is larger than any measurement is."""
    return Reject(name, number, "too_large", f"{size} bytes; an item may have {MAX_ITEM}", digest)


def cut(name: str, number: int, error: Exception) -> Reject:
    """A packed file that can't be unpacked, or not to its end."""
    is_lz4 = name.endswith(".lz4")
    if isinstance(error, NotPacked):
        reason, packing = ("not_lz4", "LZ4") if is_lz4 else ("not_gzip", "gzip")
        return Reject(name, 1, reason, f"the name says {packing}, the bytes do not; is it misnamed?", NO_DIGEST)
    reason = "damaged_lz4" if is_lz4 else "damaged_gzip"
    detail = f"the compressed file is cut or damaged here; what stood before it was read ({error})"
    return Reject(name, number, reason, detail, NO_DIGEST)


class Prefixed:
    """A stream whose first bytes were already taken."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._stream.read(size)
        if size < 0:
            head, self._head = self._head, b""
            return head + self._stream.read()
        head, self._head = self._head[:size], self._head[size:]
        return head

    def readinto(self, buffer: bytearray) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)
