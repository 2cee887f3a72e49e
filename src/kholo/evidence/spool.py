"""What goes into a dossier, written down one after the other while its hashes are taken; put in order later."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from .container import CHUNK, check_path


class Kept(NamedTuple):
    """A file in a spool: its path in the bag, size in bytes, CRC-32 and SHA-256 (hex), and where it begins."""

    path: str
    size: int
    crc: int
    sha256: str
    at: int


class Spool:
    """Files, kept in a stream that can be read and written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.files: dict[str, Kept] = {}

    def add(self, path: str, content: bytes | Iterable[bytes]) -> Kept:
        """Keep a file. Raises `DossierError` for a path that can't be, `ValueError` for one that is there."""
        if check_path(path) in self.files:
            raise ValueError(f"{path}: is there already")
        at = self._stream.seek(0, 2)
        size, crc, digest = 0, 0, hashlib.sha256()
        for chunk in [content] if isinstance(content, bytes) else content:
            self._stream.write(chunk)
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
            digest.update(chunk)
        kept = Kept(path, size, crc, digest.hexdigest(), at)
        self.files[path] = kept
        return kept

    def chunks(self, path: str) -> Iterator[bytes]:
        """The bytes of a file, a piece at a time."""
        kept = self.files[path]
        position, left = kept.at, kept.size
        while left:
            self._stream.seek(position)
            chunk = self._stream.read(min(CHUNK, left))
            position, left = position + len(chunk), left - len(chunk)
            yield chunk
