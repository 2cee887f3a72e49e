"""What a stream gave, digested while it is read: no byte is read twice for it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from kholo.packed import CHUNK


class Received(msgspec.Struct, frozen=True):
    """One file of input: its name without folders, its bytes and their SHA-256 in hex."""

    name: str
    size: int
    sha256: str


class Digested(io.RawIOBase):
    """A stream that digests what is read from it. Going back is allowed; bytes that were left out are read at the end.

    Read it through `buffered`. `received` closes the account.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        # Of a pipe no more is waited for than is there.
        self._fill: Callable[[Any], int] = getattr(stream, "readinto1", None) or cast(Any, stream).readinto
        self._stream = stream
        self._digest = hashlib.sha256()
        self._at = self._size = 0
        self.buffered = cast(IO[bytes], io.BufferedReader(self, CHUNK))

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """As the stream."""
        return self._stream.seekable()

    def readinto(self, buffer: Any) -> int:
        """As of `io.RawIOBase`."""
        count = self._fill(buffer)
        new = self._size - self._at
        if 0 <= new < count:
            self._digest.update(memoryview(buffer)[new:count])
            self._size += count - new
        self._at += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """As of `io.RawIOBase`."""
        self._at = self._stream.seek(offset, whence)
        return self._at

    def tell(self) -> int:
        """How far it was read."""
        return self._at

    def received(self, name: str) -> Received:
        """The digest of all of it: what reading stopped before is read now."""
        if self._at != self._size:
            self.seek(self._size)
        rest = bytearray(CHUNK)
        while self.readinto(rest):
            pass
        return Received(Path(name).name or name, self._size, self._digest.hexdigest())
