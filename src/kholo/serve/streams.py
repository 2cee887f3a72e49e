"""Large files, read piece by piece while they are sent: a few at a time, as each holds a thread meanwhile."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import BinaryIO

from .problems import Problem

#: Files that are sent at the same time, and bytes of a piece.
AT_ONCE, _PIECE = 8, 256 << 10


class Stream:
    """The pieces of a file. Its place is free again once it is closed, or read to its end."""

    def __init__(self, file: BinaryIO | None, size: int, places: threading.Semaphore) -> None:
        self._file, self._size, self._places = file, size, places
        self._left = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> bytes:
        piece = self._file.read(min(_PIECE, self._left)) if self._file else b""
        if not piece:
            self.close()
            raise StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Free what it holds; as often as one likes."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
            self._places.release()


class Streams:
    """Places for files that are being sent."""

    def __init__(self) -> None:
        self._places = threading.Semaphore(AT_ONCE)

    def opened(self, path: Path, size: int, *, is_read: bool) -> Stream:
        """The file of `size` bytes; one that is not read takes no place. Raises `Problem` when there is none left."""
        if not is_read:
            return Stream(None, size, self._places)
        if not self._places.acquire(blocking=False):
            raise Problem("busy", "too many large files are being sent", (("Retry-After", "5"),))
        try:
            file = path.open("rb")
            if os.fstat(file.fileno()).st_size == size:
                return Stream(file, size, self._places)
            file.close()
        except OSError:
            pass
        self._places.release()
        raise Problem("busy", "the file is being replaced", (("Retry-After", "1"),))
