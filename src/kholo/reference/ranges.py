"""Ranges of addresses with a number each, packed: sorted starts, found by halving, alike in memory and on disk."""

from __future__ import annotations

import hashlib
import heapq
import ipaddress
import mmap
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

#: Inclusive ends, and a number above 0; 0 stands for "not known".
Range: TypeAlias = tuple[int, int, int]
Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
_LOW = (1 << 64) - 1
#: The arrays of one `Ranges`, as they lie on disk: IPv6 starts in two halves, their numbers; IPv4 starts, numbers.
_TYPES = ("<u8", "<u8", "<u4", "<u4", "<u4")
_MAGIC = b"kholo ranges 1\n\0"


def flatten(rows: Iterable[Range]) -> list[tuple[int, int]]:
    """Ranges that may overlap as starts and the numbers from there on, sorted; where no range is the number is 0.

    Of several ranges around an address the smallest counts, of equally small ones the one that starts later. One range
    that is given with two different numbers has none.
    """
    ordered = [
        (start, end, numbers.pop() if len(numbers) == 1 else 0)
        for (start, end), group in groupby(sorted(rows), key=lambda row: row[:2])
        for numbers in [{number for _, _, number in group}]
    ]
    points = sorted({start for start, _, _ in ordered} | {end + 1 for _, end, _ in ordered})
    flat: list[tuple[int, int]] = []
    open_: list[tuple[int, int, int, int]] = []
    place = 0
    for point in points:
        while place < len(ordered) and ordered[place][0] == point:
            start, end, number = ordered[place]
            heapq.heappush(open_, (end - start, -start, end, number))
            place += 1
        while open_ and open_[0][2] < point:
            heapq.heappop(open_)
        number = open_[0][3] if open_ else 0
        if number != (flat[-1][1] if flat else 0):
            flat.append((point, number))
    return flat


def _within(flat: list[tuple[int, int]], bits: int) -> list[tuple[int, int]]:
    """Without what begins after the last address."""
    return [(start, number) for start, number in flat if start >> bits == 0]


class Ranges:
    """Numbers by address, IPv4 and IPv6. Made by `packed`, or lies in a file that processes share."""

    def __init__(self, arrays: Sequence[Array]) -> None:
        self.arrays = tuple(arrays)
        self._high, self._low, self._v6, self._starts, self._v4 = self.arrays

    @classmethod
    def packed(cls, v4: Iterable[Range], v6: Iterable[Range]) -> Ranges:
        """Ranges by `flatten`'s rules."""
        four, six = _within(flatten(v4), 32), _within(flatten(v6), 128)
        columns = (
            [start >> 64 for start, _ in six],
            [start & _LOW for start, _ in six],
            [number for _, number in six],
            [start for start, _ in four],
            [number for _, number in four],
        )
        return cls([np.array(column, dtype=kind) for column, kind in zip(columns, _TYPES, strict=True)])

    def number(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
        """The number of the range around an address; 0 where there is none."""
        value = int(address)
        if address.version == 4:
            place = int(np.searchsorted(self._starts, np.uint32(value), "right")) - 1
            return int(self._v4[place]) if place >= 0 else 0
        high, low = np.uint64(value >> 64), np.uint64(value & _LOW)
        first = int(np.searchsorted(self._high, high, "left"))
        after = int(np.searchsorted(self._high, high, "right"))
        place = first + int(np.searchsorted(self._low[first:after], low, "right")) - 1
        return int(self._v6[place]) if place >= 0 else 0

    def counts(self) -> dict[str, int]:
        """How many stretches have a number."""
        return {"IPv4": int(np.count_nonzero(self._v4)), "IPv6": int(np.count_nonzero(self._v6))}


def to_bytes(tables: Sequence[Ranges], made_from: bytes) -> bytes:
    """Tables as they lie in a file: counts, then the arrays, each from a multiple of 8 bytes on; sealed by a digest."""
    arrays = [array for table in tables for array in table.arrays]
    parts = [np.array([len(array) for array in arrays], dtype="<u8").tobytes()]
    for array in arrays:
        data = array.tobytes()
        parts.append(data + bytes(-len(data) % 8))
    body = b"".join(parts)
    return _MAGIC + _seal(body, made_from) + body


def from_file(path: Path, tables: int, made_from: bytes) -> list[Ranges] | None:
    """Tables that `to_bytes` made from the same, mapped into memory; None where the file holds anything else."""
    try:
        with path.open("rb") as stream:
            data = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        # It is not there, or it is empty.
        return None
    head = len(_MAGIC) + hashlib.sha256().digest_size
    body = data[head:]
    if data[: len(_MAGIC)] != _MAGIC or data[len(_MAGIC) : head] != _seal(body, made_from):
        return None
    kinds = _TYPES * tables
    counts = np.frombuffer(body, "<u8", len(kinds))
    place, arrays = counts.nbytes, []
    for kind, count in zip(kinds, counts, strict=True):
        arrays.append(np.frombuffer(body, kind, int(count), place))
        place += arrays[-1].nbytes + -arrays[-1].nbytes % 8
    return [Ranges(arrays[first : first + len(_TYPES)]) for first in range(0, len(arrays), len(_TYPES))]


def _seal(body: bytes | memoryview, made_from: bytes) -> bytes:
    digest = hashlib.sha256(made_from)
    digest.update(body)
    return digest.digest()
