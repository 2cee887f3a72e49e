"""Ed25519 keys under which anybody can sign."""

from __future__ import annotations

#: Points of small order, in all their encodings but for the sign bit: under these as a key a signature can be made
#: up by anybody, and OpenSSL takes them. They are the y whose point, times eight, is the neutral one (RFC 8032, 5.1).
WEAK_KEYS = frozenset(
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)


def is_weak(point: bytes) -> bool:
    """Whether the 32 bytes of a public key are one of them."""
    return point[:31] + bytes([point[31] & 0x7F]) in WEAK_KEYS
