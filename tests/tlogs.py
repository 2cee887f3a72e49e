"""Logs of dossiers for tests: keys, statements, and what stands in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kholo.evidence import append, log, note
from kholo.evidence.shelf import Folder

ORIGIN = "example.org/kholo"


def signer(seed: int = 1) -> note.Signer:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return note.Signer(private.public_key().public_bytes_raw(), private.sign)


SIGNER = signer()
KEYS = (SIGNER.key(ORIGIN),)


def statement(number: int, case: str = "", simulated: bool = True) -> bytes:
    """The statement of some dossier; of one of seven cases where none is named."""
    root = sha256(b"root %d" % number).hexdigest()
    return (
        f"kholo-dossier/1\ncase: {case or f'case-{number % 7}'}\nas-of: 2026-11-25T00:00:00Z\n"
        f"simulated: {'yes' if simulated else 'no'}\nleaves: {number + 1}\nroot: sha256:{root}\n"
    ).encode()


def new(number: int, case: str = "") -> append.New:
    return append.New(statement(number, case), log.digest(b"dossier %d" % number))


def made(folder: Path, numbers: Iterable[int] = ()) -> Folder:
    """A log with dossiers of these numbers, added at once."""
    shelf = Folder(folder)
    append.create(shelf, ORIGIN, [SIGNER])
    append.append(shelf, [SIGNER], map(new, numbers))
    return shelf


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
