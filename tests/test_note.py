"""Signed notes: those of other implementations are read, checked and made again; nothing that was altered passes."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from kholo.evidence import note
from kholo.evidence.faults import BadSignature, LogError, Malformed

# The example of golang.org/x/mod/sumdb/note, made and read there by another implementation.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
NOTE = f"{TEXT}\n{LINE}".encode()

# A checkpoint of a public log of certificates with cosignatures of public witnesses, as it was served.
LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
CHECKPOINT = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
""".encode()  # noqa: E501 - as served


def signer(seed: bytes) -> note.Signer:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return note.Signer(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), private.sign)


PETERS = signer(base64.b64decode(PETER_SECRET)[1:])


def test_the_note_of_another_implementation_is_read_and_made_again() -> None:
    key = note.parse_key(PETER)
    assert str(key) == PETER == str(PETERS.key("PeterNeumann"))
    parsed = note.parse(NOTE)
    assert parsed.text.decode() == TEXT
    assert parsed.encode() == NOTE
    assert note.check(parsed, [key]) == (note.Signed(key),)
    made = note.Note(TEXT.encode(), (PETERS.signature("PeterNeumann", TEXT.encode()),))
    assert made.encode() == NOTE


def test_a_log_and_its_witness_are_told_apart_and_others_are_left_alone() -> None:
    parsed = note.parse(CHECKPOINT)
    log, witness = note.parse_key(LOG), note.parse_key(WITNESS)
    assert parsed.encode() == CHECKPOINT
    assert len(parsed.signatures) == 6
    assert note.check(parsed, [log, witness]) == (
        note.Signed(log),
        note.Signed(witness, datetime(2026, 5, 23, 21, 50, 24, tzinfo=UTC)),
    )
    with pytest.raises(BadSignature, match="nobody"):
        note.check(parsed, [note.parse_key(PETER)])


@pytest.mark.parametrize("key", [LOG, WITNESS])
def test_a_known_key_whose_signature_does_not_fit_rejects_the_whole(key: str) -> None:
    other = note.parse(CHECKPOINT.replace(b"1432088532", b"1432088533"))
    with pytest.raises(BadSignature, match="does not fit"):
        note.check(other, [note.parse_key(key)])


def test_a_right_signature_does_not_outweigh_a_wrong_one() -> None:
    other = signer(b"\2" * 32)
    good = note.parse(NOTE).signatures[0]
    bad = other.signature("other", b"another text\n")
    mixed = note.Note(TEXT.encode(), (good, bad))
    assert len(note.check(mixed, [note.parse_key(PETER)])) == 1
    with pytest.raises(BadSignature, match="other"):
        note.check(mixed, [note.parse_key(PETER), other.key("other")])


def test_a_key_that_only_shares_name_or_id_is_another_key() -> None:
    parsed = note.parse(NOTE)
    for name in ("PeterNeumann", "EnochRoot"):
        with pytest.raises(BadSignature, match="nobody"):
            note.check(parsed, [signer(b"\3" * 32).key(name)])


def test_a_cosignature_of_no_time_is_none() -> None:
    mine = signer(b"\4" * 32)
    key = note.Key("witness", note.COSIGNATURE, mine.public)
    for seconds, is_right in ((0, True), (253_402_300_799, True), (253_402_300_800, False), (2**64 - 1, False)):
        bare = mine.sign(b"cosignature/v1\ntime %d\n" % seconds + TEXT.encode())
        made = note.Note(TEXT.encode(), (note.Signature("witness", key.mark, seconds.to_bytes(8) + bare),))
        if is_right:
            assert note.check(made, [key])[0].at is not None
        else:
            with pytest.raises(BadSignature, match="no time"):
                note.check(made, [key])


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"text\n", b"text\n\n", NOTE[:-1], NOTE + b"\n", NOTE + b"x\n", NOTE.replace("—".encode(), b"-"),
        NOTE.replace(b"PeterNeumann", b"Peter+Neumann"), NOTE.replace(b"PeterNeumann ", b" "),
        NOTE.replace(b"PeterNeumann", "Peter\u2003Neumann".encode()), NOTE.replace(b"If", b"\rIf"),
        NOTE.replace(b"\n\n", b"\n"), NOTE.replace(b"AM=\n", b"AN=\n"), NOTE.replace(b"AM=\n", b"AM\n"),
        NOTE.replace(b"AM=\n", b"AM= \n"), b"\xff" + NOTE, f"{TEXT}\n— Peter AAAA\n".encode(),
        NOTE + LINE.encode() * note.MAX_SIGNATURES, b"x" * note.MAX_NOTE + NOTE,
    ],
)  # fmt: skip
def test_what_is_no_note_is_not_read(data: bytes) -> None:
    with pytest.raises(Malformed):
        note.parse(data)


def test_no_part_of_a_key_and_no_altered_key_is_a_key() -> None:
    for start in range(len(PETER) + 1):
        for end in range(start, len(PETER) + 1):
            if (start, end) != (0, len(PETER)):
                with pytest.raises(Malformed):
                    note.parse_key(PETER[start:end])
    for place in range(len(PETER)):
        for bit in range(7):
            other = PETER[:place] + chr(ord(PETER[place]) ^ (1 << bit)) + PETER[place + 1 :]
            with pytest.raises(Malformed):
                note.parse_key(other)


def test_a_name_that_a_terminal_would_obey_is_none() -> None:
    for name in ("a\x1b[2J", "a\u202eb", "a\x85", "", "a b"):
        with pytest.raises(Malformed):
            note.parse_key(str(PETERS.key(name)))
    assert note.parse_key(str(PETERS.key("بی.example/کھولو"))).name == "بی.example/کھولو"


def test_every_flipped_bit_of_a_note_is_found() -> None:
    key = note.parse_key(PETER)
    for place in range(len(NOTE)):
        for bit in range(8):
            other = bytearray(NOTE)
            other[place] ^= 1 << bit
            with pytest.raises(LogError):
                note.check(note.parse(bytes(other)), [key])


@given(st.binary(max_size=300))
def test_nothing_read_breaks_the_parser(data: bytes) -> None:
    for whole in (data, data + b"\n\n" + LINE.encode(), TEXT.encode() + b"\n" + "— a ".encode() + data + b"\n"):
        try:
            parsed = note.parse(whole)
        except Malformed:
            continue
        assert parsed.encode() == whole
