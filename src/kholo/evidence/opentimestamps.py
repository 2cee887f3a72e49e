"""Proofs of OpenTimestamps, checked offline against headers of Bitcoin's blocks that are given in a file."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kholo.model import KeyFileError, TimestampError

from .extra import needs
from .keys import read

if TYPE_CHECKING:
    from opentimestamps.core.timestamp import DetachedTimestampFile

#: Bytes of a proof: those of the public calendars have 0.5 to 3 KiB.
MAX_PROOF = 64 << 10
HEADER = 80
#: The largest hash that a block may have, as its header writes it: that of Bitcoin's block 600,000 (2019). Blocks from
#: 2020 on took more work. To make one up takes a good part of what all miners do in a minute; see decision 0018.
FLOOR = 0x1715A35C


class Block(msgspec.Struct, frozen=True):
    """A block's header that shows the work that was put into it. `root` is the hash over what is in the block."""

    digest: str
    root: bytes
    time: datetime


class Anchored(msgspec.Struct, frozen=True):
    """`blocks` hold the bytes: they were there at about the first one's time, give or take two hours. `pending`: who
    promised to put them into one; `unknown`: how many other claims there are. Both prove nothing. The height that a
    proof claims is not given: nothing here shows that it is the right one."""

    blocks: tuple[Block, ...]
    pending: tuple[str, ...]
    unknown: int


def load_headers(path: Path, floor: int = FLOOR) -> tuple[Block, ...]:
    """The headers in a file, 80 bytes each, in any order. Raises `KeyFileError` where one lacks the work of `floor`."""
    data = read(path)
    if not data or len(data) % HEADER:
        raise KeyFileError(f"{path}: holds no headers of {HEADER} bytes each")
    try:
        return tuple(_block(data[at : at + HEADER], floor) for at in range(0, len(data), HEADER))
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}") from None


def check(proof: bytes, data: bytes, blocks: tuple[Block, ...]) -> Anchored:
    """What the proof shows of the data. A claim about a block that is not given is counted as unknown.

    Raises `TimestampError`, and `EnvironmentFault` where the library for it is not installed.
    """
    known = {block.root: block for block in blocks}
    found = set()
    pending, unknown = set(), 0
    with needs("proofs of OpenTimestamps", "opentimestamps", "opentimestamps"):
        from opentimestamps.core.notary import (  # noqa: PLC0415 - an extra
            BitcoinBlockHeaderAttestation,
            PendingAttestation,
        )
    for message, claim in _read(proof, data).timestamp.all_attestations():
        if isinstance(claim, PendingAttestation):
            pending.add(str(claim.uri))
        elif isinstance(claim, BitcoinBlockHeaderAttestation) and message in known:
            found.add(known[message])
        else:
            unknown += 1
    ordered = sorted(found, key=lambda block: (block.time, block.digest))
    return Anchored(tuple(ordered), tuple(sorted(pending)), unknown)


def _read(proof: bytes, data: bytes) -> DetachedTimestampFile:
    with needs("proofs of OpenTimestamps", "opentimestamps", "opentimestamps"):
        from opentimestamps.core.op import OpSHA256  # noqa: PLC0415 - an extra
        from opentimestamps.core.serialize import (  # noqa: PLC0415
            BytesDeserializationContext,
            BytesSerializationContext,
        )
        from opentimestamps.core.timestamp import DetachedTimestampFile  # noqa: PLC0415

    try:
        if len(proof) > MAX_PROOF:
            raise ValueError("it is too long")
        found = DetachedTimestampFile.deserialize(BytesDeserializationContext(proof))
        again = BytesSerializationContext()
        found.serialize(again)
        if again.getbytes() != proof:
            raise ValueError("it is not written in its one form")
        if not isinstance(found.file_hash_op, OpSHA256) or found.file_digest != hashlib.sha256(data).digest():
            raise ValueError("it is over other bytes")
    except Exception as error:  # The library raises a dozen kinds at bytes that are odd on purpose.
        raise TimestampError(f"the proof is not valid: {error}") from None
    return found


def _block(header: bytes, floor: int) -> Block:
    digest = hashlib.sha256(hashlib.sha256(header).digest()).digest()
    bits = int.from_bytes(header[72:76], "little")
    if not 0 < _target(bits) <= _target(floor):
        raise ValueError("a block in it claims too little work to be one of Bitcoin's")
    if int.from_bytes(digest, "little") > _target(bits):
        raise ValueError("a block in it lacks the work that it claims")
    time = datetime.fromtimestamp(int.from_bytes(header[68:72], "little"), UTC)
    return Block(digest[::-1].hex(), header[36:68], time)


def _target(bits: int) -> int:
    """The number that a block's hash may not exceed, from the four bytes that stand for it."""
    size, value = bits >> 24, bits & 0x7FFFFF
    if bits & 0x800000 or size > 32:
        return 0
    return value << 8 * (size - 3) if size > 3 else value >> 8 * (3 - size)
