"""Opening archives: files, folders, packed or not, and standard input become items or rejects, in bounded memory."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from kholo.model import Reject, UsageError
from kholo.packed import BROKEN, CHUNK, GZIP_MAGIC, Gzip, Inflated, Lz4

from . import csvrows, legacy, lines, registry, tars
from .items import MAX_ITEM, Item
from .lines import Bytes, Prefixed
from .source import File, Found

#: What a file is called that holds something of this form, before the ending of its packing.
_FORMS: dict[str, Callable[[str, IO[bytes]], Iterator[Found]]]
_PACKINGS: dict[str, type[Gzip] | type[Lz4]] = {".gz": Gzip, ".lz4": Lz4}


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
    """The items of one open file, by its name. What can't be read is a reject that says where reading stopped.

    `name` is what rows call it; the ending of `path` says what it is.
    """
    if (special := registry.reader(path.name)) is not None:
        if (found := special(File(name, path, stream))) is not None:
            yield from found
            return
        stream.seek(0)
    stem, packing = _packing(path.name)
    form = next((form for suffix, form in _FORMS.items() if stem.endswith(suffix)), None)
    if form is None:
        kinds = f"not one of {', '.join(_FORMS)}, packed as {', '.join(_PACKINGS)} or not"
        yield Reject(name, 0, "unsupported_file", kinds, _digest(stream))
    elif packing is None:
        yield from form(name, stream)
    elif form is _tar:
        yield from _maybe_packed_tar(name, stream, packing)
    else:
        yield from _unpacked(form if form is not _whole else _lines, name, Inflated(stream, packing))


def read_stream(name: str, stream: IO[bytes]) -> Iterator[Found]:
    """The items of standard input: JSON Lines, gzipped or not."""
    head = stream.read(2)
    whole = cast(IO[bytes], Prefixed(head, stream))
    yield from _lines(name, cast(IO[bytes], Inflated(whole)) if head == GZIP_MAGIC else whole)


def _packing(filename: str) -> tuple[str, type[Gzip] | type[Lz4] | None]:
    """The name without the ending of the packing, and the packing."""
    if filename.endswith(".tgz"):
        return filename.removesuffix(".tgz") + ".tar", Gzip
    for suffix, packing in _PACKINGS.items():
        if filename.endswith(suffix):
            return filename.removesuffix(suffix), packing
    return filename, None


def _maybe_packed_tar(name: str, stream: IO[bytes], packing: type[Gzip] | type[Lz4]) -> Iterator[Found]:
    """Some of the archive's older tars are called packed and are not (ooni/data, `dataclient.py`)."""
    head = stream.read(len(packing.magic))
    whole = cast(IO[bytes], Prefixed(head, stream))
    is_packed = head == packing.magic
    yield from _unpacked(_tar, name, Inflated(whole, packing)) if is_packed else _tar(name, whole)


def _unpacked(form: Callable[[str, IO[bytes]], Iterator[Found]], name: str, stream: Inflated) -> Iterator[Found]:
    number = 0
    try:
        for found in form(name, cast(IO[bytes], stream)):
            number = getattr(found, "line", number)
            yield found
    except BROKEN as error:
        yield lines.cut(name, number + 1, error)


def _digest(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while part := stream.read(CHUNK):
        digest.update(part)
    return digest.hexdigest()


def _lines(name: str, stream: IO[bytes]) -> Iterator[Found]:
    yield from lines.split(name, cast(Bytes, stream))


def _table(name: str, stream: IO[bytes]) -> Iterator[Found]:
    yield from csvrows.table(name, _lines(name, stream))


def _yaml(name: str, stream: IO[bytes]) -> Iterator[Found]:
    yield from legacy.entries(name, _buffered(stream))


def _tar(name: str, stream: IO[bytes]) -> Iterator[Found]:
    yield from tars.members(name, _buffered(stream))


def _buffered(stream: IO[bytes]) -> IO[bytes]:
    """A stream that gives as many bytes as are asked for."""
    return cast(IO[bytes], io.BufferedReader(stream, CHUNK)) if isinstance(stream, io.RawIOBase) else stream


def _whole(name: str, stream: IO[bytes]) -> Iterator[Found]:
    """A `.json` file: one measurement, one answer of an API, or (misnamed) JSON Lines."""
    data = stream.read(MAX_ITEM + 1)
    if len(data) > MAX_ITEM:
        if b"\n" in data:
            yield from lines.split(name, Prefixed(data, stream))
            return
        yield lines.oversized(name, 1, data, Prefixed(b"", stream))[0]
        return
    rows = data.strip().split(b"\n")
    if len(rows) > 1 and all(row.strip()[:1] == b"{" and row.strip()[-1:] == b"}" for row in rows[:2]):
        for number, row in enumerate(rows, 1):
            if row := row.strip():
                yield Item(name, number, row)
        return
    yield Item(name, 1, data.strip(), uid=tars.uid_of(PurePosixPath(name).stem))


_FORMS = {".jsonl": _lines, ".json": _whole, ".tar": _tar, ".yaml": _yaml, ".csv": _table}
