"""DER (X.690): read strictly, with the bytes of each part kept as they are, and written."""

from __future__ import annotations

import msgspec

INTEGER, OCTETS, NULL, OID, SEQUENCE, SET = 0x02, 0x04, 0x05, 0x06, 0x30, 0x31


class Part(msgspec.Struct, frozen=True):
    """One value: its tag (one byte), what is inside, and all its bytes."""

    tag: int
    inside: bytes
    whole: bytes

    def parts(self, tag: int) -> list[Part]:
        """What a sequence or a set holds. Raises `ValueError` where it has another tag."""
        return read_all(self.of(tag))

    def of(self, tag: int) -> bytes:
        """What is inside, where it has this tag. Raises `ValueError` otherwise."""
        if self.tag != tag:
            raise ValueError("a part of it is not what should stand there")
        return self.inside


def read(data: bytes) -> Part:
    """The one value that fills the bytes. Raises `ValueError`."""
    parts = read_all(data)
    if len(parts) != 1:
        raise ValueError("it is empty, or more follows after its end")
    return parts[0]


def read_all(data: bytes) -> list[Part]:
    """Values one after the other, to the end. Raises `ValueError`."""
    found, at = [], 0
    while at < len(data):
        part = _read(data, at)
        found.append(part)
        at += len(part.whole)
    return found


def write(tag: int, *inside: bytes) -> bytes:
    """A value of the joined bytes."""
    joined = b"".join(inside)
    return bytes([tag]) + _length(len(joined)) + joined


def integer(value: int) -> bytes:
    """A number that is not negative."""
    return write(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _length(count: int) -> bytes:
    if count < 0x80:
        return bytes([count])
    packed = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(packed)]) + packed


def _read(data: bytes, at: int) -> Part:
    head = data[at : at + 2]
    if len(head) < 2 or head[0] & 0x1F == 0x1F:
        raise ValueError("it is cut off, or no DER")
    more = head[1] & 0x7F if head[1] & 0x80 else 0
    start = at + 2 + more
    count = int.from_bytes(data[at + 2 : start], "big") if more else head[1]
    if data[at + 1 : start] != _length(count) or start + count > len(data):
        raise ValueError("it is cut off, or a length in it is not in its shortest form")
    return Part(head[0], data[start : start + count], data[at : start + count])
