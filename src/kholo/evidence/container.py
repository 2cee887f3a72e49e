"""The container: a ZIP of which every byte is fixed by the names and contents of its files.

All files are stored as they are, in the order of their paths, with one date and no further field, so that any reader of
ZIP files opens it, and a changed byte of a header is found as surely as one of a file. Source: PKWARE APPNOTE 6.3.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, NamedTuple, Protocol

from kholo.model import DossierError

#: Bytes read at once, bytes of one file, files: more is no dossier.
CHUNK, MAX_SIZE, MAX_FILES = 1 << 20, 0xFFFFFFFF - 1, 5_000_000
MAX_PATH = 200
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")

#: 1 January 1980, the first day that the format can say.
_DATE = 0x0021
_FILE_MODE = 0o100644 << 16
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF


class Placed(NamedTuple):
    """A file in a container. `at` is where its local header begins, `size` in bytes, `crc` its CRC-32."""

    path: str
    size: int
    crc: int
    at: int

    @property
    def begins(self) -> int:
        """Where its first byte stands."""
        return self.at + _LOCAL.size + len(self.path)


def check_path(path: str) -> str:
    """The path, where it can stand in a container. Raises `DossierError`: nothing leads out, nothing is odd."""
    if len(path) > MAX_PATH or not PATH.fullmatch(path):
        raise DossierError(f"{path[:MAX_PATH]!a}: is no name for a file of a dossier (letters, digits, . _ - and /)")
    return path


class Out(Protocol):
    """What writing needs."""

    def write(self, data: bytes, /) -> object: ...


def write(out: Out, files: Iterable[tuple[str, int, int, Callable[[], Iterator[bytes]]]]) -> None:
    """Write files (path, size, CRC-32, what gives the bytes) in this order, which must be that of their paths."""
    placed: list[Placed] = []
    at = 0
    for path, size, crc, chunks in files:
        if placed and path <= placed[-1].path:
            raise ValueError(f"{path} after {placed[-1].path}")
        one = Placed(check_path(path), size, crc, at)
        out.write(_local(one))
        for chunk in chunks():
            out.write(chunk)
        placed.append(one)
        at = one.begins + size
    for part in _closing(placed, at):
        out.write(part)


class Container:
    """A container opened for reading: its directory is checked whole here, a file's header when it is read.

    Raises `DossierError` for anything that `write` would not have written.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.size = stream.seek(0, 2)
        self.files = {one.path: one for one in self._directory()}

    def chunks(self, path: str) -> Iterator[bytes]:
        """The bytes of a file, a piece at a time. Raises `DossierError`, at the latest at its end."""
        one = self.files.get(path)
        if one is None:
            raise DossierError(f"{path}: is not in the dossier")
        self._stream.seek(one.at)
        header = _local(one)
        if self._stream.read(len(header)) != header:
            raise DossierError(f"{path}: the header before it (byte {one.at}) was changed")
        left, crc, position = one.size, 0, one.begins
        while left:
            self._stream.seek(position)
            chunk = self._stream.read(min(CHUNK, left))
            if not chunk:
                raise DossierError(f"{path}: is cut off")
            left -= len(chunk)
            position += len(chunk)
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if crc != one.crc:
            raise DossierError(f"{path}: was changed (its check sum is another one)")

    def read(self, path: str, limit: int) -> bytes:
        """A whole file of at most `limit` bytes. Raises `DossierError`."""
        if path in self.files and self.files[path].size > limit:
            raise DossierError(f"{path}: is larger than {limit} bytes, which no such file is")
        return b"".join(self.chunks(path))

    def _directory(self) -> Sequence[Placed]:
        count, begins = self._end()
        if count > MAX_FILES or self.size - begins > count * (_CENTRAL.size + MAX_PATH + 12) + 1_000:
            raise DossierError("its directory is larger than that of any dossier")
        self._stream.seek(begins)
        written = self._stream.read(self.size - begins)
        placed = list(_entries(written, count))
        _check_folders(placed)
        at = placed[-1].begins + placed[-1].size if placed else 0
        if at != begins or b"".join(_closing(placed, at)) != written:
            raise DossierError("its directory is not that of these files: it was changed, or other software wrote it")
        return placed

    def _end(self) -> tuple[int, int]:
        """How many files there are, and where the directory begins, as the last bytes say; both checked later."""
        self._stream.seek(max(0, self.size - _END.size - _LOCATOR.size - _END_64.size))
        tail = self._stream.read()
        if len(tail) < _END.size or not tail.endswith(b"\0\0") or tail[-_END.size :][:4] != b"PK\5\6":
            raise DossierError("is no dossier, or is cut off: the end of a ZIP file is missing")
        *_, count, _, begins, _ = _END.unpack(tail[-_END.size :])
        if count == _FULL_16 or begins == _FULL_32:
            if len(tail) < _END.size + _LOCATOR.size + _END_64.size or tail[:4] != b"PK\6\6":
                raise DossierError("its directory is damaged")
            *_, count, _, begins = _END_64.unpack(tail[: _END_64.size])
        if begins > self.size:
            raise DossierError("its directory is damaged")
        return count, begins


