"""Forged signatures and timestamps: kholo and the programs of `contrib/` come to the same."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kholo.evidence import bag, envelope, seal, timestamp, witnesses
from kholo.evidence.bundle import Dossier
from kholo.evidence.checks import Outcome

from . import dossiers
from .conftest import NOW
from .dossiers import Files, files_of, packed, relisted

FIRST, SECOND = "seal/timestamps/0001", "seal/timestamps/0002"
COVERS, RESPONSE = f"{FIRST}/covers.txt", f"{FIRST}/response.tsr"


@pytest.fixture(scope="session")
def roots(authority: Path) -> list[x509.Certificate]:
    """The root of the authority."""
    return x509.load_pem_x509_certificates((authority / "ca.pem").read_bytes())


@pytest.fixture(scope="session")
def path(small_dossier: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dossier, signed, without its largest files."""
    return dossiers.redacted(tmp_path_factory.mktemp("agree"), small_dossier)


@pytest.fixture(scope="session")
def files(path: Path, authority: Path, roots: list[x509.Certificate]) -> Files:
    """What is in it, with two timestamps."""
    for number in (1, 2):
        path = dossiers.stamped(path.parent, path, authority)
        name = f"seal/timestamps/{number:04}/response.tsr"
        inside = files_of(path)
        inside[name] = timestamp.tidy(inside[name], roots)
        path.write_bytes(packed(relisted(inside)))
    return files_of(path)


def both_find(files: Files, roots: list[x509.Certificate]) -> tuple[bool, bool]:
    """Whether kholo finds something wrong in signatures and timestamps, and whether the two others do."""
    data = packed(relisted(files))
    dossier, trust = Dossier(Path("x.zip"), io.BytesIO(data)), witnesses.Trust(roots=roots)
    ours = [*witnesses.signatures(dossier, None, NOW), *witnesses.times(dossier, trust.roots)]
    theirs = [outcome for _, outcome, _ in dossiers.verifier.checks(data)]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        theirs += [outcome for _, outcome, _ in dossiers.stamps.checks(archive, roots)]
    return any(check.outcome is Outcome.FAILED for check in ours), "failed" in theirs


def test_as_it_is_nobody_finds_anything(files: Files, roots: list[x509.Certificate]) -> None:
    assert both_find(files, roots) == (False, False)
    assert both_find(files, []) == (False, False), "by an authority that is not known: not wrong for that"


def _name(files: Files, end: str) -> str:
    return next(name for name in files if name.startswith("seal/signatures/") and name.endswith(end))


def _without(files: Files, *names: str) -> Files:
    return {name: data for name, data in files.items() if not name.startswith(names)}


def _with_another(files: Files) -> Files:
    """A certificate more, in its place in the order."""
    taken = envelope.take_apart(files[RESPONSE])
    root = envelope.take_apart(files[f"{SECOND}/response.tsr"]).certificates[0]
    other = x509.load_der_x509_certificate(root)
    extra = other.public_bytes(Encoding.DER)[:-1] + b"\0"
    return {**files, RESPONSE: taken.together([*taken.certificates, extra])}


def _covering(files: Files, change: Callable[[dict[str, str]], None]) -> Files:
    rows = bag.decode_manifest(COVERS, files[COVERS])
    change(rows)
    return {**files, COVERS: bag.manifest(rows)}


FORGED: dict[str, Callable[[Files], Files]] = {
    "another statement": lambda files: {
        **files, seal.STATEMENT: files[seal.STATEMENT].replace(b"simulated: no", b"simulated: yes")
    },
    "signature changed": lambda files: {
        **files, _name(files, ".sig"): files[_name(files, ".sig")].replace(b"AAAA", b"AAAB", 1)
    },
    "no key beside it": lambda files: _without(files, _name(files, ".pub")),
    "no signature beside it": lambda files: _without(files, _name(files, ".sig")),
    "key swapped": lambda files: {
        **files, _name(files, ".pub"): files[_name(files, ".pub")][:-10] + b"AAAAAAAAA\n"
    },
    "key with a comment": lambda files: {**files, _name(files, ".pub"): files[_name(files, ".pub")][:-1] + b" desk\n"},
    "under another name": lambda files: {
        **_without(files, "seal/signatures/"),
        f"seal/signatures/{'0' * 16}.sig": files[_name(files, ".sig")],
        f"seal/signatures/{'0' * 16}.pub": files[_name(files, ".pub")],
    },
    "armour with other ends of lines": lambda files: {
        **files, _name(files, ".sig"): files[_name(files, ".sig")].replace(b"\n", b"\r\n")
    },
    "armour in longer lines": lambda files: {
        **files,
        _name(files, ".sig"): files[_name(files, ".sig")].replace(b"\n", b"", 2).replace(b"-----U", b"-----\nU"),
    },
    "armour with a line behind": lambda files: {**files, _name(files, ".sig"): files[_name(files, ".sig")] + b"\n"},
    "a gap": lambda files: _without(files, FIRST),
    "covers missing": lambda files: _without(files, COVERS),
    "response missing": lambda files: _without(files, f"{SECOND}/response.tsr"),
    "covers of other bytes": lambda files: _covering(files, lambda rows: rows.update({seal.STATEMENT: "0" * 64})),
    "covers a later one": lambda files: _covering(files, lambda rows: rows.update({f"{SECOND}/covers.txt": "0" * 64})),
    "covers a file": lambda files: _covering(files, lambda rows: rows.update({"data/README.txt": "0" * 64})),
    "covers less": lambda files: _covering(files, lambda rows: rows.__delitem__(seal.STATEMENT)),
    "covers what is not there": lambda files: _covering(
        files, lambda rows: rows.update({f"seal/signatures/{'0' * 16}.sig": "0" * 64})
    ),
    "responses swapped": lambda files: {
        **files, RESPONSE: files[f"{SECOND}/response.tsr"], f"{SECOND}/response.tsr": files[RESPONSE]
    },
    "a certificate more": _with_another,
    "response with more behind": lambda files: {**files, RESPONSE: files[RESPONSE] + b"\0"},
    "response cut off": lambda files: {**files, RESPONSE: files[RESPONSE][:-1]},
    "response of nothing": lambda files: {**files, RESPONSE: b""},
}  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_a_forgery_is_found_by_both(files: Files, roots: list[x509.Certificate], what: str) -> None:
    forged = FORGED[what](files)
    assert forged != files
    assert both_find(forged, roots) == (True, True)


def _takes(check: Callable[[], object]) -> bool:
    try:
        check()
    except Exception:
        return False
    return True


def test_no_byte_of_a_response_can_be_another(files: Files, roots: list[x509.Certificate]) -> None:
    covers, response = files[COVERS], files[RESPONSE]
    taken = []
    for place in range(len(response)):
        changed = response[:place] + bytes([response[place] ^ 1 << place % 8]) + response[place + 1 :]
        ours = _takes(partial(timestamp.check, changed, covers, roots))
        theirs = _takes(partial(dossiers.stamps.timestamp, covers, changed, roots))
        taken += [(place, ours, theirs)] if ours or theirs else []
    assert taken == []
