"""Large files, read piece by piece while they are sent: some at a time, as each holds a thread meanwhile."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from .crowd import Crowd
from .problems import Problem
from .ranges import Part

#: Files that are sent at the same time, and those of them that one client may have. Bytes of a piece.
AT_ONCE, OF_ONE, _PIECE = 32, 4, 256 << 10


class Large(msgspec.Struct, frozen=True):
    """A file as it was when it was looked at."""

    path: Path
    inode: int
    changed_ns: int
    size: int

    @property
    def etag(self) -> str:
        """Another one for each state of the file, without that it is read. When its inode changed nobody can set."""
        said = repr((self.inode, self.changed_ns, self.size))
        return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()

    def is_as(self, status: os.stat_result) -> bool:
        """Whether it is still that state of the file."""
        return (self.inode, self.changed_ns, self.size) == (status.st_ino, status.st_ctime_ns, status.st_size)


def looked_at(path: Path, status: os.stat_result) -> Large:
    """A file with what the system says of it."""
    return Large(path, status.st_ino, status.st_ctime_ns, status.st_size)


class Stream:
    """So many bytes of a file, in pieces. Its place is free again once it is closed, or read to its end."""

    def __init__(self, file: BinaryIO | None, size: int, release: Callable[[], None]) -> None:
        self._file, self._size, self._release = file, size, release
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
            self._release()


class Streams:
    """Places for files that are being sent, of which one client has a few only; `is_any`: as many as there are."""

    def __init__(self, *, is_any: bool) -> None:
        self._places = threading.Semaphore(AT_ONCE)
        self._crowd = Crowd(0 if is_any else OF_ONE)

    def opened(self, file: Large, part: Part, client: bytes) -> Stream:
        """A part of a file for a client. Raises `Problem` when no place is left, or the file is another one by now."""
        if not self._crowd.enter(client):
            detail = f"{OF_ONE} large files are being sent to your address already"
            raise Problem("too-many-requests", detail, (("Retry-After", "5"),))
        if not self._places.acquire(blocking=False):
            self._crowd.leave(client)
            raise Problem("busy", "too many large files are being sent", (("Retry-After", "5"),))
        try:
            opened = file.path.open("rb")
            if file.is_as(os.fstat(opened.fileno())):
                opened.seek(part.first)
                return Stream(opened, part.size, lambda: self._leave(client))
            opened.close()
        except OSError:
            pass
        self._leave(client)
        raise Problem("busy", "the file is being replaced", (("Retry-After", "1"),))

    def _leave(self, client: bytes) -> None:
        self._places.release()
        self._crowd.leave(client)


def unread(size: int) -> Stream:
    """What stands for a file of which only the size is told: it takes no place."""
    return Stream(None, size, lambda: None)
