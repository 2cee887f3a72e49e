"""Writing files so that a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from kholo.model import EnvironmentFault


def write_if_changed(path: Path, content: bytes, *, is_lasting: bool = True) -> bool:
    """Write `content` atomically; False when the file held it already and was left alone.

    What is not `is_lasting` is not waited for until it is safe on the disk: it can be made again from its sources.
    Raises `EnvironmentFault` naming the file when it can't be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == content:
            return False
        try:
            with beside.open("wb") as out:
                out.write(content)
                if is_lasting:
                    out.flush()
                    os.fsync(out.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be written: {error.strerror or error}") from error
    return True


def copy_if_changed(source: Path, path: Path, sha256: str) -> bool:
    """Copy a file atomically; False when `path` holds it already. `sha256` (hex) is what the source must have.

    Raises `EnvironmentFault` naming the file, also when it is another one than before.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and sha256_of(path) == sha256:
            return False
        try:
            shutil.copyfile(source, beside)
            if sha256_of(beside) != sha256:
                raise EnvironmentFault(f"{source}: was changed while it was read; try again")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be written: {error.strerror or error}") from error
    return True


def sha256_of(path: Path) -> str:
    """The SHA-256 (hex) of a file. Raises `OSError`."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
