"""Files of reference data, read whole."""

from __future__ import annotations

from pathlib import Path

from kholo.model import ReferenceDataError

#: Bytes of one file.
MAX_FILE = 64 << 20


def read(path: Path) -> bytes:
    """The bytes of a file. Raises `ReferenceDataError` when it can't be read, or is too large to be what it should."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise ReferenceDataError(f"{path}: larger than {MAX_FILE >> 20} MiB; is it the right file?")
        return path.read_bytes()
    except OSError as error:
        raise ReferenceDataError(f"{path}: can't be read: {error.strerror}") from error
