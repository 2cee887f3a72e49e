"""Tars of measurements, read as streams: members are never written to disk, so their paths can do no harm.

Posts (`.post`, one measurement each) are named by the measurement's id. Older ones hold reports: JSON Lines (`.json`),
or YAML.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, cast

from kholo.model import Reject
from kholo.packed import BROKEN, CHUNK

from . import legacy, lines
from .items import MAX_ITEM, Item
from .lines import NO_DIGEST, too_large
from .source import Found

#: Bytes between one member and the next: headers, long names, padding, and what is read ahead.
MAX_HEADERS = 1 << 18
MAX_ENDS = 8
_BROKEN_TAR: tuple[type[Exception], ...] = (*BROKEN, tarfile.TarError, ValueError)
#: The archive's ids: the moment of receipt, country, test, digest.
UID = re.compile(r"[0-9]{14}\.[0-9]{1,9}_[A-Z]{2}_[a-z0-9]{1,64}_[0-9a-f]{8,64}")


def uid_of(stem: str) -> str:
    """The id that a file is named by; "" where its name is none."""
    return stem if UID.fullmatch(stem) else ""


def members(name: str, stream: IO[bytes]) -> Iterator[Found]:
    """The items of a tar that is not packed, or unpacked on the way."""
    number = 0
    try:
        source = _Bounded(stream)
        with tarfile.open(fileobj=cast(IO[bytes], source), mode="r|") as archive:
            while member := archive.next():
                # The archive remembers each member it has seen, which a stream has no use for.
                archive.members = []  # type: ignore[attr-defined]
                source.left = member.size + MAX_HEADERS
                if member.issparse():
                    raise tarfile.ReadError("a file with holes, which no archive of posts has")
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    number += 1
                    yield from _member(name, number, member, content)
    except _BROKEN_TAR as error:
        detail = f"not a tar, or cut or damaged here; what stood before it was read ({error})"
        yield Reject(name, number + 1, "damaged_tar", detail, NO_DIGEST)


def _member(name: str, number: int, member: tarfile.TarInfo, content: IO[bytes]) -> Iterator[Found]:
    path = PurePosixPath(member.name)
    if path.suffix == ".json":
        yield from lines.split(f"{name}#{number}", io.BufferedReader(cast(io.RawIOBase, content), CHUNK))
    elif path.suffix == ".yaml":
        yield from legacy.entries(f"{name}#{number}", content)
    elif member.size > MAX_ITEM:
        yield too_large(name, number, member.size)
    else:
        yield Item(name, number, content.read(MAX_ITEM).strip(), uid=uid_of(path.stem))


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
