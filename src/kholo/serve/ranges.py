"""One part of a file instead of the whole, so that a download that was cut off goes on (RFC 9110, 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

#: One range of bytes: from and to, from on, or so many of the last. More digits than a file can have bytes are none.
_ONE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


class Part(msgspec.Struct, frozen=True):
    """The bytes from `first` on, `size` of them; none where a file has none of those that were asked for."""

    first: int
    size: int

    def content_range(self, whole: int) -> str:
        """What `Content-Range` says of it, in a file of so many bytes."""
        return f"bytes {self.first}-{self.first + self.size - 1}/{whole}" if self.size else f"bytes */{whole}"


def asked_for(headers: Mapping[str, str], whole: int, etag: str) -> Part | None:
    """The part that a client wants of a file of so many bytes; None: all of it.

    All of it also for several ranges and for what can't be read, and where the client has another state of the file:
    `If-Range` must be the very tag (with quotes). A date tells states apart to the second only, so none is good enough.
    """
    header, condition = headers.get("range"), headers.get("if-range")
    if header is None or (condition is not None and condition.strip() != etag):
        return None
    return part_of(header, whole)


def part_of(header: str, whole: int) -> Part | None:
    """The part of a file of so many bytes that a `Range` means; None where it is not one range of bytes."""
    found = _ONE.fullmatch(header.strip(" \t"))
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        return _last(int(last), whole) if last else None
    if last and int(last) < int(first):
        return None
    end = min(whole, int(last) + 1) if last else whole
    return Part(int(first), max(0, end - int(first)))


def _last(many: int, whole: int) -> Part | None:
    """The last bytes. An empty file is given whole: no range can name what it has."""
    many = min(many, whole)
    return Part(whole - many, many) if whole else None
