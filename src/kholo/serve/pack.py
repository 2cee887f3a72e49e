"""Bodies in gzip, the same bytes each time."""

from __future__ import annotations

from isal import igzip


def packed(body: bytes, level: int = 1) -> bytes:
    """The body in gzip."""
    return bytes(igzip.compress(body, level, mtime=0))
