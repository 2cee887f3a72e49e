"""Files of reference data, read whole."""

from __future__ import annotations

from pathlib import Path

from kholo import disk
from kholo.model import ReferenceDataError

#: Bytes of one file.
MAX_FILE = 64 << 20


def read(path: Path) -> bytes:
    """The bytes of a file. Raises `ReferenceDataError` when it can't be read, or is larger than any of its kind."""
    try:
        return disk.read(path, MAX_FILE)
    except OSError as error:
        raise ReferenceDataError(f"{path}: can't be read: {error.strerror}") from error
