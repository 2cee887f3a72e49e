"""Items of input: bytes with the place they came from, and how rejects are made of them."""

from __future__ import annotations

import hashlib

import msgspec

from kholo.model import Reject
from kholo.model.text import clean

#: Bytes of one item (a line, a post, a file of one measurement) above which it is rejected unread.
#: The largest raw measurements of OONI are a few MB: bodies are cut by the probe.
MAX_ITEM = 16 * 1024 * 1024


class Item(msgspec.Struct, frozen=True, gc=False):
    """One undecoded item. `line` counts from 1: the line of the file, or the member's place in an archive.

    `received` is what stood there, where it had to be put into another form to be decoded. `uid` is the id under which
    the archive keeps it, where the item itself does not say it.
    """

    file: str
    line: int
    data: bytes
    received: bytes = b""
    uid: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes as received, in hex."""
        return hashlib.sha256(self.received or self.data).hexdigest()

    def reject(self, reason: str, detail: str) -> Reject:
        """Name what is wrong with this item."""
        return Reject(self.file, self.line, reason, clean(detail), self.digest)
