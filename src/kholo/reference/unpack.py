"""Files of reference data as they are fetched: plain, gzip, or a packed tar of many, of which some are wanted."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import PurePosixPath

from kholo.model import ReferenceDataError
from kholo.packed import BROKEN, GZIP_MAGIC, TooLarge, inflated

#: Bytes of a file, unpacked.
MAX_UNPACKED = 256 << 20
_TARS = (".tar.gz", ".tgz")


def unpacked(where: str, data: bytes) -> bytes:
    """What is in a file that may be gzip. Raises `ReferenceDataError` when it is broken or too large."""
    if not data.startswith(GZIP_MAGIC):
        return data
    try:
        return inflated(data, MAX_UNPACKED)
    except TooLarge as error:
        raise ReferenceDataError(f"{where}: more than {MAX_UNPACKED >> 20} MiB unpacked") from error
    except BROKEN as error:
        raise ReferenceDataError(f"{where}: damaged, or cut: {error}") from error


def members(where: str, data: bytes, is_wanted: Callable[[str], bool]) -> list[tuple[str, bytes]]:
    """The wanted files in a packed tar, by their own names, sorted; any other file stands for itself.

    Raises `ReferenceDataError` when it is broken, too large, or nothing in it is wanted.
    """
    name = PurePosixPath(where).name
    if not name.endswith(_TARS):
        return [(name, data)]
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(unpacked(where, data)), mode="r:") as archive:
            for member in archive:
                inner = PurePosixPath(member.name).name
                content = archive.extractfile(member) if member.isreg() and is_wanted(inner) else None
                if content is not None:
                    found[inner] = content.read(MAX_UNPACKED)
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise ReferenceDataError(f"{where}: not a packed tar: {error}") from error
    if not found:
        raise ReferenceDataError(f"{where}: none of the files in it is of this kind of reference data")
    return sorted(found.items())
