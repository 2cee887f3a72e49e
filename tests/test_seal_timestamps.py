"""Timestamps: those of OpenSSL and by hand, taken where they are right, refused in each way to be wrong."""

from __future__ import annotations

import hashlib
import subprocess
import time
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from kholo.evidence import timestamp, tsa
from kholo.evidence.der import OCTETS, OID, SEQUENCE, SET, integer, write
from kholo.fetch.wait import Patience, Timing
from kholo.fetch.web import Web
from kholo.model import KeyFileError, NetworkFault, TimestampError, UsageError

from .servers import Answer, Wire, serve
from .servers.tsa import END, STAMPING, START, ByHand, Holder, OpenSsl, curve_key, holder, rsa_key, when
from .servers.tsa import tsa as authority

DATA = b"abc  seal/statement.txt\n"
NONCE = 0xD1CE_D1CE_D1CE_D1CE
ASKED = timestamp.request(hashlib.sha256(DATA).digest(), NONCE)
ROOT = holder("Test root", make=rsa_key)
MIDDLE = holder("Test middle", ROOT, make=rsa_key)
SIGNER = holder("Test authority", MIDDLE, STAMPING, make=rsa_key)
ROOTS = (ROOT.certificate,)
GOOD = ByHand(SIGNER, when(0))


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return Web(Timing(lambda _seconds: None, time.monotonic, lambda: 0.5), Patience(tries=2, connect=2.0, read=0.5))


@pytest.mark.parametrize("ess", ["sha1", "sha256", "sha384"])
@pytest.mark.parametrize("make", [rsa_key, curve_key])
def test_an_authority_is_asked_and_openssl_agrees(tmp_path: Path, web: Web, ess: str, make: object) -> None:
    assert callable(make)
    signer = holder("Test authority", MIDDLE, STAMPING, make=make)
    before = datetime.now(UTC).replace(microsecond=0)
    with serve(authority(OpenSsl(tmp_path, signer, ess).response)) as running:
        response = tsa.ask(web, running.url, DATA, NONCE, ROOTS)
    found = timestamp.check(response, DATA, ROOTS, NONCE)
    assert before <= found.time <= datetime.now(UTC)
    assert (found.authority, found.policy, found.serial) == ("Test authority", "1.2.3.4.1", "2")
    assert found.root == ROOT.certificate.fingerprint(hashes.SHA256()).hex() and found.until == END
    assert openssl_takes(tmp_path, response, DATA) and not openssl_takes(tmp_path, response, DATA + b" ")
    with pytest.raises(TimestampError, match="other bytes"):
        timestamp.check(response, DATA + b" ", ROOTS)


def openssl_takes(folder: Path, response: bytes, data: bytes) -> bool:
    (folder / "r.tsr").write_bytes(response)
    (folder / "data").write_bytes(data)
    (folder / "root.pem").write_bytes(ROOT.pem)
    command = ("openssl", "ts", "-verify", "-data", "data", "-in", "r.tsr", "-CAfile", "root.pem")
    return subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode == 0


