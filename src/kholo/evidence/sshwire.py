"""The wire format of SSH (RFC 4251, 5), written one way and read no other."""

from __future__ import annotations

import struct


def string(value: bytes) -> bytes:
    """Its length in four bytes, and the bytes."""
    return struct.pack(">I", len(value)) + value


def mpint(value: int) -> bytes:
    """A number that is not negative."""
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big") if value else b"")


class Reader:
    """Takes from the front. Every method raises `ValueError` where the bytes are not what they should be."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        """So many bytes."""
        found = self._data[self._at : self._at + count]
        if len(found) != count:
            raise ValueError("it is cut off")
        self._at += count
        return found

    def string(self) -> bytes:
        """What `string` wrote."""
        (length,) = struct.unpack(">I", self.take(4))
        return self.take(length)

    def number(self) -> int:
        """What `mpint` wrote."""
        raw = self.string()
        value = int.from_bytes(raw, "big")
        if string(raw) != mpint(value):
            raise ValueError("a number in it is not written in its shortest form")
        return value

    def end(self) -> None:
        """Nothing may follow."""
        if self._at != len(self._data):
            raise ValueError("more follows after its end")
