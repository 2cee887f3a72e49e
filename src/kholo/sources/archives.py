"""Opening archives: files, folders, gzip, tar and standard input become items or rejects, in bounded memory."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol, cast

from isal import isal_zlib

from kholo.model import Reject, UsageError

from . import legacy, table
from .items import MAX_ITEM, Item

Found = Item | Reject
Open = Callable[[str, IO[bytes]], Iterator[Found]]

GZIP_MAGIC = b"\x1f\x8b"
#: Bytes inflated at once, and packed bytes fed at once: the decompressor copies what it has not used yet on each call,
#: so few are fed.
CHUNK = 1 << 17
PACKED = 1 << 16
#: Window bits that stand for gzip, with its header and checksum (zlib manual, inflateInit2).
_GZIP = 31


class _NotGzip(ValueError):
    """The bytes do not begin as gzip does."""


_BROKEN: tuple[type[Exception], ...] = (
    EOFError,
    _NotGzip,
    zlib.error,
    cast(type[Exception], isal_zlib.error),
)
#: Bytes between one member and the next: headers, long names, padding, and what is read ahead.
MAX_HEADERS = 1 << 18
MAX_ENDS = 8
_BROKEN_TAR: tuple[type[Exception], ...] = (*_BROKEN, tarfile.TarError, ValueError)
NO_DIGEST = hashlib.sha256(b"").hexdigest()


def find(paths: list[Path]) -> list[Path]:
    """Every file named by `paths`, folders walked, sorted, each once. Links that leave a folder are not followed.

    Raises `UsageError` when a path does not exist.
    """
    files: set[Path] = set()
    for path in paths:
        if path.is_dir():
            files.update(child for child in path.rglob("*") if _is_input(child, path))
        elif path.is_file():
            files.add(path)
        else:
            raise UsageError(f"{path}: no such file or folder")
    return sorted(files)


def _is_input(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return not hidden and not path.is_symlink() and path.is_file()


def read_file(path: Path, name: str, stream: IO[bytes]) -> Iterator[Found]:
    """The items of one open file, by its name. What can't be read is a reject that says where reading stopped."""
    reader = _reader(path.name)
    if reader is None:
        yield Reject(
            name,
            0,
            "unsupported_file",
            f"not one of {', '.join(_READERS)}",
            _digest(stream),
        )
        return
    yield from reader(name, stream)


def read_stream(name: str, stream: IO[bytes]) -> Iterator[Found]:
    """The items of standard input: JSON Lines, gzipped or not."""
    head = stream.read(2)
    whole = _Prefixed(head, stream)
    yield from _gzip_lines(name, cast(IO[bytes], whole)) if head == GZIP_MAGIC else _lines(name, whole)


