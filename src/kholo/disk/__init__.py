"""Files on the disk: known by their bytes, made sure of, and written so that a reader never sees half of one."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kholo.model import EnvironmentFault


class TooLarge(OSError):
    """A file has more bytes than one of its kind."""


def read(path: Path, most: int) -> bytes:
    """The bytes of a file that anybody may have made; one that never ends is not read to its end either.

    Raises `OSError`, and `TooLarge` where it has more than `most` bytes.
    """
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise TooLarge(errno.EFBIG, f"it is larger than {most >> 20} MiB" if most >> 20 else "it is too large")
    return data


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hex. Raises `EnvironmentFault`."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror or error}") from error


def sync(path: Path) -> None:
    """Return when a file, or which names a folder holds, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replaced(path: Path, *, draft: Path | None = None, is_lasting: bool = True) -> Iterator[Path]:
    """A draft to write to, which takes the place of the file at the end: whoever reads sees the old one or the new one.

    `draft` is its name, else one beside the file. What is not `is_lasting` is not waited for until it is safe on the
    disk: it can be made again from its sources. Raises `EnvironmentFault` naming the file when it can't be written.
    """
    draft = draft or path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nobody can have put a link there that leads elsewhere.
        draft.unlink(missing_ok=True)
        draft.touch(exist_ok=False)
        try:
            yield draft
            if is_lasting:
                sync(draft)
            draft.replace(path)
            if is_lasting:
                sync(path.parent)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be written: {error.strerror or error}") from error


def write_if_changed(path: Path, content: bytes, *, is_lasting: bool = True) -> bool:
    """Write a file as `replaced` does; False when it held the content already and was left alone."""
    if _holds(path, content):
        return False
    with replaced(path, is_lasting=is_lasting) as draft:
        draft.write_bytes(content)
    return True


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.is_file() and path.read_bytes() == content
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror or error}") from error


def copy_if_changed(source: Path, path: Path, sha256: str) -> bool:
    """Copy a file as `replaced` writes; False when `path` holds it already. `sha256` (hex): what the source must have.

    Raises `EnvironmentFault` naming the file, also when it is another one than before.
    """
    if path.is_file() and file_digest(path) == sha256:
        return False
    with replaced(path, is_lasting=False) as draft:
        shutil.copyfile(source, draft)
        if file_digest(draft) != sha256:
            raise EnvironmentFault(f"{source}: was changed while it was read; try again")
    return True
