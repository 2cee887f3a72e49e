"""Packed bytes of anybody, unpacked in bounded memory: gzip by ISA-L, several times as fast as zlib, and LZ4 frames.

What stood before damage is given before the damage is raised. Both formats may be put one after the other in a file.
"""

from __future__ import annotations

import io
import zlib
from typing import IO, Any, Protocol, cast

from isal import isal_zlib
from lz4.frame import LZ4FrameDecompressor

GZIP_MAGIC = b"\x1f\x8b"
#: LZ4 frame format 1.6.4, "General Structure of LZ4 Frame Format".
LZ4_MAGIC = b"\x04\x22\x4d\x18"
#: Bytes unpacked at once, and packed bytes fed at once: a decompressor copies what it has not used yet on each call, so
#: few are fed.
CHUNK = 1 << 17
PACKED = 1 << 16
#: Window bits that stand for gzip, with its header and checksum (zlib manual, inflateInit2).
_GZIP = 31


class NotPacked(ValueError):
    """The bytes do not begin as the name of the file says."""


class TooLarge(ValueError):
    """More is packed than was allowed."""


#: What unpacking raises on damage; lz4 has no error of its own.
BROKEN: tuple[type[Exception], ...] = (
    EOFError,
    NotPacked,
    zlib.error,
    cast(type[Exception], isal_zlib.error),
    RuntimeError,
)


class Packing(Protocol):
    """One packed member: fed bytes, gives up to `size` unpacked ones at a time."""

    magic: bytes

    @property
    def is_done(self) -> bool:
        """Whether the member's end mark was read."""

    @property
    def unused(self) -> bytes:
        """What was fed beyond the end mark."""

    def feed(self, packed: bytes, size: int) -> tuple[bytes, bytes, bool]:
        """Unpacked bytes, what to feed again, and whether there is more to unpack without feeding."""


class Gzip:
    """RFC 1952."""

    magic = GZIP_MAGIC

    def __init__(self) -> None:
        self._inflate = isal_zlib.decompressobj(wbits=_GZIP)

    @property
    def is_done(self) -> bool:
        """Whether the member's end mark was read."""
        return bool(self._inflate.eof)

    @property
    def unused(self) -> bytes:
        """What was fed beyond the end mark. Zeros may fill a file up."""
        return bytes(self._inflate.unused_data.lstrip(b"\0"))

    def feed(self, packed: bytes, size: int) -> tuple[bytes, bytes, bool]:
        """See `Packing`."""
        data = self._inflate.decompress(packed, size)
        rest = self._inflate.unconsumed_tail
        return data, rest, bool(rest)


class Lz4:
    """LZ4 frames."""

    magic = LZ4_MAGIC

    def __init__(self) -> None:
        self._inflate = LZ4FrameDecompressor()

    @property
    def is_done(self) -> bool:
        """Whether the frame's end mark was read."""
        return bool(self._inflate.eof)

    @property
    def unused(self) -> bytes:
        """What was fed beyond the end mark."""
        return bytes(self._inflate.unused_data or b"")

    def feed(self, packed: bytes, size: int) -> tuple[bytes, bytes, bool]:
        """See `Packing`."""
        return self._inflate.decompress(packed, size), b"", not self._inflate.needs_input


class Inflated(io.RawIOBase):
    """A packed stream as a stream of what is in it. `packing` makes the decompressor of one member.

    Raises `EOFError` where the file is cut, `NotPacked` where it does not begin rightly, and what `BROKEN` names
    besides.
    """

    def __init__(self, stream: IO[bytes], packing: type[Gzip] | type[Lz4] = Gzip) -> None:
        self._stream = stream
        self._packed = b""
        self._new = packing
        self._member: Packing = packing()
        self._is_begun = self._has_more = False

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As of `io.RawIOBase`."""
        data = self.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read1(self, size: int = CHUNK, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        while True:
            if self._member.is_done and not self._next_member():
                return b""
            packed = self._packed or (b"" if self._has_more else self._stream.read(PACKED))
            if not packed and not self._has_more:
                if not self._is_begun:
                    return b""
                data, _, _ = self._member.feed(b"", size)
                if not data:
                    raise EOFError("the file ends before its end mark")
                return bytes(data)
            if not self._is_begun and not packed.startswith(self._new.magic[: len(packed)]):
                raise NotPacked("no header")
            self._is_begun = True
            data, self._packed, self._has_more = self._member.feed(packed, size)
            if data:
                return bytes(data)

    def _next_member(self) -> bool:
        rest = self._member.unused
        while not rest and (more := self._stream.read(PACKED)):
            rest = more.lstrip(b"\0")
        if not rest:
            return False
        self._packed, self._member, self._has_more = rest, self._new(), False
        return True


def inflated(data: bytes, limit: int) -> bytes:
    """What is in a gzip file. Raises `TooLarge` where that is more than `limit` bytes, and what `BROKEN` names."""
    content = io.BufferedReader(Inflated(io.BytesIO(data))).read(limit + 1)
    if len(content) > limit:
        raise TooLarge(f"more than {limit} bytes")
    return content