def _digest(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while part := stream.read(CHUNK):
        digest.update(part)
    return digest.hexdigest()


def _reader(filename: str) -> Open | None:
    for suffix, reader in _READERS.items():
        if filename.endswith(suffix):
            return reader
    return None


class _Bytes(Protocol):
    """What reading lines needs of a stream: whatever there is, up to a size."""

    def read1(self, size: int = -1, /) -> bytes: ...


def _gzip_lines(name: str, stream: IO[bytes]) -> Iterator[Found]:
    yield from _lines(name, _Inflated(stream))


def _plain_lines(name: str, stream: IO[bytes]) -> Iterator[Found]:
    yield from _lines(name, cast(_Bytes, stream))


class _Inflated(io.RawIOBase):
    """Gzip by ISA-L: several times as fast as zlib. What stood before damage is given before the damage is raised.

    Raises `EOFError` where the file is cut, `isal_zlib.error` where it is damaged or no gzip.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._packed = b""
        self._inflate = isal_zlib.decompressobj(wbits=_GZIP)
        self._is_begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read1(self, size: int = CHUNK, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        while True:
            if self._inflate.eof and not self._next_member():
                return b""
            packed = self._packed or self._stream.read(PACKED)
            if not packed and not self._is_begun:
                return b""
            if not packed and not self._inflate.unconsumed_tail:
                data = self._inflate.decompress(b"", size)
                if not data:
                    raise EOFError("the file ends before its end mark")
                return bytes(data)
            if not self._is_begun and not packed.startswith(GZIP_MAGIC[: len(packed)]):
                raise _NotGzip("no gzip header")
            self._is_begun = True
            data = self._inflate.decompress(packed, size)
            self._packed = self._inflate.unconsumed_tail
            if data:
                return bytes(data)

    def _next_member(self) -> bool:
        """Gzip files may be put one after the other, with zeros between and after them."""
        rest = self._inflate.unused_data.lstrip(b"\0")
        while not rest and (more := self._stream.read(PACKED)):
            rest = more.lstrip(b"\0")
        if not rest:
            return False
        self._packed, self._inflate = rest, isal_zlib.decompressobj(wbits=_GZIP)
        return True


def _table(name: str, stream: IO[bytes]) -> Iterator[Found]:
    yield from table.items(name, _plain_lines(name, stream))


def _table_gzip(name: str, stream: IO[bytes]) -> Iterator[Found]:
    yield from table.items(name, _gzip_lines(name, stream))


def _yaml(name: str, stream: IO[bytes]) -> Iterator[Found]:
    yield from legacy.entries(name, stream)


def _yaml_gzip(name: str, stream: IO[bytes]) -> Iterator[Found]:
    number = 0
    try:
        for found in legacy.entries(name, io.BufferedReader(_Inflated(stream), CHUNK)):
            number = found.line
            yield found
    except _BROKEN as error:
        yield _cut(name, number + 1, error)


def _lines(name: str, stream: _Bytes) -> Iterator[Found]:
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
                reject, ahead = _oversized(name, number, rest, stream)
                rest = b""
                yield reject
        if rest := rest.strip():
            yield Item(name, number + 1, rest)
    except _BROKEN as error:
        yield _cut(name, number + 1, error)


def _oversized(name: str, number: int, head: bytes, stream: _Bytes) -> tuple[Reject, bytes]:
    """Read past a line that is too long, keeping only its digest; what comes after it is given back."""
    digest, size = hashlib.sha256(), 0
    while head:
        line, ended, rest = head.partition(b"\n")
        digest.update(line)
        size += len(line)
        if ended:
            return _too_large(name, number, size, digest.hexdigest()), rest
        head = stream.read1(CHUNK)
    return _too_large(name, number, size, digest.hexdigest()), b""


def _too_long(name: str, number: int, line: bytes) -> Reject:
    return _too_large(name, number, len(line), hashlib.sha256(line).hexdigest())


def _too_large(name: str, number: int, size: int, digest: str) -> Reject:
    return Reject(name, number, "too_large", f"{size} bytes; an item may have {MAX_ITEM}", digest)


def _cut(name: str, number: int, error: Exception) -> Reject:
    if isinstance(error, _NotGzip):
        return Reject(name, 1, "not_gzip", "the name says gzip, the bytes do not; is it misnamed?", NO_DIGEST)
    detail = f"the compressed file is cut or damaged here; what stood before it was read ({error})"
    return Reject(name, number, "damaged_gzip", detail, NO_DIGEST)


def _whole(name: str, stream: IO[bytes]) -> Iterator[Found]:
    """A `.json` file: one measurement, one answer of the API, or (misnamed) JSON Lines."""
    data = stream.read(MAX_ITEM + 1)
    if len(data) > MAX_ITEM:
        if b"\n" in data:
            yield from _lines(name, _Prefixed(data, stream))
            return
        yield _oversized(name, 1, data, _Prefixed(b"", stream))[0]
        return
    lines = data.strip().split(b"\n")
    if len(lines) > 1 and all(line.strip()[:1] == b"{" and line.strip()[-1:] == b"}" for line in lines[:2]):
        for number, line in enumerate(lines, 1):
            if line := line.strip():
                yield Item(name, number, line)
        return
    yield Item(name, 1, data.strip())


def _tar(name: str, stream: IO[bytes]) -> Iterator[Found]:
    """A tar of posts, read as a stream: members are never written to disk, so their paths can do no harm."""
    number = 0
    try:
        source = _Bounded(io.BufferedReader(_Inflated(stream), CHUNK))
        with tarfile.open(fileobj=cast(IO[bytes], source), mode="r|") as archive:
            while member := archive.next():
                # The archive remembers each member it has seen, which a stream has no use for.
                archive.members = []  # type: ignore[attr-defined]
                source.left = member.size + MAX_HEADERS
                if member.issparse():
                    raise tarfile.ReadError("a file with holes, which no archive of posts has")
                if not member.isfile():
                    continue
                number += 1
                if member.size > MAX_ITEM:
                    yield _too_large(name, number, member.size, NO_DIGEST)
                    continue
                content = archive.extractfile(member)
                if content is not None:
                    yield Item(name, number, content.read(MAX_ITEM).strip())
    except _BROKEN_TAR as error:
        detail = f"not a tar, or cut or damaged here; what stood before it was read ({error})"
        yield Reject(name, number + 1, "damaged_tar", detail, NO_DIGEST)


class _Bounded:
    """What `tarfile` reads from. Left alone it reads a header of any size into memory, and goes on after the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._ends = 0
        self.left = MAX_HEADERS

    def read(self, size: int = -1, /) -> bytes:
        """Raises `tarfile.ReadError` when more is asked for than `left`, or again and again at the end."""
        data = self._stream.read(size)
        self.left -= len(data)
        self._ends += not data
        if self.left < 0:
            raise tarfile.ReadError("a header that is larger than any archive of posts has")
        if self._ends > MAX_ENDS:
            raise tarfile.ReadError("a member that is larger than what is there")
        return data


class _Prefixed:
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


_READERS: dict[str, Open] = {
    ".jsonl.gz": _gzip_lines,
    ".jsonl": _plain_lines,
    ".json": _whole,
    ".tar.gz": _tar,
    ".tgz": _tar,
    ".yaml": _yaml,
    ".yaml.gz": _yaml_gzip,
    ".csv": _table,
    ".csv.gz": _table_gzip,
}
