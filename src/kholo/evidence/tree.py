"""The Merkle tree of RFC 9162, section 2.1 (the same as that of RFC 6962), over SHA-256: roots, and proofs of a leaf.

A hash is 32 bytes. A tree is given by the hashes of its leaves, in order; an index counts from 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

SIZE = 32
#: The root of a tree without leaves.
EMPTY = hashlib.sha256(b"").digest()

_LEAF, _NODE = b"\x00", b"\x01"
_sha256 = hashlib.sha256


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf that holds `data`."""
    return _sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two others."""
    return _sha256(_NODE + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over leaves, of any number."""
    row = leaf_hashes
    while len(row) > 1:
        row = _above(row)
    return row[0] if row else EMPTY


def _above(row: Sequence[bytes]) -> list[bytes]:
    """The next row: each pair under a node; one that is left over goes up as it is."""
    pairs = zip(row[::2], row[1::2], strict=False)
    above = [_sha256(_NODE + left + right).digest() for left, right in pairs]
    if len(row) % 2:
        above.append(row[-1])
    return above


Ranges = list[tuple[int, int]]


def inclusion_ranges(index: int, size: int) -> Ranges:
    """The ranges of leaves [from, to) whose roots prove the leaf `index` of a tree of `size`, nearest first.

    Raises `ValueError` where there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    out: Ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + left(end - start)
        if index < middle:
            out.append((middle, end))
            end = middle
        else:
            out.append((start, middle))
            start = middle
    return out[::-1]


def left(size: int) -> int:
    """The leaves on the left of a tree of `size` > 1: the largest power of two below it."""
    return 1 << ((size - 1).bit_length() - 1)


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf of this hash is at `index` in the tree of `size` leaves with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    place, last, made = index, size - 1, leaf
    for other in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            made = node_hash(other, made)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            made = node_hash(made, other)
        place, last = place >> 1, last >> 1
    return last == 0 and made == root


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == SIZE for value in values)
