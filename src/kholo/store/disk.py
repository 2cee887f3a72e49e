"""Files on the disk: made sure of, and known by their bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from kholo.model import EnvironmentFault


def sync(path: Path) -> None:
    """Return when a file, or which names a folder holds, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hex. Raises `EnvironmentFault`."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror or error}") from error
