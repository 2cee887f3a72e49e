"""Proofs of OpenTimestamps over blocks that are made here, with less work than Bitcoin asks for."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation, UnknownAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp

from kholo.evidence import opentimestamps
from kholo.model import KeyFileError, TimestampError

DATA = b"kholo-dossier/1\n"
TIME = datetime(2026, 11, 1, 12, tzinfo=UTC)
#: One hash in some 256 is small enough.
EASY = 0x2000FFFF
#: The first block of Bitcoin.
GENESIS = bytes.fromhex(
    "01000000" + "00" * 32 + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)


def proof(*claims: object, data: bytes = DATA) -> tuple[bytes, bytes]:
    """A proof with claims about the end of a path from the data, and that end."""
    stamp = Timestamp(hashlib.sha256(data).digest())
    end = stamp.ops.add(OpAppend(b"left")).ops.add(OpSHA256()).ops.add(OpPrepend(b"right")).ops.add(OpSHA256())
    end.attestations.update(claims)
    out = BytesSerializationContext()
    DetachedTimestampFile(OpSHA256(), stamp).serialize(out)
    return out.getbytes(), end.msg


def header(root: bytes, bits: int = EASY, is_worked: bool = True) -> bytes:
    """A header with the work it claims, or just without it."""
    for nonce in range(1 << 20):
        made = struct.pack("<i32s32sIII", 2, bytes(32), root, int(TIME.timestamp()), bits, nonce)
        digest = hashlib.sha256(hashlib.sha256(made).digest()).digest()
        if (digest[-1] == 0 and digest[-2] < 0xFF) == is_worked:
            return made
    raise AssertionError("no luck")


def blocks(folder: Path, *headers: bytes, floor: int = EASY) -> tuple[opentimestamps.Block, ...]:
    path = folder / "headers"
    path.write_bytes(b"".join(headers))
    return opentimestamps.load_headers(path, floor)


CLAIM = BitcoinBlockHeaderAttestation(923_000)
CALENDAR = PendingAttestation("https://alice.btc.calendar.opentimestamps.org")
OTHER = UnknownAttestation(b"\1" * 8, b"?")


def test_a_block_that_holds_the_bytes_gives_its_time(tmp_path: Path) -> None:
    made, end = proof(CLAIM, CALENDAR, OTHER)
    known = blocks(tmp_path, header(bytes(32)), header(end))
    found = opentimestamps.check(made, DATA, known)
    assert found.blocks == (known[1],) and known[1].time == TIME
    assert found.pending == ("https://alice.btc.calendar.opentimestamps.org",) and found.unknown == 1


def test_what_is_promised_or_not_known_proves_nothing(tmp_path: Path) -> None:
    known = blocks(tmp_path, header(bytes(32)))
    found = opentimestamps.check(proof(CLAIM, CALENDAR)[0], DATA, known)
    assert (found.blocks, len(found.pending), found.unknown) == ((), 1, 1)


def test_the_first_block_of_bitcoin_is_read_right_and_too_easy(tmp_path: Path) -> None:
    (block,) = blocks(tmp_path, GENESIS, floor=0x1D00FFFF)
    assert block.digest == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    assert block.time == datetime(2009, 1, 3, 18, 15, 5, tzinfo=UTC)
    with pytest.raises(KeyFileError, match="too little work"):
        blocks(tmp_path, GENESIS, floor=opentimestamps.FLOOR)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "80 bytes"),
        (GENESIS[:79], "80 bytes"),
        (header(bytes(32), is_worked=False), "lacks the work"),
        (header(bytes(32), bits=0x2100FFFF), "too little work"),
        (header(bytes(32), bits=0x20800001), "too little work"),
        (header(bytes(32), bits=0xFF00FFFF), "too little work"),
        (GENESIS[:72] + struct.pack("<I", 0x1715A35C) + GENESIS[76:], "lacks the work"),
    ],
)
def test_headers_without_work_are_refused(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(KeyFileError, match=why):
        blocks(tmp_path, content)


def test_no_byte_of_a_proof_can_change_and_still_lead_to_the_block(tmp_path: Path) -> None:
    """The height may: it is what a proof says of itself, and blocks are found by what they hold."""
    made, end = proof(CLAIM)
    known = blocks(tmp_path, header(end))
    good = opentimestamps.check(made, DATA, known)
    for place in range(len(made)):
        for flip in (0x01, 0x80, 0xFF):
            changed = made[:place] + bytes([made[place] ^ flip]) + made[place + 1 :]
            try:
                found = opentimestamps.check(changed, DATA, known)
            except TimestampError:
                continue
            assert not found.blocks or found == good
    for other in (made + b"\0", made[:-1], b"", made * 2):
        with pytest.raises(TimestampError):
            opentimestamps.check(other, DATA, known)
    with pytest.raises(TimestampError, match="other bytes"):
        opentimestamps.check(made, DATA + b" ", known)


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    made = proof(CLAIM)[0]
    for text in (data, made[: 31 + 1 + 1 + 32] + data, made[: 31 + 1 + 1 + 32] + b"\xf2" * 400 + data):
        try:
            assert opentimestamps.check(text, DATA, ()).blocks == ()
        except TimestampError as error:
            assert "the proof is not valid" in str(error)