def _entries(written: bytes, count: int) -> Iterator[Placed]:
    """The files that a directory names; whether each byte of it is right is checked by writing it anew."""
    at, before = 0, ""
    position = 0
    for _ in range(count):
        if len(written) < position + _CENTRAL.size:
            raise DossierError("its directory is cut off")
        fields = _CENTRAL.unpack_from(written, position)
        crc, size, length, extra = fields[7], fields[9], fields[10], fields[11]
        name = written[position + _CENTRAL.size : position + _CENTRAL.size + length]
        try:
            path = check_path(name.decode("ascii"))
        except UnicodeDecodeError:
            raise DossierError(f"{name[:MAX_PATH]!r}: is no name for a file of a dossier") from None
        if path <= before:
            raise DossierError(f"{path}: stands twice, or out of order")
        one = Placed(path, size, crc, at)
        yield one
        at, before = one.begins + size, path
        position += _CENTRAL.size + length + extra


def _check_folders(placed: Iterable[Placed]) -> None:
    """Raises `DossierError` where a path is that of a file and of a folder: nobody could unpack it."""
    paths, folders = {one.path for one in placed}, set[str]()
    for path in paths:
        above = path.rpartition("/")[0]
        while above and above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
    if both := sorted(folders & paths):
        raise DossierError(f"{both[0]}: is a file and a folder")


def _local(one: Placed) -> bytes:
    head = _LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, _DATE, one.crc, one.size, one.size, len(one.path), 0)
    return head + one.path.encode("ascii")


def _central(one: Placed) -> bytes:
    """An entry of the directory. What stands beyond 4 GiB says so in the further field of ZIP64."""
    is_far = one.at >= _FULL_32
    extra = struct.pack("<2HQ", 1, 8, one.at) if is_far else b""
    needed = 45 if is_far else 20
    head = _CENTRAL.pack(
        b"PK\1\2", 3 << 8 | needed, needed, 0, 0, 0, _DATE, one.crc, one.size, one.size,
        len(one.path), len(extra), 0, 0, 0, _FILE_MODE, _FULL_32 if is_far else one.at,
    )  # fmt: skip
    return head + one.path.encode("ascii") + extra


def _closing(placed: Sequence[Placed], at: int) -> Iterator[bytes]:
    """The directory and what ends the file. `at`: where it begins."""
    size = 0
    for one in placed:
        part = _central(one)
        size += len(part)
        yield part
    count = len(placed)
    if count >= _FULL_16 or at >= _FULL_32 or size >= _FULL_32:
        yield _END_64.pack(b"PK\6\6", _END_64.size - 12, 3 << 8 | 45, 45, 0, 0, count, count, size, at)
        yield _LOCATOR.pack(b"PK\6\7", 0, at + size, 1)
    short = min(count, _FULL_16)
    yield _END.pack(b"PK\5\6", 0, 0, short, short, min(size, _FULL_32), min(at, _FULL_32), 0)
