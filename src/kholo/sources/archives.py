"""Opening archives: files, folders, gzip, tar and standard input become items or rejects, in bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol

from kholo.model import Reject, UsageError

from .items import MAX_ITEM, Item

Found = Item | Reject
Open = Callable[[str, IO[bytes]], Iterator[Found]]

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile)
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
            "not one of .json, .jsonl, .jsonl.gz, .tar.gz; legacy .yaml reports are not read yet",
            _digest(stream),
        )
        return
    yield from reader(name, stream)


def read_stream(name: str, stream: IO[bytes]) -> Iterator[Found]:
    """The items of standard input: JSON Lines, gzipped or not."""
    head = stream.read(2)
    whole = _Prefixed(head, stream)
    yield from (_gzip_lines if head == GZIP_MAGIC else _lines)(name, whole)  # type: ignore[arg-type]


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


class _Lines(Protocol):
    """What reading lines needs of a stream."""

    def readline(self, size: int = -1, /) -> bytes: ...


def _gzip_lines(name: str, stream: IO[bytes]) -> Iterator[Found]:
    yield from _lines(name, gzip.GzipFile(fileobj=stream, mode="rb"))


def _lines(name: str, stream: _Lines) -> Iterator[Found]:
    number = 0
    try:
        while line := stream.readline(MAX_ITEM + 1):
            number += 1
            if len(line) > MAX_ITEM and not line.endswith(b"\n"):
                yield _oversized(name, number, line, stream)
            elif line := line.strip():
                yield Item(name, number, line)
    except _BROKEN as error:
        yield _cut(name, number + 1, error)


def _oversized(name: str, number: int, head: bytes, stream: _Lines) -> Reject:
    """Read past a line that is too long, keeping only its digest."""
    digest, size = hashlib.sha256(head), len(head)
    while part := stream.readline(CHUNK):
        digest.update(part)
        size += len(part)
        if part.endswith(b"\n"):
            break
    return _too_large(name, number, size, digest.hexdigest())


def _too_large(name: str, number: int, size: int, digest: str) -> Reject:
    return Reject(name, number, "too_large", f"{size} bytes; an item may have {MAX_ITEM}", digest)


def _cut(name: str, number: int, error: Exception) -> Reject:
    if isinstance(error, gzip.BadGzipFile) and number == 1:
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
        yield _oversized(name, 1, data, stream)
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
        with tarfile.open(fileobj=stream, mode="r|gz") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                number += 1
                if member.size > MAX_ITEM:
                    yield _too_large(name, number, member.size, NO_DIGEST)
                    continue
                content = archive.extractfile(member)
                if content is not None:
                    yield Item(name, number, content.read(MAX_ITEM).strip())
    except (*_BROKEN, tarfile.TarError) as error:
        detail = f"not a tar, or cut or damaged here; what stood before it was read ({error})"
        yield Reject(name, number + 1, "damaged_tar", detail, NO_DIGEST)


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

    def readline(self, size: int = -1, /) -> bytes:
        if not self._head:
            return self._stream.readline(size)
        end = self._head.find(b"\n", 0, size) + 1
        if end or len(self._head) >= size:
            end = end or size
            line, self._head = self._head[:end], self._head[end:]
            return line
        line, self._head = self._head, b""
        return line + self._stream.readline(size - len(line))


_READERS: dict[str, Open] = {
    ".jsonl.gz": _gzip_lines,
    ".jsonl": _lines,
    ".json": _whole,
    ".tar.gz": _tar,
    ".tgz": _tar,
}