def test_openssl_takes_our_question(tmp_path: Path) -> None:
    (tmp_path / "q.tsq").write_bytes(ASKED)
    shown = subprocess.run(
        ("openssl", "ts", "-query", "-in", "q.tsq", "-text"), cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert "Hash Algorithm: sha256" in shown and "Nonce: 0xD1CED1CED1CED1CE" in shown
    assert "Certificate required: yes" in shown
    with pytest.raises(ValueError, match="32 bytes"):
        timestamp.request(b"short", 1)


def test_one_made_by_hand_is_as_good(tmp_path: Path) -> None:
    response = GOOD.response(ASKED)
    found = timestamp.check(response, DATA, ROOTS, NONCE)
    assert found.time == when(0) and found.serial == f"{1 << 80:x}" and found.policy == "1.2.3.4"
    assert openssl_takes(tmp_path, response, DATA)
    assert timestamp.tidy(response, ROOTS) == response


@pytest.mark.parametrize("make", [rsa_key, curve_key])
def test_every_byte_counts(make: object) -> None:
    """Each byte of a response changed in several ways: found, all of them."""
    assert callable(make)
    response = ByHand(holder("Test authority", MIDDLE, STAMPING, make=make), when(0)).response(ASKED)
    timestamp.check(response, DATA, ROOTS)
    taken = []
    for place in range(len(response)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(response)
            changed[place] ^= flip
            try:
                timestamp.check(bytes(changed), DATA, ROOTS)
            except TimestampError:
                continue
            taken.append((place, flip))
    assert taken == []


def unsigned(asked: bytes) -> dict[str, bytes]:
    """Right responses with something in them that nobody signed."""
    other = holder("Other", make=curve_key)
    own = [SIGNER.certificate, MIDDLE.certificate]
    return {
        "words": replace(GOOD, status=integer(0) + write(SEQUENCE, write(0x0C, b"Operation Okay"))).response(asked),
        "root": replace(GOOD, certificates=[*own, ROOT.certificate]).response(asked),
        "certificate": replace(GOOD, certificates=[*own, other.certificate]).response(asked),
        "attribute": replace(
            GOOD, beside=write(0xA1, write(SEQUENCE, write(OID, b"\x2a\x03"), write(SET, write(OCTETS, b"x"))))
        ).response(asked),
    }


@pytest.mark.parametrize("what", ["words", "root", "certificate", "attribute"])
def test_what_nobody_signed_is_left_out_when_asked_and_refused_when_checked(
    web: Web, what: str, tmp_path: Path
) -> None:
    response = unsigned(ASKED)[what]
    with pytest.raises(TimestampError, match="nobody signed"):
        timestamp.check(response, DATA, ROOTS)
    with serve(authority(lambda asked: unsigned(asked)[what])) as running:
        kept = tsa.ask(web, running.url, DATA, NONCE, ROOTS)
    assert timestamp.check(kept, DATA, ROOTS, NONCE).time == when(0)
    assert len(kept) < len(response) and openssl_takes(tmp_path, kept, DATA)


def stamped_by(*uses: x509.ObjectIdentifier, above: Holder = MIDDLE, **more: Any) -> ByHand:
    return ByHand(holder("Other", above, uses or STAMPING, make=curve_key, **more), when(0))


def twisted(old: bytes, new: bytes) -> ByHand:
    return replace(GOOD, twist=lambda info: info.replace(old, new))


CODE = ExtendedKeyUsageOID.CODE_SIGNING
WRONG: dict[str, tuple[Callable[[], ByHand], str]] = {
    "expired": (lambda: stamped_by(end=when(-1)), "not valid at the time"),
    "not yet": (lambda: stamped_by(start=when(1)), "not valid at the time"),
    "before the root": (lambda: replace(GOOD, at=START - timedelta(days=1)), "not valid at the time"),
    "other use": (lambda: stamped_by(CODE), "alone"),
    "not alone": (lambda: stamped_by(*STAMPING, CODE), "alone"),
    "not critical": (lambda: stamped_by(is_critical=False), "alone"),
    "other root": (lambda: stamped_by(above=holder("Test root", make=curve_key)), "trusted"),
    "no issuer": (lambda: stamped_by(above=holder("Leaf", MIDDLE, STAMPING, make=curve_key)), "does not hold"),
    "middle missing": (lambda: replace(GOOD, certificates=[SIGNER.certificate]), "trusted"),
    "signer missing": (lambda: replace(GOOD, certificates=[MIDDLE.certificate]), "not in it"),
    "nobody": (lambda: replace(GOOD, certificates=[]), "not in it"),
    "another meant": (lambda: replace(GOOD, means=MIDDLE.der), "means another"),
    "with changes": (lambda: replace(GOOD, status=integer(1)), "granted with changes"),
    "refused": (lambda: replace(GOOD, status=integer(2)), "refused"),
    "other nonce": (lambda: twisted(integer(NONCE), integer(NONCE - 1)), "another question"),
    "other bytes": (lambda: twisted(hashlib.sha256(DATA).digest(), bytes(32)), "other bytes"),
    "no time": (lambda: replace(GOOD, twist=lambda info: info[:10]), "not valid"),
    "no such time": (lambda: twisted(b"20261101", b"20261301"), "not valid"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused(name: str) -> None:
    make, why = WRONG[name]
    with pytest.raises(TimestampError, match=why):
        timestamp.check(make().response(ASKED), DATA, ROOTS, NONCE)


def test_a_certificate_that_ended_since_does_not_matter() -> None:
    found = timestamp.check(replace(stamped_by(end=when(-1)), at=when(-2)).response(ASKED), DATA, ROOTS, NONCE)
    assert (found.time, found.until) == (when(-2), when(-1))


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for response in (data, write(SEQUENCE, write(SEQUENCE, integer(0)), write(SEQUENCE, data)), b"\x30\x80" + data):
        with pytest.raises(TimestampError):
            timestamp.check(response, DATA, ROOTS)


@given(st.binary(max_size=60))
def test_nothing_that_an_authority_signs_crashes_the_reader(data: bytes) -> None:
    with pytest.raises(TimestampError):
        timestamp.check(replace(GOOD, twist=lambda _info: write(SEQUENCE, data)).response(ASKED), DATA, ROOTS)


@given(st.data())
def test_a_part_of_a_response_is_none(data: st.DataObject) -> None:
    response = GOOD.response(ASKED)
    cut = data.draw(st.integers(0, len(response) - 1))
    for changed in (response[:cut], response[cut + 1 :], response + response[: cut + 1]):
        with pytest.raises(TimestampError):
            timestamp.check(changed, DATA, ROOTS)


@pytest.mark.parametrize(
    ("answer", "fault", "why"),
    [
        (Answer(200, body=b"<html>Please log in</html>"), TimestampError, "no DER|shortest|cut off"),
        (Answer(200, body=b""), TimestampError, "empty"),
        (Answer(200, body=b"\x30" * (1 << 20)), NetworkFault, "more than"),
        (Answer(200, body=b"\x30" * 100, wire=Wire(stop=10, end="stall", seconds=5)), NetworkFault, "tried 2 times"),
        (Answer(200, body=b"\x30" * 100, wire=Wire(stop=10)), NetworkFault, "tried 2 times"),
        (Answer(302, {"Location": "http://127.0.0.1:9/"}), NetworkFault, "refuses"),
        (Answer(503), NetworkFault, "answers 503"),
        (Answer(404), NetworkFault, "nothing"),
    ],
)
def test_an_authority_that_gives_something_else(web: Web, answer: Answer, fault: type[Exception], why: str) -> None:
    with serve(lambda _request: answer) as running, pytest.raises(fault, match=why):
        tsa.ask(web, running.url, DATA, NONCE, ROOTS)


def test_an_old_answer_is_none_to_this_question(web: Web) -> None:
    old = GOOD.response(timestamp.request(hashlib.sha256(DATA).digest(), 1))
    with serve(authority(lambda _asked: old)) as running, pytest.raises(TimestampError, match="another question"):
        tsa.ask(web, running.url, DATA, NONCE, ROOTS)


def test_roots_are_those_that_are_listed(tmp_path: Path) -> None:
    listed = tomllib.loads(resources.files("kholo.evidence").joinpath("roots/roots.toml").read_text())["root"]
    found = {root.fingerprint(hashes.SHA256()).hex(): root for root in timestamp.pinned()}
    assert sorted(found) == sorted(entry["sha256"] for entry in listed)
    for name in tsa.AUTHORITIES:
        assert sum(f"({name})" in entry["for"] for entry in listed) == 1
    for root in found.values():
        root.verify_directly_issued_by(root)
        assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    path = tmp_path / "more.pem"
    path.write_bytes(ROOT.pem + MIDDLE.pem)
    assert timestamp.load_roots(path) == (ROOT.certificate, MIDDLE.certificate)
    path.write_bytes(b"nothing")
    with pytest.raises(KeyFileError, match="PEM"):
        timestamp.load_roots(path)


@pytest.mark.parametrize("name", ["nobody", "ftp://example.org/", "http://", "file:///etc/passwd"])
def test_an_authority_has_an_address(name: str) -> None:
    with pytest.raises(UsageError, match="no authority"):
        tsa.address_of(name)
